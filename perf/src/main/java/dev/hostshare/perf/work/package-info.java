/**
 * What is measured: a {@link dev.hostshare.perf.work.Work} does one kind of operation many times in
 * a {@link dev.hostshare.perf.work.Place} and says how fast that was. Works know nothing of what
 * the place lies on.
 *
 * <p>The loops call the system directly ({@link dev.hostshare.perf.sys}), with paths and contents
 * made beforehand, and check what they read. All of it is for one thread.
 */
package dev.hostshare.perf.work;
