/**
 * The whole path with a real virtual machine: its own kernel, its own Docker engine, and a network
 * between. {@code src-test/vm/guestvm} builds and boots it.
 */
package dev.hostshare.test.vm;
