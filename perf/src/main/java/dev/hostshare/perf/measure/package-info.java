/**
 * From single operations to figures: {@link dev.hostshare.perf.measure.Stopwatch} takes the time of
 * each operation, {@link dev.hostshare.perf.measure.Sample} is what one run gave, and {@link
 * dev.hostshare.perf.measure.Statistics} says what several of them are worth. Knows nothing of
 * files.
 */
package dev.hostshare.perf.measure;
