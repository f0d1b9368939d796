package dev.hostshare.fileserver.web;

import dev.hostshare.fileserver.web.SettingsSource.View;
import io.javalin.http.Context;
import jakarta.servlet.ServletOutputStream;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/** The list as a stream of server-sent events: now, and again whenever it changes. */
final class Events {
  /** Tabs; each has a virtual thread and a connection. */
  private static final int MAX_STREAMS = 32;

  /** Shows that a tab is gone, and comes before the connection's idle timeout (30 s). */
  private static final int HEARTBEAT_SECONDS = 10;

  private final SettingsSource source;
  private final Semaphore streams = new Semaphore(MAX_STREAMS);

  Events(SettingsSource source) {
    this.source = source;
  }

  /** Ends when the tab is gone, or the server is. */
  void stream(Context request) throws Exception {
    if (!streams.tryAcquire()) {
      throw new Refusal(429, "the page is open " + MAX_STREAMS + " times: close some");
    }
    // One that does not read is not waited for: it is the last list that counts.
    BlockingQueue<View> latest = new ArrayBlockingQueue<>(1);
    try (AutoCloseable _ = source.follow(view -> replace(latest, view))) {
      request.contentType("text/event-stream");
      ServletOutputStream out = request.res().getOutputStream();
      while (true) {
        View view = latest.poll(HEARTBEAT_SECONDS, TimeUnit.SECONDS);
        out.write((view == null ? ":\n\n" : event(view)).getBytes(StandardCharsets.UTF_8));
        out.flush();
      }
    } catch (IOException e) {
      // The tab is gone: that is how a stream ends.
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt(); // the page is
    } finally {
      streams.release();
    }
  }

  private static synchronized void replace(BlockingQueue<View> latest, View view) {
    latest.clear();
    latest.add(view);
  }

  /** One line: JSON has its line ends escaped. */
  private static String event(View view) {
    return "data: {\"running\":%s,\"settings\":%s}\n\n"
        .formatted(view.running(), Api.json(view.settings()));
  }
}
