package dev.hostshare.fileserver.rpc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class FollowersTest {
  private final Followers followers = new Followers();
  private final List<String> begun = new ArrayList<>();

  private boolean add(String name, Set<Long> running, Long... after) {
    return followers.add(() -> begun.add(name), running::contains, List.of(after));
  }

  private void done(long seq) {
    followers.done(seq).forEach(Runnable::run);
  }

  @Test
  void eachBeginsWhenAllThatItNamesAreDone() {
    assertTrue(add("both", Set.of(1L, 2L), 1L, 2L, 1L, 9L));
    assertTrue(add("one", Set.of(1L, 2L), 2L));
    done(2);
    assertEquals(List.of("one"), begun);
    done(2);
    done(9);
    assertEquals(List.of("one"), begun);
    done(1);
    assertEquals(List.of("one", "both"), begun);
  }

  @Test
  void whoNamesNoneThatRunsDoesNotWait() {
    assertFalse(add("none", Set.of(1L), 2L, 3L));
    done(2);
    done(3);
    assertEquals(List.of(), begun);
  }
}
