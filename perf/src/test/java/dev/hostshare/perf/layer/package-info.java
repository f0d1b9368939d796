/**
 * JMH benchmarks, one class per layer, for who works on that layer: {@code bin/microbench}. Beside
 * {@code docs/performance.md}, which says what an operation costs as a whole, they say what a layer
 * has of it. What the program as a whole does belongs into the comparison, not here.
 */
package dev.hostshare.perf.layer;
