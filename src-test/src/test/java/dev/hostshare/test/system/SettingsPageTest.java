package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.openqa.selenium.By;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.support.ui.Select;

/** The settings page as people use it, in a real browser. */
@SystemTest
@Timeout(60)
final class SettingsPageTest {
  private static SettingsLab lab;
  private static Browser browser;
  private static URI site;

  @BeforeAll
  static void start() throws Exception {
    lab = new SettingsLab();
    lab.serve();
    site = lab.openPage();
    browser = new Browser();
    browser.open(site);
    browser.await(() -> browser.has("main[aria-busy=false]"));
  }

  @AfterAll
  static void stop() {
    if (browser != null) {
      browser.close();
    }
    lab.close();
  }

  @BeforeEach
  void emptyList() throws IOException {
    Files.deleteIfExists(lab.adminFile());
    listByHand();
    browser.open(site.resolve("/"));
    browser.await(() -> browser.find("#nothing").isDisplayed() && !browser.has(".banner"));
  }

  @AfterEach
  void nothingWrong() {
    browser.assertNoComplaints();
    assertTrue(browser.assertAskedNobodyBut(site) > 0);
  }

  private static void listByHand(String... shares) throws IOException {
    lab.write("{\"version\": 1, \"shares\": [" + String.join(", ", shares) + "]}");
  }

  private static String share(String name, String more) {
    return "{\"path\": \"" + lab.path(name) + "\"" + more + "}";
  }

  private static WebElement row(String name) {
    return browser.await(() -> browser.driver().findElement(By.cssSelector(rowOf(name))));
  }

  private static String rowOf(String name) {
    return ".share[aria-label='" + lab.path(name) + "']";
  }

  private static void awaitGone(String name) {
    browser.await(() -> !browser.has(rowOf(name)));
  }

  private static void openDialog(String path) {
    browser.find("#add").click();
    browser.await(() -> browser.find("#add-path").isDisplayed());
    browser.find("#add-path").sendKeys(path);
  }

  private static void awaitList(String... parts) {
    var list = lab.shares("list", "--json").expectSuccess();
    for (var part : parts) {
      assertTrue(list.contains(part), () -> part + " is not in\n" + list);
    }
  }

  @Test
  void addsAFolderThatIsFoundByLooking() {
    // typing the beginning of a name leaves the folders that begin so
    openDialog(lab.path("") + "/");
    browser.awaitText("#folders", "a\nadmin\nb\netc\nhome");
    assertFalse(browser.text("#folders").contains("state"), browser.text("#folders"));
    browser.find("#add-path").sendKeys("a");
    browser.await(() -> browser.text("#folders").equals("a\nadmin"));
    browser.find("#folders [role=option]").click();
    browser.awaitText("#folders", "in");
    assertFalse(browser.text("#folders").contains(".hidden"), browser.text("#folders"));
    browser.awaitText("#verdict", lab.path("a") + " can be shared.");

    new Select(browser.find("#add-access")).selectByValue("READ_ONLY");
    new Select(browser.find("#add-owner")).selectByValue("FIXED");
    browser.find("#add-ids").sendKeys("999:998");
    browser.find("#add-note").sendKeys("<img src=x onerror=alert(1)>");
    browser.find("#add-ok").click();

    var row = row("a");
    assertEquals(
        "READ_ONLY",
        new Select(row.findElement(By.cssSelector("select")))
            .getFirstSelectedOption()
            .getAttribute("value"));
    assertEquals("999:998", row.findElement(By.cssSelector(".ids")).getAttribute("value"));
    awaitList("\"READ_ONLY\"", "\"uid\": 999", "\"gid\": 998");
    assertTrue(lab.shares("list").expectSuccess().contains("# <img src=x onerror"));
  }

  @Test
  void saysWhyAFolderCannotBeSharedBeforeItIsAdded() throws IOException {
    listByHand(share("b", ""));
    row("b");
    browser.find("#add").click();
    for (var each :
        List.of(
            List.of("/proc/1", "kernel's"),
            List.of("/", "/ cannot be shared"),
            List.of(lab.path("none"), "is not there"),
            List.of(lab.path("state"), "state folder"),
            List.of(lab.file().toString(), "is no folder"),
            List.of("relative", "not an absolute path"),
            List.of(lab.path("b"), "on the list already"))) {
      var input = browser.find("#add-path");
      input.clear();
      input.sendKeys(each.get(0));
      browser.awaitText("#verdict", each.get(1));
      assertFalse(browser.find("#add-ok").isEnabled(), each.get(0));
    }
    browser.find("#add-cancel").click();
  }

