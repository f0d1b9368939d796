/** What a figure was measured on: the machine, and the mount of each target. */
package dev.hostshare.perf.machine;
