/**
 * One POSIX conformance suite, written against the system-call surface and run on several file
 * systems.
 *
 * <p>A <em>case</em> is a method with {@link dev.hostshare.test.conformance.Case} in one of the
 * {@code ...Cases} classes. It is given a {@link dev.hostshare.test.conformance.Scene}: a fresh
 * folder and the tasks that act in it. {@link dev.hostshare.test.conformance.ConformanceTest} turns
 * each into a test, as root and as an ordinary user, on a folder that a subclass provides. The
 * suite must be green on a plain local folder ({@code LocalConformanceTest}) before it may say
 * anything about a mount: what fails there is a wrong test.
 */
package dev.hostshare.test.conformance;
