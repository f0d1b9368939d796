/** How both ends wait for the wire. */
package dev.hostshare.proto.net;
