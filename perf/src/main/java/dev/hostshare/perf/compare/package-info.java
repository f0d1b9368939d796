/**
 * {@code bin/compare}: does the same works on every target in turn, round by round, and says how
 * hostshare stands beside each of its peers, and whether that is what we aim at ({@link
 * dev.hostshare.perf.compare.Goals}).
 */
package dev.hostshare.perf.compare;
