package dev.hostshare.agent.testing;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.KernelCache;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.TimeUnit;

/** Keeps what the kernel would be told. Thread-safe. */
public final class KernelCacheRecorder implements KernelCache {
  /** The inodes of each notification. */
  public final BlockingQueue<long[]> pruned = new LinkedBlockingQueue<>();

  /** One line for each other notification. */
  public final BlockingQueue<String> told = new LinkedBlockingQueue<>();

  private volatile boolean prunes = true;
  private volatile boolean drops = true;

  /** Does not know FUSE_NOTIFY_PRUNE. */
  public void refusePrune() {
    prunes = false;
  }

  /** Cannot drop what it does not use, either. */
  public void refuseToDrop() {
    prunes = false;
    drops = false;
  }

  /** The next line; null if none comes. */
  public String next() throws InterruptedException {
    return told.poll(10, TimeUnit.SECONDS);
  }

  @Override
  public void invalidateAttributes(long id) {
    told.add("attributes " + id);
  }

  @Override
  public boolean invalidateData(long id) {
    return told.add("data " + id);
  }

  @Override
  public void invalidateEntry(long parent, ByteString name) {
    told.add("entry " + parent + " " + name.toStringUtf8());
  }

  @Override
  public boolean prune(long[] ids) {
    pruned.add(ids);
    return prunes;
  }

  @Override
  public boolean dropUnused() {
    told.add("unused");
    return drops;
  }

  @Override
  public boolean takesContent() {
    return true;
  }

  @Override
  public void storeContent(long id, ByteString content) {
    told.add("content " + id + " " + content.toStringUtf8());
  }
}
