/**
 * The contract between guest agent and file server that is not in the .proto files: Linux's numbers
 * as they travel on the wire.
 */
package dev.hostshare.proto;
