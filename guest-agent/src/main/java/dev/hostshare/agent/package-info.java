/** hostshare. */
package dev.hostshare.agent;