  @Test
  void undoPutsBackWhatWasThere() throws IOException {
    listByHand(
        share(
            "a",
            ", \"access\": \"ro\", \"owner\": \"7:8\", \"enabled\": false, \"note\": \"mine\", \"x\": 1"),
        share("none", ""));
    var before = lab.shares("list", "--json").expectSuccess();
    for (var name : List.of("a", "none")) {
      row(name).findElement(By.cssSelector(".remove")).click();
      awaitGone(name);
      awaitNot(lab.path(name));
      browser.await(() -> browser.find(".toast button")).click();
      row(name);
      assertEquals(before, lab.shares("list", "--json").expectSuccess());
    }
    // what hostshare does not know in it, too
    assertTrue(Files.readString(lab.file()).contains("\"x\" : 1"));
  }

  private static void awaitNot(String path) {
    var list = lab.shares("list").expectSuccess();
    assertFalse(list.contains(path), list);
  }

  @Test
  void changesAccessOwnerNoteAndWhetherItIsShared() throws IOException {
    listByHand(share("a", ""));
    var row = row("a");
    var selects = row.findElements(By.tagName("select"));
    new Select(selects.get(0)).selectByValue("READ_ONLY");
    browser.awaitText("#said", "is changed");
    new Select(selects.get(1)).selectByValue("CALLER");
    row.findElement(By.cssSelector(".note")).sendKeys("the app", Keys.ENTER);
    row.findElement(By.cssSelector("[role=switch]")).click();
    browser.await(() -> browser.text(rowOf("a")).contains("Off"));
    awaitList("\"READ_ONLY\"", "\"CALLER\"", "\"the app\"", "\"disabled\": true");

    new Select(selects.get(1)).selectByValue("FIXED");
    browser.press("12x", Keys.ENTER);
    browser.await(() -> browser.text("#toasts").contains("two numbers"));
    new Select(selects.get(1)).selectByValue("FIXED");
    browser.press("12:4294967294", Keys.ENTER);
    browser.await(() -> lab.shares("list").expectSuccess().contains("12:4294967294"));
  }

  @Test
  void showsWhatTheCommandLineAndAnEditorDo() throws IOException {
    lab.shares("add", lab.path("a"), "--note", "from the shell").expectSuccess();
    browser.await(
        () ->
            row("a")
                .findElement(By.cssSelector(".note"))
                .getAttribute("value")
                .equals("from the shell"));
    lab.shares("remove", lab.path("a")).expectSuccess();
    awaitGone("a");

    // what somebody is writing at that moment stays
    listByHand(share("b", ""));
    row("b").findElement(By.cssSelector(".note")).sendKeys("half a no");
    listByHand(share("a", ""), share("b", ", \"access\": \"ro\""));
    row("a");
    browser.await(
        () ->
            new Select(row("b").findElement(By.tagName("select")))
                .getFirstSelectedOption()
                .getText()
                .equals("Read only"));
    assertEquals("half a no", browser.focused().getAttribute("value"));

    lab.write("{\"version\": 1,\n \"shares\": [}\n");
    browser.awaitText(".banner.bad", "line 2, column 13");
    assertTrue(browser.has(rowOf("a")));
    listByHand();
    browser.await(() -> !browser.has(".banner"));
  }

  @Test
  void whatTheAdministratorLocksCannotBeChangedAndSaysSo() throws IOException {
    listByHand(share("a", ""), share("b", ""));
    row("a");
    Files.writeString(
        lab.adminFile(),
        "{\"filesharingAllowedDirectories\": [{\"path\": \"%s\"}], \"access\": {\"locked\": true, \"value\": \"ro\"}}"
            .formatted(lab.path("a")));
    browser.awaitText(".banner", "allows only " + lab.path("a"));
    browser.await(() -> browser.text(rowOf("b")).contains("may not be shared: the administrator"));
    var access = row("a").findElement(By.tagName("select"));
    browser.await(() -> !access.isEnabled());
    assertEquals("READ_ONLY", access.getAttribute("value"));
    var explanation =
        (String)
            browser.run(
                "return arguments[0].getAttribute('aria-describedby').split(' ').map(id => document.getElementById(id).textContent).join(' ')",
                access);
    assertTrue(explanation.contains("The administrator has locked access"), explanation);

    openDialog(lab.path("home"));
    browser.awaitText("#verdict", "may not be shared: the administrator");
    assertFalse(browser.find("#add-access").isEnabled());
    browser.find("#add-cancel").click();

    Files.writeString(
        lab.adminFile(),
        "{\"shares\": {\"locked\": true, \"value\": [{\"path\": \"%s\"}]}}"
            .formatted(lab.path("b")));
    browser.awaitText(".banner", "locked this list");
    awaitGone("a");
    assertFalse(browser.find("#add").isEnabled());
    for (var control :
        row("b").findElements(By.cssSelector("input:not([hidden]), select, button"))) {
      assertFalse(control.isEnabled(), () -> control.getAttribute("outerHTML"));
    }
  }

