package dev.hostshare.perf.run;

import static com.google.common.base.Preconditions.checkArgument;

import java.nio.file.Path;
import java.util.Optional;

/**
 * A target as the command line names it: {@code NAME=DIR[,peer=DIR_B][,cold=COMMAND]}.
 *
 * @param peer the same folder, seen from elsewhere
 * @param cold what makes its caches cold, for sh
 */
public record TargetSpec(String name, Path folder, Optional<Path> peer, Optional<String> cold) {
  private static final String COLD = ",cold=";
  private static final String PEER = ",peer=";

  /**
   * Reads one.
   *
   * @throws IllegalArgumentException that says what is wrong
   */
  public static TargetSpec parse(String text) {
    int equals = text.indexOf('=');
    checkArgument(equals > 0, "--target %s: it must be NAME=DIR[,peer=DIR_B][,cold=COMMAND]", text);
    String name = text.substring(0, equals);
    checkArgument(
        name.matches("[A-Za-z0-9][A-Za-z0-9._-]*"),
        "--target %s: not a name: %s; letters, digits, '.', '_' and '-' are",
        text,
        name);
    String rest = text.substring(equals + 1);
    // The command is the last, since it may have commas.
    int at = rest.indexOf(COLD);
    Optional<String> cold =
        at < 0 ? Optional.empty() : Optional.of(rest.substring(at + COLD.length()));
    checkArgument(
        cold.map(c -> !c.contains(PEER)).orElse(true),
        "--target %s: peer= must come before cold=, which is the last",
        text);
    rest = at < 0 ? rest : rest.substring(0, at);
    at = rest.indexOf(PEER);
    Optional<String> peer =
        at < 0 ? Optional.empty() : Optional.of(rest.substring(at + PEER.length()));
    rest = at < 0 ? rest : rest.substring(0, at);
    checkArgument(!rest.isEmpty(), "--target %s: the folder is missing", text);
    checkArgument(cold.map(c -> !c.isBlank()).orElse(true), "--target %s: cold= is empty", text);
    checkArgument(peer.map(p -> !p.isEmpty()).orElse(true), "--target %s: peer= is empty", text);
    return new TargetSpec(
        name,
        Path.of(rest).toAbsolutePath().normalize(),
        peer.map(p -> Path.of(p).toAbsolutePath().normalize()),
        cold);
  }
}
