package dev.hostshare.agent.jnr;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.ErrnoException;
import dev.hostshare.agent.fs.FileSystem;
import dev.hostshare.agent.fs.NodeEntry;
import dev.hostshare.agent.fs.Reply;
import dev.hostshare.agent.fs.RequestContext;
import dev.hostshare.agent.fs.RequestContext.Identity;
import dev.hostshare.proto.Errno;
import java.util.concurrent.atomic.AtomicInteger;
import jnr.ffi.Pointer;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;
import ru.serce.jnrfuse.FuseStubFS;
import ru.serce.jnrfuse.struct.FuseContext;

/**
 * What every callback of libfuse passes through, and the steps that most of them are made of.
 * Called on libfuse's threads, several at once.
 *
 * <p>jnr-ffi takes an exception in a callback for the result 0, success: so the boundary catches
 * everything.
 */
abstract class CallbackBoundary extends FuseStubFS {
  private static final Logger log = LoggerFactory.getLogger(CallbackBoundary.class);

  final FileSystem fs;
  private final AtomicInteger pending = new AtomicInteger();

  CallbackBoundary(FileSystem fs) {
    this.fs = fs;
  }

  int pendingRequests() {
    return pending.get();
  }

  interface Body {
    int run(Identity caller) throws ErrnoException, InterruptedException;
  }

  /** The boundary: whatever happens, libfuse gets a result or a negative errno. */
  final int answer(String operation, Body body) {
    pending.incrementAndGet();
    try {
      FuseContext context = getContext();
      return body.run(
          new Identity((int) context.uid.get(), (int) context.gid.get(), (int) context.pid.get()));
    } catch (ErrnoException e) {
      return -e.errno();
    } catch (InterruptedException e) {
      return -Errno.EINTR;
    } catch (Throwable t) {
      log.error("{} failed", operation, t);
      return -Errno.EIO;
    } finally {
      pending.decrementAndGet();
    }
  }

  interface Operation<T> {
    void start(RequestContext context, Reply<T> reply) throws ErrnoException;
  }

  static <T> T await(Identity caller, Operation<T> operation)
      throws ErrnoException, InterruptedException {
    var reply = new BlockingReply<T>(caller);
    operation.start(reply, reply);
    return reply.await();
  }

  interface AtPath<T> {
    void start(RequestContext context, long id, Reply<T> reply) throws ErrnoException;
  }

  /** Does {@code operation} on the inode at {@code path}. */
  final <T> T at(Identity caller, String path, AtPath<T> operation)
      throws ErrnoException, InterruptedException {
    try (PathWalk walk = PathWalk.to(fs, caller, path)) {
      return await(caller, (context, reply) -> operation.start(context, walk.id(), reply));
    }
  }

  /** Does {@code operation} in the directory of {@code path}. */
  final <T> T in(Identity caller, String path, AtPath<T> operation)
      throws ErrnoException, InterruptedException {
    try (PathWalk walk = PathWalk.toParent(fs, caller, path)) {
      return await(caller, (context, reply) -> operation.start(context, walk.id(), reply));
    }
  }

  /** Makes something at {@code path}, which the kernel looks up afterwards. */
  final int make(Identity caller, String path, AtPath<NodeEntry> operation)
      throws ErrnoException, InterruptedException {
    PathWalk.forget(fs, in(caller, path, operation).id());
    return 0;
  }

  /** Tells the size if there is no room at all, else the value or ERANGE. */
  static int sized(ByteString value, Pointer buffer, long size) throws ErrnoException {
    if (size != 0) {
      if (value.size() > size) {
        throw new ErrnoException(Errno.ERANGE);
      }
      buffer.put(0, value.toByteArray(), 0, value.size());
    }
    return value.size();
  }

  /**
   * Whether who truncates a file takes setuid and setgid from it. libfuse 2 does not pass the
   * kernel's word on it; CAP_FSETID is taken to be root's.
   */
  static boolean killsSuidgid(Identity caller) {
    return caller.uid() != 0;
  }

  final int umask() {
    return (int) getContext().umask.get();
  }
}
