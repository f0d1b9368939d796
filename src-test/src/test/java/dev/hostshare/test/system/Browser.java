package dev.hostshare.test.system;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.File;
import java.net.URI;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.function.Supplier;
import java.util.logging.Level;
import java.util.regex.Pattern;
import org.openqa.selenium.By;
import org.openqa.selenium.JavascriptExecutor;
import org.openqa.selenium.Keys;
import org.openqa.selenium.WebElement;
import org.openqa.selenium.chrome.ChromeDriver;
import org.openqa.selenium.chrome.ChromeDriverService;
import org.openqa.selenium.chrome.ChromeOptions;
import org.openqa.selenium.interactions.Actions;
import org.openqa.selenium.logging.LogType;
import org.openqa.selenium.logging.LoggingPreferences;
import org.openqa.selenium.support.ui.WebDriverWait;

/** Debian's Chromium without a screen, which keeps account of what pages ask and complain of. */
final class Browser implements AutoCloseable {
  private static final Duration LIMIT = Duration.ofSeconds(20);

  private static final Pattern URL =
      Pattern.compile(
          "\"method\":\"Network\\.requestWillBeSent\".*?\"request\":\\{.*?\"url\":\"([^\"]*)\"");

  /** A refusal is our answer to what a test did wrong, and Chromium's complaint. */
  private static final Pattern REFUSAL =
      Pattern.compile(".*/api/.* the server responded with a status of 4.*");

  private final ChromeDriver driver;

  Browser() {
    var logs = new LoggingPreferences();
    logs.enable(LogType.BROWSER, Level.ALL);
    logs.enable(LogType.PERFORMANCE, Level.ALL);
    var options = new ChromeOptions();
    options.setBinary("/usr/bin/chromium");
    options.addArguments(
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--hide-scrollbars",
        "--window-size=1100,1000");
    options.setCapability("goog:loggingPrefs", logs);
    var service =
        new ChromeDriverService.Builder()
            .usingDriverExecutable(new File("/usr/bin/chromedriver"))
            .withSilent(true)
            .build();
    driver = new ChromeDriver(service, options);
  }

  void open(URI link) {
    driver.get(link.toString());
  }

  ChromeDriver driver() {
    return driver;
  }

  /** Waits until the page is so; what it shows is the failure's message. */
  <T> T await(Supplier<T> condition) {
    return new WebDriverWait(driver, LIMIT, Duration.ofMillis(20))
        .ignoring(org.openqa.selenium.WebDriverException.class)
        .withMessage(() -> "not so: " + driver.findElement(By.tagName("body")).getText())
        .until(_ -> condition.get());
  }

  void awaitText(String css, String text) {
    await(() -> text(css).contains(text));
  }

  WebElement find(String css) {
    return driver.findElement(By.cssSelector(css));
  }

  String text(String css) {
    return find(css).getText();
  }

  boolean has(String css) {
    return !driver.findElements(By.cssSelector(css)).isEmpty();
  }

  WebElement focused() {
    return driver.switchTo().activeElement();
  }

  void press(CharSequence... keys) {
    for (var key : keys) {
      new Actions(driver).sendKeys(key).perform();
    }
  }

  void tabBack() {
    new Actions(driver).keyDown(Keys.SHIFT).sendKeys(Keys.TAB).keyUp(Keys.SHIFT).perform();
  }

  /** Tab, until this element has the focus. */
  void tabTo(String css) {
    for (int i = 0; i < 60; i++) {
      if (focused().equals(find(css))) {
        return;
      }
      press(Keys.TAB);
    }
    throw new AssertionError("no Tab leads to " + css);
  }

  Object run(String script, Object... arguments) {
    return ((JavascriptExecutor) driver).executeScript(script, arguments);
  }

  void resize(int width, int height, boolean dark) {
    driver.executeCdpCommand(
        "Emulation.setDeviceMetricsOverride",
        Map.of("width", width, "height", height, "deviceScaleFactor", 1, "mobile", false));
    driver.executeCdpCommand(
        "Emulation.setEmulatedMedia",
        Map.of(
            "features",
            List.of(Map.of("name", "prefers-color-scheme", "value", dark ? "dark" : "light"))));
  }

  /** No error in the console since the last look, no violation of the policy among them. */
  void assertNoComplaints() {
    var complaints =
        driver.manage().logs().get(LogType.BROWSER).getAll().stream()
            .filter(e -> e.getLevel().intValue() >= Level.WARNING.intValue())
            .map(e -> e.getMessage())
            .filter(message -> !REFUSAL.matcher(message).matches())
            .toList();
    assertEquals(List.of(), complaints);
  }

  /** All that was asked since the last look; answers how much it was. */
  int assertAskedNobodyBut(URI site) {
    var start = "http://" + site.getAuthority() + "/";
    var asked =
        driver.manage().logs().get(LogType.PERFORMANCE).getAll().stream()
            .map(e -> URL.matcher(e.getMessage()))
            .filter(m -> m.find())
            .map(m -> m.group(1))
            .toList();
    assertEquals(List.of(), asked.stream().filter(url -> !url.startsWith(start)).toList());
    return asked.size();
  }

  @Override
  public void close() {
    driver.quit();
  }
}
