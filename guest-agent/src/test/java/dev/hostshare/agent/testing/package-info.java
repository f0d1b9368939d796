/** A file server for tests: the protocol for real, the files in memory. */
package dev.hostshare.agent.testing;
