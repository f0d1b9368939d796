package dev.hostshare.fileserver.web;

import dev.hostshare.proto.v1.Settings;
import dev.hostshare.proto.v1.SettingsServiceGrpc.SettingsServiceBlockingStub;
import dev.hostshare.proto.v1.StatusReply;
import java.io.IOException;
import java.util.function.Consumer;
import java.util.function.Function;

/**
 * The file-sharing list, wherever it is: with the running server, or in its file. Thread-safe. A
 * refusal is a {@link io.grpc.StatusRuntimeException} as {@code settings_service.proto} tells; an
 * {@link IOException} says in words for the user why nothing could be asked.
 */
public interface SettingsSource {
  /**
   * The list at one moment.
   *
   * @param running whether a server has it in force
   */
  record View(Settings settings, boolean running) {}

  /** Runs a call that changes nothing. */
  <T> T read(Function<SettingsServiceBlockingStub, T> call) throws IOException;

  /** Runs a call that may change the list. */
  <T> T change(Function<SettingsServiceBlockingStub, T> call) throws IOException;

  /** The running server's status; null if none runs. */
  StatusReply status() throws IOException;

  /**
   * Passes on the list now, and each time it changes, until the result is closed. {@code watcher}
   * must not block.
   */
  AutoCloseable follow(Consumer<View> watcher);
}
