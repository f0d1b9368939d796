package dev.hostshare.agent.fs;

/**
 * When a request was sent.
 *
 * @param generation the session that the numbers in its reply belong to
 * @param changes how many {@link Changes} had been told by then
 * @param nanos {@link System#nanoTime}, or a little before
 */
record Asked(long generation, long changes, long nanos) {}
