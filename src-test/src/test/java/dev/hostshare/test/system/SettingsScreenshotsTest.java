package dev.hostshare.test.system;

import java.io.IOException;
import java.net.URI;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledIfSystemProperty;
import org.openqa.selenium.OutputType;

/**
 * The pictures of the manual: {@code bin/test -pl src-test -am -Dtest=SettingsScreenshotsTest
 * -Dsurefire.failIfNoSpecifiedTests=false -Dhostshare.screenshots=FOLDER} makes them anew.
 */
@SystemTest
@EnabledIfSystemProperty(named = "hostshare.screenshots", matches = "/.*")
final class SettingsScreenshotsTest {
  private static final Path FOLDER = Path.of(System.getProperty("hostshare.screenshots", "/"));

  private Browser browser;

  private static String share(String name, String more) {
    return "{\"path\": \"/home/me/" + name + "\"" + more + "}";
  }

  @Test
  void picturesOfThePage() throws Exception {
    try (var lab = SettingsLab.atHome(List.of("shop/data", "photos", "notes", "music"));
        var guest = Guest.start()) {
      lab.write("{\"version\": 1, \"shares\": []}");
      lab.serve();
      URI site = lab.openPage();
      guest.shell("mount -t tmpfs home /home");
      var agent =
          guest
              .builder(Installation.agent("run", "--server", lab.address()))
              .redirectErrorStream(true)
              .redirectOutput(ProcessBuilder.Redirect.DISCARD)
              .start();
      try (var opened = new Browser()) {
        browser = opened;
        browser.open(site);
        browser.await(() -> browser.find("#nothing").isDisplayed());
        browser.await(() -> browser.has(".guest"));
        shoot("empty", 1100, 760, false);
        lab.write(
            "{\"version\": 1, \"shares\": ["
                + String.join(
                    ", ",
                    share("shop", ", \"note\": \"The web shop, with its database\""),
                    share("photos", ", \"access\": \"ro\", \"note\": \"Nobody writes to these\""),
                    share("shop/data", ", \"owner\": \"1000:1000\""),
                    share("music", ", \"enabled\": false"),
                    share("backups", ", \"note\": \"Backups, when the disk is here\""))
                + "]}");
        browser.awaitText(".guest .mounts", "/home/me/photos");
        var work =
            guest
                .builder(
                    List.of(
                        "bash",
                        "-c",
                        "cd %s; for i in 1 2 3 4 5 6 7 8; do dd if=/dev/urandom of=f bs=64k count=$((i * 150)) conv=fsync; ls -R / >/dev/null; cat f >/dev/null; done"
                            .formatted("/home/me/shop")))
                .redirectErrorStream(true)
                .redirectOutput(ProcessBuilder.Redirect.DISCARD)
                .start();
        browser.await(
            () -> browser.find(".guest polyline").getAttribute("points").split(" ").length > 14);
        shoot("settings-light", 1000, 1080, false);
        shoot("settings-dark", 1000, 1080, true);
        shoot("phone", 390, 1500, false);
        shoot("phone-dark", 360, 1500, true);
        browser.resize(1000, 900, false);
        browser.find("#add").click();
        browser.find("#add-path").sendKeys("/home/me/");
        browser.awaitText("#verdict", "can be shared");
        browser.press(org.openqa.selenium.Keys.ARROW_DOWN);
        shoot("add-light", 1000, 900, false);
        shoot("add-dark", 1000, 900, true);
        shoot("add-phone", 390, 800, true);
        browser.find("#add-cancel").click();
        browser.resize(1000, 900, false);
        browser.find(".share .remove").click();
        browser.await(() -> browser.has(".toast"));
        shoot("toast", 1000, 900, false);
        Files.writeString(
            lab.adminFile(),
            "{\"filesharingAllowedDirectories\": [{\"path\": \"%s\"}], \"access\": {\"locked\": true, \"value\": \"ro\"}}"
                .formatted("/home/me/shop"));
        browser.awaitText(".banner", "allows only");
        shoot("restricted", 1000, 1100, false);
        Files.writeString(
            lab.adminFile(),
            "{\"shares\": {\"locked\": true, \"value\": [{\"path\": \"%s\"}]}}"
                .formatted("/home/me/photos"));
        browser.awaitText(".banner", "locked this list");
        lab.write("{\"version\": 1,\n \"shares\": [}\n");
        browser.awaitText(".banner.bad", "line 2");
        shoot("locked", 1000, 900, true);
        browser.open(site);
        shoot("refused", 1000, 600, false);
        work.destroy();
      } finally {
        agent.destroy();
        agent.waitFor();
      }
    }
  }

  private void shoot(String name, int width, int height, boolean dark) throws IOException {
    browser.resize(width, height, dark);
    browser.run(
        "return document.fonts.ready.then(() => new Promise(d => requestAnimationFrame(() => requestAnimationFrame(d))))");
    Files.write(FOLDER.resolve(name + ".png"), browser.driver().getScreenshotAs(OutputType.BYTES));
  }
}
