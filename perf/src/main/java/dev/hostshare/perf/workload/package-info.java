/**
 * What is measured. A {@link dev.hostshare.perf.workload.Workload} is one line of the {@link
 * dev.hostshare.perf.workload.Catalog}: it does one kind of operation many times in a {@link
 * dev.hostshare.perf.workload.Place}, a folder of its own, and knows nothing of what that lies on.
 * Each family of workloads is a class, which names its workloads and keeps the files that they work
 * on; workloads that name the same files share them.
 *
 * <p>The loops call the system directly ({@link dev.hostshare.perf.sys}), with paths and contents
 * made beforehand. Everything that is read is compared byte by byte with {@link
 * dev.hostshare.perf.workload.Content}, between the timed operations; what was written is read back
 * after them.
 *
 * <p>A place is for one thread at a time, but for what {@code Concurrent} starts itself.
 */
package dev.hostshare.perf.workload;
