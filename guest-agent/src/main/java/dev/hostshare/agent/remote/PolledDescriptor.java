package dev.hostshare.agent.remote;

import io.netty.channel.IoEvent;
import io.netty.channel.IoEventLoop;
import io.netty.channel.IoRegistration;
import io.netty.channel.epoll.EpollIoHandle;
import io.netty.channel.epoll.EpollIoOps;
import io.netty.channel.unix.FileDescriptor;

/**
 * A file descriptor that the event loop looks at together with its sockets (epoll(7),
 * level-triggered). Thread-safe.
 */
public final class PolledDescriptor implements AutoCloseable {
  /**
   * While it is paused: only that it is in error, and that once. Netty takes a descriptor without
   * any flag out of the set for good.
   */
  private static final EpollIoOps PAUSED = EpollIoOps.EPOLLET;

  private final IoEventLoop loop;
  private final IoRegistration registration;

  /** Only touched by the event loop. */
  private boolean paused = true;

  private volatile boolean closed;

  PolledDescriptor(IoEventLoop loop, int fd, Runnable ready, Runnable ended) {
    this.loop = loop;
    this.registration = loop.register(new Handle(fd, ready)).syncUninterruptibly().getNow();
    loop.terminationFuture()
        .addListener(
            _ -> {
              if (!closed) {
                ended.run();
              }
            });
  }

  /** Does not look whether it can be read until it is resumed. To be called on the event loop. */
  public void pause() {
    paused = true;
    registration.submit(PAUSED);
  }

  /** Looks at it from now on. */
  public void resume() {
    // If the event loop is about to pause, then after that.
    loop.execute(
        () -> {
          if (registration.isValid()) {
            paused = false;
            registration.submit(EpollIoOps.EPOLLIN);
          }
        });
  }

  /** Whether it is paused. To be called on the event loop. */
  public boolean isPaused() {
    return paused;
  }

  /** Does not look at it any more. It can be closed then if this is called on the event loop. */
  @Override
  public void close() {
    closed = true;
    registration.cancel();
  }

  private record Handle(int number, Runnable ready) implements EpollIoHandle {

    @Override
    public FileDescriptor fd() {
      return new FileDescriptor(number);
    }

    @Override
    public void handle(IoRegistration registration, IoEvent event) {
      ready.run();
    }

    /** Not called whenever the event loop ends, so not used: a loop may end without a last look. */
    @Override
    public void close() {}
  }
}
