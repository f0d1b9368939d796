package dev.hostshare.agent.fs;

import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;

/** The open files and directories by the handle that the kernel was told. Thread-safe. */
final class HandleTable {
  private final AtomicLong next = new AtomicLong(1);
  private final Map<Long, OpenFile> files = new ConcurrentHashMap<>();
  private final Map<Long, OpenDirectory> directories = new ConcurrentHashMap<>();

  long add(OpenFile file) {
    long handle = next.getAndIncrement();
    files.put(handle, file);
    return handle;
  }

  long add(OpenDirectory directory) {
    long handle = next.getAndIncrement();
    directories.put(handle, directory);
    return handle;
  }

  OpenFile file(long handle) {
    return files.get(handle);
  }

  OpenDirectory directory(long handle) {
    return directories.get(handle);
  }

  OpenFile removeFile(long handle) {
    return files.remove(handle);
  }

  OpenDirectory removeDirectory(long handle) {
    return directories.remove(handle);
  }

  int size() {
    return files.size() + directories.size();
  }
}
