package dev.hostshare.perf.report;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.File;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.logging.Level;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.openqa.selenium.By;
import org.openqa.selenium.Dimension;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;

/** In a real browser. */
class HtmlFileTest {
  private static final File DRIVER = new File("/usr/bin/chromedriver");
  private static final File BROWSER = new File("/usr/bin/chromium");

  @TempDir static Path folder;
  private static ChromeDriver browser;

  @BeforeAll
  static void start() throws IOException {
    assumeTrue(DRIVER.canExecute() && BROWSER.canExecute(), "chromium is not installed");
    var report =
        new Reports("native", "shared", "far")
            .add("create", "native", 20, 22, 21)
            .add("create", "shared", 200, 230, 210)
            .add("create", "far", 700, 730, 710)
            .add("seq-write", "native", 400, 410, 420)
            .fail("seq-write", "shared", "<b>No space</b> left")
            .skip("seq-write", "far", "not there")
            .report();
    HtmlFile.write(report, folder.resolve("report.html"));
    var logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    var options = new ChromeOptions();
    options.setBinary(BROWSER);
    options.addArguments("--headless=new", "--no-sandbox", "--disable-gpu");
    options.setCapability("goog:loggingPrefs", logs);
    // With its path given, Selenium looks for no driver by itself.
    var service = new ChromeDriverService.Builder().usingDriverExecutable(DRIVER).build();
    browser = new ChromeDriver(service, options);
    browser.get(folder.resolve("report.html").toUri().toString());
  }

  @AfterAll
  static void end() {
    if (browser != null) {
      browser.quit();
    }
  }

  private static int count(String selector) {
    return browser.findElements(By.cssSelector(selector)).size();
  }

  @Test
  void chartsAreDrawn() {
    assertEquals(2, count("article.workload"));
    // Three targets and one that has figures.
    assertEquals(4, count("rect.bar"));
    assertEquals(4, count("path.whisker"));
    assertEquals(4, count("path.curve"));
    assertEquals(2, count("circle.ratio"));
    var bars = browser.findElements(By.cssSelector("#create rect.bar"));
    double shortest = Double.parseDouble(bars.get(0).getDomAttribute("width"));
    double longest = Double.parseDouble(bars.get(2).getDomAttribute("width"));
    assertEquals(710.0 / 21, longest / shortest, 0.5);
  }

  @Test
  void failuresAreToldAsText() {
    var remarks = browser.findElements(By.cssSelector(".remark"));
    assertEquals("shared failed in round 2: <b>No space</b> left", remarks.get(0).getText());
    assertEquals("far was left out: not there", remarks.get(1).getText());
    assertTrue(
        browser.findElement(By.cssSelector(".facts")).getText().contains("Linux </script> 1"));
  }

  @Test
  void theConsoleIsSilent() {
    assertEquals(List.of(), browser.manage().logs().get(LogType.BROWSER).getAll());
  }

  @Test
  void nothingIsLoadedFromElsewhere() throws IOException {
    var asked =
        browser.manage().logs().get(LogType.PERFORMANCE).getAll().stream()
            .map(entry -> entry.getMessage())
            .filter(message -> message.contains("Network.requestWillBeSent\""))
            .toList();
    assertFalse(asked.isEmpty());
    for (var request : asked) {
      assertTrue(
          request.contains("\"url\":\"file:///") || request.contains("\"url\":\"data:"), request);
    }
    assertFalse(
        Files.readString(folder.resolve("report.html"))
            .replace("http://www.w3.org/2000/svg", "")
            .contains("://"));
  }

  @Test
  void itIsDarkWhereThatIsPreferred() {
    var light = background();
    prefer("dark");
    try {
      assertNotEquals(light, background());
    } finally {
      prefer("light");
    }
  }

  private static void prefer(String scheme) {
    browser.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of("features", List.of(Map.of("name", "prefers-color-scheme", "value", scheme))));
  }

  private static String background() {
    return browser.findElement(By.tagName("body")).getCssValue("background-color");
  }

  @Test
  void itFitsANarrowWindow() {
    var size = browser.manage().window().getSize();
    browser.manage().window().setSize(new Dimension(500, 900));
    try {
      // The table alone may be wider, and scrolls by itself.
      var overflow =
          browser.executeScript(
              "return document.documentElement.scrollWidth - document.documentElement.clientWidth");
      assertEquals(0L, overflow);
    } finally {
      browser.manage().window().setSize(size);
    }
  }
}