  @Test
  void everythingByTheKeyboard() {
    browser.tabTo("#add");
    browser.press(Keys.ENTER);
    browser.await(() -> browser.focused().equals(browser.find("#add-path")));
    browser.press(lab.path("") + "/");
    browser.awaitText("#folders", "a\nadmin\nb\netc\nhome");
    browser.press(Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ARROW_DOWN, Keys.ENTER);
    browser.awaitText("#verdict", lab.path("b") + " can be shared.");
    assertTrue(outline().startsWith("solid"), outline());
    browser.press(Keys.ENTER);
    browser.await(() -> browser.focused().equals(browser.find(rowOf("b") + " .remove")));
    browser.press(Keys.ENTER);
    awaitGone("b");
    browser.await(() -> browser.focused().getText().equals("Undo"));
    browser.press(Keys.SPACE);
    browser.await(() -> browser.focused().equals(browser.find(rowOf("b") + " .remove")));
    // and each control of the row
    browser.tabBack();
    assertEquals("select", browser.focused().getTagName());
    assertTrue(outline().startsWith("solid"), outline());
  }

  private static String outline() {
    return (String)
        browser.run(
            "const s = getComputedStyle(document.activeElement); return s.outlineStyle + s.outlineWidth");
  }

  @Test
  void importsDockerDesktopsFile() throws IOException {
    var docker = Files.createTempFile("docker", ".json");
    Files.writeString(
        docker, "{\"filesharingDirectories\": [\"%s\", \"/nowhere\"]}".formatted(lab.path("a")));
    browser.find("#import-file").sendKeys(docker.toString());
    browser.awaitText("#imported-list", lab.path("a") + " is shared now");
    browser.awaitText("#imported-list", "/nowhere is not there");
    browser.find("#imported button").click();
    row("a");

    Files.writeString(docker, "{]");
    browser.find("#import-file").sendKeys(docker.toString());
    browser.awaitText(".toast.bad", "line 1, column 2");
    Files.delete(docker);
  }

  @Test
  void showsGuestsTheirMountsAndWhatTheyDo() throws Exception {
    Files.writeString(Path.of(lab.path("a/file")), "x".repeat(1 << 20));
    Files.setPosixFilePermissions(
        Path.of(lab.path("a/file")), PosixFilePermissions.fromString("rw-r--r--"));
    try (var guest = Guest.start()) {
      var agent =
          guest
              .builder(Installation.agent("run", "--server", lab.address()))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      lab.shares("add", lab.path("a")).expectSuccess();
      browser.awaitText(".guest .mounts", lab.path("a"));
      browser.awaitText("#facts", "directories of");
      guest.shell(
          "until findmnt -M %1$s >/dev/null; do :; done; cat %1$s/file >/dev/null"
              .formatted(lab.path("a")));
      // A rate is that of the last moment: there is something to show as long as the guest asks,
      // and statfs(2) is always asked.
      browser.await(
          () -> {
            guest.shell("stat -f %s >/dev/null".formatted(lab.path("a")));
            return !browser.text(".guest .figure .value").equals("0 /s");
          });
      assertTrue(browser.has(".guest .spark polyline[points]"));
      agent.destroy();
      assertTrue(agent.waitFor(30, TimeUnit.SECONDS));
    }
    browser.awaitText("#no-guests", "No guest is connected");
  }

  @Test
  void followsTheServerThatIsStoppedAndStarted() throws IOException {
    try {
      lab.server().stop();
      browser.awaitText("#server", "No server");
      browser.awaitText(".banner", "No server runs");
      openDialog(lab.path("a"));
      browser.awaitText("#verdict", "can be shared");
      browser.find("#add-ok").click();
      row("a");

      lab.serve("--share", lab.path("b"));
      browser.awaitText(".banner", "started with --share");
      row("b");
      awaitGone("a");
      assertFalse(browser.find("#add").isEnabled());
    } finally {
      lab.server().stop();
      lab.serve();
    }
    row("a");
    browser.await(
        () -> !browser.has(".banner") && browser.text("#server").equals("Server running"));
    assertTrue(browser.find("#add").isEnabled());
  }

  @Test
  void fitsOnAPhone() throws IOException {
    listByHand(
        share("a", ", \"note\": \"" + "long ".repeat(40) + "\""),
        share("b", ", \"owner\": \"1:2\""));
    row("b");
    try {
      browser.resize(360, 740, true);
      assertEquals(360L, browser.run("return document.documentElement.scrollWidth"));
      browser.find("#add").click();
      browser.await(() -> browser.find("#add-path").isDisplayed());
      assertEquals(360L, browser.run("return document.documentElement.scrollWidth"));
      browser.find("#add-cancel").click();
    } finally {
      browser.resize(1100, 1000, false);
    }
  }
}
