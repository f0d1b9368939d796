/**
 * The settings page: a web server on loopback, for the browser of the user who started it, over the
 * {@link dev.hostshare.fileserver.web.SettingsSource} that it is given. Only {@code hostshare
 * settings} loads it; the file server has no HTTP.
 *
 * <p>Every request passes {@link dev.hostshare.fileserver.web.Gate} before anything is done for it.
 * Whoever has the one-time link gets a session, of two secrets: a cookie, and a key that the page
 * keeps in its origin's storage and sends as a header. The cookie alone does nothing, since
 * browsers send it to every port of this host, so to other users' servers, too; the key alone does
 * nothing, either.
 *
 * <p>Requests run on virtual threads and may block. What is refused is answered with a 4xx and
 * {@code {"error": "..."}}, whose text is fit to be shown.
 */
package dev.hostshare.fileserver.web;
