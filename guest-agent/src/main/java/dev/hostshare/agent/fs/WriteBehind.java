package dev.hostshare.agent.fs;

import com.google.protobuf.ByteString;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Write;
import dev.hostshare.proto.v1.WritePiece;
import java.util.ArrayList;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Answers writes when they are on their way to the server, as far as {@link PendingWrites} lets it,
 * and sees to it that they get there. Thread-safe.
 */
final class WriteBehind {
  private static final Logger log = LoggerFactory.getLogger(WriteBehind.class);

  private final Core core;

  WriteBehind(Core core) {
    this.core = core;
  }

  /** Answers a write and sends it; false if that is not to be done, and nothing was. */
  boolean write(OpenFile file, long offset, ByteString data, Reply<Long> reply) {
    // Who is answered goes on writing: only while the server keeps up.
    if (!file.writesBehind() || data.isEmpty() || !core.session.hasRoom()) {
      return false;
    }
    int errno = file.takeError();
    if (errno != 0) {
      reply.error(errno);
      return true;
    }
    // Not once it is begun: others may hold what they have until it is done.
    core.session.hold(data.size());
    PendingWrites pending = file.inode.takesWrites();
    var write = new PendingWrites.Write(file, offset, data);
    if (!pending.begin(write)) {
      core.session.giveBack(data.size());
      return false;
    }
    file.inode.changeContent();
    if (write.isSmall()) {
      // What follows, an fsync say, would be in its way.
      send(pending);
      reply.success((long) data.size());
    } else {
      // The program makes the next one while this one is copied.
      reply.success((long) data.size());
      send(pending);
    }
    return true;
  }

  private void send(PendingWrites pending) {
    for (var batch = pending.next(); !batch.isEmpty(); batch = pending.next()) {
      send(pending, batch, batch);
    }
  }

  /**
   * Sends writes.
   *
   * @param batch those that are done when these are
   */
  private void send(
      PendingWrites pending, List<PendingWrites.Write> batch, List<PendingWrites.Write> writes) {
    OpenFile file = writes.getFirst().file;
    core.startWrite(
        file,
        call -> batch.forEach(write -> write.delivery.sentWith(call)),
        new Reply<>() {
          @Override
          protected void sendSuccess(Long count) {
            List<PendingWrites.Write> rest = after(writes, count);
            if (rest.isEmpty()) {
              done();
            } else if (count == 0) {
              sendError(Errno.EIO);
            } else {
              batch.forEach(write -> write.delivery.goesAgain());
              send(pending, batch, rest); // to hear why
            }
          }

          @Override
          protected void sendError(int errno) {
            log.warn(
                "{}: a write at {} failed after it was answered: {}",
                core.share,
                writes.getFirst().offset,
                Errno.name(errno));
            pending.failed(errno);
            // What the kernel has of it is not so.
            file.inode.untell();
            core.notifier.later(() -> core.notifier.cache().invalidateData(file.inode.id));
            done();
          }

          private void done() {
            pending.done(batch);
            send(pending);
            core.session.giveBack(batch.stream().mapToLong(write -> write.data.size()).sum());
          }
        },
        new Core.Request() {
          @Override
          public ClientFrame.Builder frame() {
            return ClientFrame.newBuilder().setWrite(pack(writes));
          }

          @Override
          public void lost() {
            batch.forEach(write -> write.delivery.goesAgain());
          }
        },
        (frame, asked) -> {
          file.inode.changeContent();
          return frame.getWritten().getCount();
        });
  }

  /** Makes one request of writes to one file; what follows on one another becomes one piece. */
  private static Write.Builder pack(List<PendingWrites.Write> writes) {
    var pieces = new ArrayList<PendingWrites.Write>();
    for (var write : writes) {
      if (!pieces.isEmpty() && pieces.getLast().end() == write.offset) {
        var before = pieces.removeLast();
        write = new PendingWrites.Write(write.file, before.offset, before.data.concat(write.data));
      }
      pieces.add(write);
    }
    var first = pieces.removeFirst();
    var packed =
        Write.newBuilder()
            .setHandle(first.file.handle())
            .setOffset(first.offset)
            .setData(first.data);
    for (var piece : pieces) {
      packed.addMore(WritePiece.newBuilder().setOffset(piece.offset).setData(piece.data));
    }
    return packed;
  }

  /** What is left of writes of which the first {@code count} bytes were written. */
  private static List<PendingWrites.Write> after(List<PendingWrites.Write> writes, long count) {
    var rest = new ArrayList<PendingWrites.Write>();
    long done = count;
    for (var write : writes) {
      int size = write.data.size();
      if (done < size) {
        rest.add(
            new PendingWrites.Write(
                write.file, write.offset + done, write.data.substring(Math.toIntExact(done))));
      }
      done = Math.max(0, done - size);
    }
    return rest;
  }
}
