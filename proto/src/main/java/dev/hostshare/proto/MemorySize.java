package dev.hostshare.proto;

/**
 * How much memory a program may have resident, as {@code --memory} says: {@code 150m}, {@code 1g}.
 * The launcher in {@code bin/lib/launch.sh} makes the JVM's own limits of it before the program
 * runs, so that here it is only checked.
 */
public final class MemorySize {
  private static final int MIB_PER_GIB = 1024;

  private MemorySize() {}

  /**
   * Checks what the user wrote.
   *
   * @param least MiB that the program cannot do with less than
   * @return MiB
   * @throws IllegalArgumentException if it is no size, or too little; the message says what to
   *     write
   */
  public static int check(String text, int least) {
    if (!text.matches("[1-9][0-9]{0,4}[mMgG]")) {
      throw new IllegalArgumentException(
          "memory %s: write a number of MiB or GiB, as in %dm or 1g".formatted(text, least));
    }
    int number = Integer.parseInt(text.substring(0, text.length() - 1));
    int mib = text.toLowerCase(java.util.Locale.ROOT).endsWith("g") ? number * MIB_PER_GIB : number;
    if (mib < least) {
      throw new IllegalArgumentException(
          "memory %s is too little: %dm is the least".formatted(text, least));
    }
    return mib;
  }
}
