package dev.hostshare.agent.cli;

import dev.hostshare.proto.v1.Share;
import java.io.IOException;
import java.nio.file.DirectoryNotEmptyException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.function.Function;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Keeps what a server shares mounted, each share at its own path: what is shared anew appears, what
 * is taken away disappears, what vanished comes back.
 *
 * <p>Shares may lie in each other. A mount hides what was mounted below its path before, so the
 * outer one comes first; when it comes, or goes, later, the inner ones are mounted anew on top.
 * Containers that have an inner one keep it: a mount that is detached lives as long as it is used.
 *
 * <p>One thread does all of it, in {@link #run}; the other methods may be called by any.
 */
final class ShareKeeper {
  private static final Logger log = LoggerFactory.getLogger(ShareKeeper.class);

  /** Between attempts at what failed: a server that is not there yet, a mount point in use. */
  static final int RETRY_SECONDS = 2;

  private final ControlServer control;
  private final Function<Share, MountRequest> requests;

  // ---- guarded by this ----
  private List<Share> shares = List.of();
  private final TreeMap<Path, ActiveMount> mounts = new TreeMap<>();

  /** Unmounted by `hostshare-agent umount`: they stay so until we are started again. */
  private final Set<Path> unwanted = new HashSet<>();

  private int serving;
  private boolean stirred;
  private boolean stopping;

  // ---- of the thread that runs ----
  /** Mount points that we made. */
  private final TreeMap<Path, MadeFolder> made = new TreeMap<>();

  /**
   * Nothing is mounted yet.
   *
   * @param requests how a share is mounted
   */
  ShareKeeper(ControlServer control, Function<Share, MountRequest> requests) {
    this.control = control;
    this.requests = requests;
  }

  /** These are the shares now. */
  synchronized void update(List<Share> now) {
    shares = List.copyOf(now);
    stir();
  }

  /** Everything is unmounted, and {@link #run} returns. */
  synchronized void stop() {
    stopping = true;
    stir();
  }

  private synchronized void stir() {
    stirred = true;
    notifyAll();
  }

  /** Keeps the shares mounted until {@link #stop}. */
  void run() throws InterruptedException {
    while (true) {
      Map<Path, Share> wanted = wanted();
      if (wanted == null) {
        break;
      }
      dropOthers(wanted);
      boolean complete = mountMissing(wanted);
      awaitStir(complete);
    }
    for (ActiveMount active : all().descendingMap().values()) {
      active.detach();
    }
    awaitServed();
  }

  /** Null when all is to end. */
  private synchronized Map<Path, Share> wanted() {
    stirred = false;
    if (stopping) {
      return null;
    }
    Map<Path, Share> wanted = new TreeMap<>();
    for (Share share : shares) {
      mountPoint(share)
          .filter(path -> !unwanted.contains(path))
          .ifPresent(path -> wanted.put(path, share));
    }
    return wanted;
  }

  /** Empty, and logged, if this machine has no such path. */
  private static Optional<Path> mountPoint(Share share) {
    try {
      return Optional.of(Path.of(share.getPath()));
    } catch (InvalidPathException e) {
      String printable = share.getPath().replaceAll("\\p{Cntrl}", "?");
      log.error("{} cannot be mounted: {}", printable, e.getReason());
      return Optional.empty();
    }
  }

  private synchronized NavigableMap<Path, ActiveMount> all() {
    return new TreeMap<>(mounts);
  }

  /** Each path sorts before what is below it: the innermost go first. */
  private void dropOthers(Map<Path, Share> wanted) {
    all()
        .descendingMap()
        .forEach(
            (path, active) -> {
              Share share = wanted.get(path);
              boolean same =
                  share != null
                      && !active.isWithdrawn()
                      && share.getIdentity() == active.fs().share().getIdentity();
              if (!same) {
                detachBelow(path);
                active.withdraw();
                forget(path, active);
              } else if (active.isUnmounted() || !isThere(path)) {
                active.left(); // on request, or with the one that it was mounted on
                forget(path, active);
              }
            });
    removeMade(wanted);
  }

  private static boolean isThere(Path path) {
    try {
      return MountTable.at(path).filter(MountTable.Mount::isOurs).isPresent();
    } catch (IOException e) {
      log.warn("the mount table cannot be read: {}", e.getMessage());
      return true;
    }
  }

  /** It is out of the tree. */
  private synchronized void forget(Path path, ActiveMount active) {
    if (mounts.remove(path, active) && active.isUnmounted()) {
      unwanted.add(path);
    }
  }

  private synchronized boolean isMissing(Path path) {
    return !mounts.containsKey(path) && !unwanted.contains(path);
  }

  private void detachBelow(Path path) {
    all()
        .descendingMap()
        .forEach(
            (below, active) -> {
              if (below.startsWith(path) && !below.equals(path)) {
                active.detach();
                forget(below, active);
              }
            });
  }

  /** Whether everything is mounted now. */
  private boolean mountMissing(Map<Path, Share> wanted) throws InterruptedException {
    boolean complete = true;
    for (Map.Entry<Path, Share> each : wanted.entrySet()) {
      if (!isMissing(each.getKey())) {
        continue;
      }
      try {
        mount(each.getKey(), requests.apply(each.getValue()));
      } catch (IOException e) {
        log.warn("{}: {} (trying again)", each.getKey(), e.getMessage());
        complete = false;
      } catch (RuntimeException | Error e) {
        log.error("{}: cannot be mounted (trying again)", each.getKey(), e);
        complete = false;
      }
      if (Thread.interrupted()) {
        throw new InterruptedException();
      }
    }
    return complete;
  }

  private void mount(Path path, MountRequest request) throws IOException {
    PreparedMount prepared = request.prepare();
    prepared.made().ifPresent(folder -> made.put(path, folder));
    detachBelow(path); // not before: an attempt that fails again and again is to harm nobody
    ActiveMount active = prepared.mount();
    synchronized (this) {
      mounts.put(path, active);
      serving++;
    }
    control.add(active);
    log.info("{}: mounted", path);
    Thread.ofPlatform().name("hostshare-serve").daemon().start(() -> serve(path, active));
  }

  private void serve(Path path, ActiveMount active) {
    try {
      active.serve();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
    } finally {
      control.remove(active);
      log.info("{}: unmounted", path);
      synchronized (this) {
        serving--;
        forget(path, active);
        stir();
      }
    }
  }

  /**
   * A folder that stays behind would look like an empty share. One that a share hides, or that is
   * still served, waits: to remove a mount point takes the mount from other namespaces.
   */
  private void removeMade(Map<Path, Share> wanted) {
    List<Path> served =
        control.mounts().stream().map(active -> active.mount().mountPoint()).toList();
    made.descendingMap()
        .entrySet()
        .removeIf(
            each -> {
              Path path = each.getKey();
              // The server of a share above it may be away, so that is not asked.
              return !wanted.containsKey(path)
                  && served.stream().noneMatch(path::startsWith)
                  && isRemoved(path, each.getValue());
            });
  }

  private static boolean isRemoved(Path path, MadeFolder folder) {
    try {
      return folder.remove();
    } catch (DirectoryNotEmptyException e) {
      log.info("{}: something is in the mount point, so it stays", path);
    } catch (IOException e) {
      log.warn("{}: the mount point cannot be removed: {}", path, e.getMessage());
    }
    return true;
  }

  private synchronized void awaitStir(boolean complete) throws InterruptedException {
    long millis = TimeUnit.SECONDS.toMillis(RETRY_SECONDS);
    long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(millis);
    while (!stirred) {
      if (complete) {
        wait();
      } else {
        long left = TimeUnit.NANOSECONDS.toMillis(end - System.nanoTime());
        if (left <= 0) {
          return;
        }
        wait(left);
      }
    }
  }

  /** Those that are still used keep us, for as long as whoever ends the process lets them. */
  private synchronized void awaitServed() throws InterruptedException {
    while (serving > 0) {
      wait();
    }
  }
}
