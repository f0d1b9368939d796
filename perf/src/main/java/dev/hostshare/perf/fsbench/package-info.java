/**
 * The command line of {@code bin/fsbench}: what to measure is read and checked here, and results
 * are written.
 */
package dev.hostshare.perf.fsbench;
