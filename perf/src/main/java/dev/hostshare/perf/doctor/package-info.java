/**
 * {@code fsbench doctor}: {@link dev.hostshare.perf.doctor.Examination} is what was measured of one
 * mount, {@link dev.hostshare.perf.doctor.Findings} says in plain words what it means.
 */
package dev.hostshare.perf.doctor;
