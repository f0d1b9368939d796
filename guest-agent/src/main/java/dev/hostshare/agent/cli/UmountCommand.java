package dev.hostshare.agent.cli;

import dev.hostshare.agent.kernel.Libc;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** {@code hostshare-agent umount}. */
@Command(
    name = "umount",
    description = "Unmounts a share and waits until the process that served it is gone.")
final class UmountCommand implements Callable<Integer> {
  @Spec private CommandSpec spec;

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
    // Without an answer it has ended, or failed: the table tells which.
    String answer = ControlClient.ask(owner.get(), "umount " + target).orElse("");
    if (answer.startsWith("error ")) {
      throw new IOException(answer.substring("error ".length()));
    }
    if (MountTable.at(target).filter(MountTable.Mount::isOurs).isPresent()) {
      throw new IOException(
          "process %d did not unmount %s: its log says why; `umount -l %s` does without it"
              .formatted(owner.get().pid(), target, target));
    }
    if (answer.equals("shared")) {
      spec.commandLine()
          .getErr()
          .printf(
              "hostshare-agent: unmounted here; a container or another mount namespace still has %s, so process %d goes on serving it%n",
              target, owner.get().pid());
    } else if (ControlClient.ask(owner.get(), "status json").orElse("").isEmpty()) {
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
