package dev.hostshare.agent.kernel;

import com.google.protobuf.ByteString;
import dev.hostshare.agent.fs.KernelCache;
import dev.hostshare.proto.Errno;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Tells the kernel to drop what it has cached, FUSE_NOTIFY_INVAL_INODE, _ENTRY and _PRUNE, and
 * gives it what it will ask for, FUSE_NOTIFY_STORE. Thread-safe.
 */
final class FuseNotifications implements KernelCache {
  private static final Logger log = LoggerFactory.getLogger(FuseNotifications.class);

  /** proc_sys_vm(5). */
  private static final Path DROP_CACHES = Path.of("/proc/sys/vm/drop_caches");

  /** Dentries and inodes. */
  private static final byte[] DROP_UNUSED = {'2', '\n'};

  private final FuseDevice device;
  private final int entryFlags;

  FuseNotifications(FuseDevice device, FuseInit init) {
    this.device = device;
    // A directory that is dropped takes what is mounted below it along; one that is only asked
    // about again, and is still there, does not.
    entryFlags = init.has(FuseAbi.InitFlags.HAS_EXPIRE_ONLY) ? FuseAbi.EXPIRE_ONLY : 0;
  }

  @Override
  public void invalidateAttributes(long id) {
    // A negative offset leaves the pages alone, for which the kernel would have to wait.
    invalidateInode(id, -1);
  }

  @Override
  public boolean invalidateData(long id) {
    return invalidateInode(id, 0);
  }

  private boolean invalidateInode(long id, long offset) {
    try (Arena arena = Arena.ofConfined()) {
      int size = FuseAbi.OutHeader.SIZE + FuseAbi.NotifyInvalInodeOut.SIZE;
      MemorySegment buffer = arena.allocate(size);
      int at = FuseAbi.OutHeader.SIZE;
      FuseEncoder.u64(buffer, at + FuseAbi.NotifyInvalInodeOut.INO, HiddenRoot.toKernel(id));
      FuseEncoder.u64(buffer, at + FuseAbi.NotifyInvalInodeOut.OFF, offset);
      FuseEncoder.u64(buffer, at + FuseAbi.NotifyInvalInodeOut.LEN, 0);
      return send(FuseAbi.NOTIFY_INVAL_INODE, buffer, size);
    }
  }

  @Override
  public void invalidateEntry(long parent, ByteString name) {
    try (Arena arena = Arena.ofConfined()) {
      int at = FuseAbi.OutHeader.SIZE;
      int size = at + FuseAbi.NotifyInvalEntryOut.NAME + name.size() + 1;
      MemorySegment buffer = arena.allocate(size);
      FuseEncoder.u64(buffer, at + FuseAbi.NotifyInvalEntryOut.PARENT, HiddenRoot.toKernel(parent));
      FuseEncoder.u32(buffer, at + FuseAbi.NotifyInvalEntryOut.NAMELEN, name.size());
      FuseEncoder.u32(buffer, at + FuseAbi.NotifyInvalEntryOut.FLAGS, entryFlags);
      name.copyTo(
          buffer.asSlice(at + FuseAbi.NotifyInvalEntryOut.NAME, name.size()).asByteBuffer());
      send(FuseAbi.NOTIFY_INVAL_ENTRY, buffer, size);
    }
  }

  @Override
  public boolean prune(long[] ids) {
    try (Arena arena = Arena.ofConfined()) {
      int at = FuseAbi.OutHeader.SIZE;
      int size = at + FuseAbi.NotifyPruneOut.SIZE + ids.length * Long.BYTES;
      MemorySegment buffer = arena.allocate(size);
      FuseEncoder.u32(buffer, at + FuseAbi.NotifyPruneOut.COUNT, ids.length);
      for (int i = 0; i < ids.length; i++) {
        FuseEncoder.u64(
            buffer, at + FuseAbi.NotifyPruneOut.SIZE + i * Long.BYTES, HiddenRoot.toKernel(ids[i]));
      }
      // There is no flag that says whether the kernel knows it.
      long n = device.notify(FuseAbi.NOTIFY_PRUNE, buffer, size);
      return n != -Errno.EINVAL;
    }
  }

  @Override
  public boolean dropUnused() {
    try {
      Files.write(DROP_CACHES, DROP_UNUSED);
      return true;
    } catch (IOException e) {
      log.debug("{}: {}", DROP_CACHES, e.getMessage());
      return false;
    }
  }

  @Override
  public boolean takesContent() {
    return true;
  }

  @Override
  public void storeContent(long id, ByteString content) {
    try (Arena arena = Arena.ofConfined()) {
      int at = FuseAbi.OutHeader.SIZE;
      int size = at + FuseAbi.NotifyStoreOut.SIZE + content.size();
      MemorySegment buffer = arena.allocate(size);
      FuseEncoder.u64(buffer, at + FuseAbi.NotifyStoreOut.NODEID, HiddenRoot.toKernel(id));
      FuseEncoder.u64(buffer, at + FuseAbi.NotifyStoreOut.OFFSET, 0);
      FuseEncoder.u32(buffer, at + FuseAbi.NotifyStoreOut.LENGTH, content.size());
      content.copyTo(
          buffer.asSlice(at + FuseAbi.NotifyStoreOut.SIZE, content.size()).asByteBuffer());
      send(FuseAbi.NOTIFY_STORE, buffer, size);
    }
  }

  /** False if the kernel does not have what it is about. */
  private boolean send(int code, MemorySegment buffer, int size) {
    long n = device.notify(code, buffer, size);
    // ENOENT: not cached. ENOTDIR: what it was about has been replaced. The others: unmounted.
    if (n < 0
        && n != -Errno.ENOENT
        && n != -Errno.ENOTDIR
        && n != -Errno.ENODEV
        && n != -Errno.ENOTCONN
        && n != -Errno.EPERM) {
      log.warn("the kernel refuses notification {}: {}", code, Errno.name((int) -n));
    }
    return n != -Errno.ENOENT;
  }
}
