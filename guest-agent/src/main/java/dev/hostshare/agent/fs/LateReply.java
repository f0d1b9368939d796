package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.Ignore;
import dev.hostshare.proto.Linux;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import dev.hostshare.proto.v1.Entry;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.Release;
import dev.hostshare.proto.v1.ServerFrame;

/**
 * Gives back what came with a reply whose caller had been told EIO already: handles and lookup
 * counts, and with a handle the locks on it.
 */
final class LateReply {
  private LateReply() {}

  static void undo(Core core, long generation, ClientFrame.OpCase op, ServerFrame frame) {
    switch (frame.getReplyCase()) {
      case WALKED -> {
        for (Entry entry : frame.getWalked().getEntriesList()) {
          core.giveBack(entry, generation);
        }
      }
      case ENTRY -> core.giveBack(frame.getEntry(), generation);
      case OPENED -> {
        Opened opened = frame.getOpened();
        if (opened.hasEntry()) {
          core.giveBack(opened.getEntry(), generation);
        }
        giveBack(core, generation, opened.getEntries());
        if (opened.getHandle() != 0) {
          release(core, generation, opened.getHandle());
        }
      }
      case ENTRIES -> giveBack(core, generation, frame.getEntries());
      case OPENED_AHEAD ->
          frame
              .getOpenedAhead()
              .getDirectoriesList()
              .forEach(opened -> giveBack(core, generation, opened.getEntries()));
      default -> {
        if (op == ClientFrame.OpCase.SETLK && frame.getErrno() == 0) {
          LockOperations.log.warn(
              "a lock of type other than {} was granted after its caller was told EIO; it is held until the file is closed",
              Linux.F_UNLCK);
        }
      }
    }
  }

  private static void giveBack(Core core, long generation, Entries entries) {
    for (DirEntry entry : entries.getEntriesList()) {
      if (entry.hasEntry()) {
        core.giveBack(entry.getEntry(), generation);
      }
    }
  }

  /** Closes a handle that nobody was told. */
  static void release(Core core, long generation, long handle) {
    var _ =
        core.session.call(
            generation,
            ClientFrame.newBuilder().setRelease(Release.newBuilder().setHandle(handle)),
            Ignore.REPLY);
  }
}
