/**
 * A run: folders are made in the targets, the {@link dev.hostshare.perf.run.Engine} does every
 * workload on every target round by round, and the folders are removed.
 *
 * <p>All of it is for one thread. Its interrupt ends the run: what was measured is kept, folders
 * are removed.
 */
package dev.hostshare.perf.run;
