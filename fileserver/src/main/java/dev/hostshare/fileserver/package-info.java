/** hostshare. */
package dev.hostshare.fileserver;
