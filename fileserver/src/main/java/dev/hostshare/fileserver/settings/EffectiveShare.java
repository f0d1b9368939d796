package dev.hostshare.fileserver.settings;

import dev.hostshare.fileserver.export.ShareSpec;

/**
 * What became of a line of the list.
 *
 * @param folder with the access and owner that are in force
 * @param reason why it is not shared, and what to do; empty if it is
 */
public record EffectiveShare(
    SharedFolder folder, State state, String reason, boolean accessLocked, boolean ownerLocked) {

  /** Whether guests can have it. */
  public enum State {
    SHARED,
    DISABLED,
    UNAVAILABLE,
    DENIED
  }

  ShareSpec spec() {
    return new ShareSpec(folder.path(), folder.readOnly(), folder.owner());
  }

  EffectiveShare failed(String why) {
    return new EffectiveShare(folder, State.UNAVAILABLE, why, accessLocked, ownerLocked);
  }
}
