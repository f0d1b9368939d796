/**
 * What a run says: {@link dev.hostshare.perf.report.Report} and its parts are the JSON's schema,
 * documented in docs/fsbench.md; {@link dev.hostshare.perf.report.Table} and {@link
 * dev.hostshare.perf.report.HtmlFile} are made from it.
 */
package dev.hostshare.perf.report;
