package dev.hostshare.fileserver.cli;

import com.google.protobuf.util.JsonFormat;
import dev.hostshare.proto.v1.SessionStatus;
import dev.hostshare.proto.v1.StatusReply;
import dev.hostshare.proto.v1.StatusRequest;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParentCommand;

/** {@code hostshare status}. */
@Command(
    name = "status",
    mixinStandardHelpOptions = true,
    description = "Shows the running server: addresses, shares, guests.")
final class StatusCommand implements Callable<Integer> {
  @ParentCommand private HostShareCommand parent;

  @Option(names = "--json", description = "As one JSON object.")
  private boolean json;

  @Override
  public Integer call() throws IOException {
    StatusReply status;
    try (AdminClient client = AdminClient.connectToRunning(parent.state())) {
      status = client.stub().status(StatusRequest.getDefaultInstance());
    } catch (StatusRuntimeException e) {
      throw AdminClient.failure(e);
    }
    if (json) {
      System.out.println(JsonFormat.printer().alwaysPrintFieldsWithNoPresence().print(status));
      return CommandLine.ExitCode.OK;
    }
    System.out.printf(
        "hostshare %s, process %d, up %s%n",
        status.getVersion(),
        status.getPid(),
        Duration.ofSeconds(status.getUptimeMillis() / 1000)
            .toString()
            .substring(2)
            .toLowerCase(java.util.Locale.ROOT));
    status.getListenList().forEach(a -> System.out.println("listens  " + a));
    status.getSharesList().forEach(s -> System.out.println("shares   " + s));
    System.out.printf(
        "overlay  %d records, %d KiB%n",
        status.getOverlayRecords(), status.getOverlayBytes() >> 10);
    System.out.printf(
        "watches  %s%n",
        status.getWatchesWork()
            ? "%d directories of %d at the most"
                .formatted(status.getWatchedDirectories(), status.getMaxWatches())
            : "none: changes on the host are seen by guests within a second");
    System.out.printf("cache    %d descriptors of directories%n", status.getCachedDescriptors());
    for (SessionStatus s : status.getSessionsList()) {
      System.out.printf(
          "guest    %s (%s): %s; %d nodes, %d handles, %d requests, %d in flight; per second %.0f"
              + " requests, %.0f KiB read, %.0f KiB written%n",
          s.getClient(),
          s.getPeer().isEmpty() ? "not connected" : s.getPeer(),
          s.getMountsCount() == 0 ? "no mounts" : String.join(" ", s.getMountsList()),
          s.getNodes(),
          s.getHandles(),
          s.getRequests(),
          s.getInFlight(),
          s.getRequestsPerSecond(),
          s.getReadBytesPerSecond() / 1024,
          s.getWrittenBytesPerSecond() / 1024);
    }
    return CommandLine.ExitCode.OK;
  }
}
