package dev.hostshare.agent.cli;

import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.ShareMount;

/** A mounted share with the file system behind it. */
record ActiveMount(MountRequest request, FileSystem fs, ShareMount mount) {

  /** Waits until it is unmounted, then ends the session. */
  void serve() throws InterruptedException {
    try {
      mount.awaitUnmounted();
    } finally {
      fs.close();
    }
  }
}
