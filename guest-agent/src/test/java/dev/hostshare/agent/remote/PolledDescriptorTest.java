package dev.hostshare.agent.remote;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.netty.channel.EventLoopGroup;
import io.netty.channel.IoEventLoop;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.FileDescriptor;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Of a pipe. */
final class PolledDescriptorTest {
  private final EventLoopGroup group =
      new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
  private final IoEventLoop loop = (IoEventLoop) group.next();
  private final Semaphore calls = new Semaphore(0);
  private final CountDownLatch ended = new CountDownLatch(1);
  private FileDescriptor in;
  private FileDescriptor out;
  private PolledDescriptor polled;

  @BeforeEach
  void open() throws IOException {
    FileDescriptor[] pipe = FileDescriptor.pipe();
    in = pipe[0];
    out = pipe[1];
    polled = new PolledDescriptor(loop, in.intValue(), this::read, ended::countDown);
  }

  /** Takes a byte, if it may, and pauses if that is a 'p'; at the end of file stops for good. */
  private void read() {
    calls.release();
    if (polled.isPaused()) {
      return;
    }
    var one = ByteBuffer.allocateDirect(1);
    try {
      if (in.read(one, 0, 1) <= 0) {
        polled.close();
      } else if (one.get(0) == 'p') {
        polled.pause();
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(char c) throws IOException {
    var one = ByteBuffer.allocateDirect(1).put(0, (byte) c);
    assertEquals(1, out.write(one, 0, 1));
  }

  private void awaitCall() throws InterruptedException {
    assertTrue(calls.tryAcquire(5, TimeUnit.SECONDS));
  }

  /** The event loop has looked at its descriptors since. */
  private void awaitLook() {
    for (int i = 0; i < 2; i++) {
      loop.submit(() -> {}).syncUninterruptibly();
    }
  }

  @AfterEach
  void close() throws IOException {
    if (out.isOpen()) {
      out.close();
    }
    in.close();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
  }

  @Test
  void isLookedAtFromTheFirstResume() throws Exception {
    write('a');
    awaitLook();
    assertEquals(0, calls.availablePermits());
    polled.resume();
    awaitCall();
  }

  @Test
  void isLeftAloneWhilePausedAndNotAfter() throws Exception {
    polled.resume();
    for (int round = 0; round < 3; round++) {
      write('p');
      awaitCall();
      write('a');
      awaitLook();
      int whilePaused = calls.drainPermits();
      assertTrue(whilePaused <= 1, "called " + whilePaused + " times");
      polled.resume();
      awaitCall();
    }
  }

  @Test
  void aPauseDoesNotHideTheEnd() throws Exception {
    polled.resume();
    write('p');
    awaitCall();
    awaitLook();
    calls.drainPermits();
    out.close();
    awaitCall();
  }

  @Test
  void theEndOfTheEventLoopIsTold() throws Exception {
    polled.resume();
    var _ = group.shutdownGracefully(0, 1, TimeUnit.SECONDS);
    assertTrue(ended.await(5, TimeUnit.SECONDS));
  }

  @Test
  void afterItIsClosedNothingIsTold() {
    loop.submit(() -> polled.close()).syncUninterruptibly();
    group.shutdownGracefully(0, 1, TimeUnit.SECONDS).syncUninterruptibly();
    assertEquals(1, ended.getCount());
  }
}
