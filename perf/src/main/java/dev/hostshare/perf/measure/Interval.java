package dev.hostshare.perf.measure;

/**
 * Where a value lies.
 *
 * @param value the best guess
 * @param low the interval's ends
 * @param confidence how often an interval made this way holds the true value, at the least: 0.95
 *     where there are figures enough for it
 */
public record Interval(double value, double low, double high, double confidence) {}
