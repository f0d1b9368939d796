/**
 * System calls through the JDK's FFM API, with as little around them as measuring needs: java.nio
 * costs microseconds of its own.
 *
 * <p>Paths are C strings made beforehand. A call that fails throws an {@link java.io.IOException}.
 * All of it is for one thread.
 */
package dev.hostshare.perf.sys;
