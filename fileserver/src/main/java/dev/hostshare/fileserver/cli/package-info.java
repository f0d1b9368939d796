/** The command line: parses arguments, calls the server's parts or a running server, prints. */
package dev.hostshare.fileserver.cli;
