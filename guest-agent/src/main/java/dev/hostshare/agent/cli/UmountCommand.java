package dev.hostshare.agent.cli;

import dev.hostshare.agent.kernel.Libc;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Parameters;

/** {@code hostshare-agent umount}. */
@Command(
    name = "umount",
    description = "Unmounts a share and waits until the process that served it is gone.")
final class UmountCommand implements Callable<Integer> {
  @Parameters(index = "0", paramLabel = "MOUNTPOINT", description = "Where it is mounted.")
  private Path mountPoint;

  @Override
  public Integer call() throws IOException {
    Path target = mountPoint.toAbsolutePath().normalize();
    Optional<MountTable.Mount> there = MountTable.at(target);
    if (there.isEmpty()) {
      throw new IOException(target + " is not a mount point: `hostshare-agent status` lists them");
    }
    if (!there.get().isOurs()) {
      throw new IOException(
          "%s is not a mount of hostshare but of type %s: use umount(8)"
              .formatted(target, there.get().type()));
    }
    Optional<ProcessHandle> owner = ControlClient.owner(target);
    if (owner.isEmpty()) {
      detachDead(target);
      return CommandLine.ExitCode.OK;
    }
    String answer = ControlClient.ask(owner.get(), "umount " + target).orElse("done");
    if (answer.startsWith("error ")) {
      throw new IOException(answer.substring("error ".length()));
    }
    if (ControlClient.ask(owner.get(), "status json").orElse("").isEmpty()) {
      // That was its only mount: it ends.
      owner.get().onExit().join();
    }
    return CommandLine.ExitCode.OK;
  }

  /** The process that served it was killed: there is nobody to ask. */
  private static void detachDead(Path target) throws IOException {
    int result = Libc.umount2(target.toString(), Libc.MNT_DETACH);
    if (result < 0) {
      throw new IOException("cannot unmount %s: %s".formatted(target, Errno.name(-result)));
    }
  }
}
