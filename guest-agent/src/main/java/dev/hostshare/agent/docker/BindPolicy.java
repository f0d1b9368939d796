package dev.hostshare.agent.docker;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.BooleanSupplier;

/** Judges what a request would bind. Thread-safe. */
final class BindPolicy {
  private final Shares shares;
  private final AllowedPaths allowed;

  BindPolicy(Shares shares, AllowedPaths allowed) {
    this.shares = shares;
    this.allowed = allowed;
  }

  /**
   * Why a request must not be done; empty if it may. May wait for a mount's server.
   *
   * @param body JSON
   * @param wanted looks at no further path when the answer is not
   */
  Optional<String> refusal(Endpoint endpoint, byte[] body, BooleanSupplier wanted) {
    var unshared = new ArrayList<Denial.Unshared>();
    try {
      for (String source : BindSources.of(endpoint, body)) {
        if (!wanted.getAsBoolean()) {
          throw new UncheckableException("looking at its paths takes too long");
        }
        check(source).ifPresent(unshared::add);
      }
    } catch (UncheckableException e) {
      return Optional.of(Denial.uncheckable(e.getMessage()));
    }
    return unshared.isEmpty() ? Optional.empty() : Optional.of(Denial.of(unshared));
  }

  /**
   * The engine takes {@code ..} back by name before it follows links, for a bind; mount(2) gets
   * there the kernel's way, for a volume. Both must lead to what containers may have.
   */
  private Optional<Denial.Unshared> check(String source) throws UncheckableException {
    for (String path : List.of(Location.clean(source), source)) {
      Location location = Location.of(path);
      if (!isShared(location) && !allowed.contain(location)) {
        return Optional.of(new Denial.Unshared(source, location.path()));
      }
    }
    return Optional.empty();
  }

  private boolean isShared(Location location) throws UncheckableException {
    try {
      return shares.isShare(location.mountId());
    } catch (IOException e) {
      throw new UncheckableException("the mounts of this machine cannot be read");
    }
  }
}
