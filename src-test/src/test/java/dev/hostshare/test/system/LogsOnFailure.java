package dev.hostshare.test.system;

import org.junit.jupiter.api.extension.AfterTestExecutionCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/** Prints what the servers and agents of the open labs have logged when a test fails. */
final class LogsOnFailure implements AfterTestExecutionCallback {
  @Override
  public void afterTestExecution(ExtensionContext context) {
    context
        .getExecutionException()
        .ifPresent(
            e -> {
              System.err.println("==== " + context.getDisplayName() + " failed: " + e);
              Lab.printLogs();
            });
  }
}
