/**
 * What {@code perf/peers/run} says at its end: how installations of hostshare stand beside its
 * peers in a report of fsbench, and whether that is what we aim at ({@link
 * dev.hostshare.perf.peers.Goals}).
 */
package dev.hostshare.perf.peers;
