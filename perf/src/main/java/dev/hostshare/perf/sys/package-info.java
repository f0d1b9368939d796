/**
 * System calls through the JDK's FFM API, with as little around them as measuring needs: java.nio
 * costs microseconds of its own.
 *
 * <p>Paths are C strings made beforehand. A call that fails throws a {@link
 * dev.hostshare.perf.sys.SystemCallException}. All of it is for any thread.
 */
package dev.hostshare.perf.sys;
