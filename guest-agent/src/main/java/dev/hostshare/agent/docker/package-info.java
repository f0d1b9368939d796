/**
 * An authorization plugin for a Docker engine: refuses what would bind a path that is not shared,
 * where the engine would make an empty folder.
 *
 * <h2>Concepts</h2>
 *
 * The engine asks before it does anything (<a
 * href="https://docs.docker.com/engine/extend/plugins_authorization/">protocol</a>: HTTP on a Unix
 * socket). {@code AuthorizationHandler} reads the question, {@link
 * dev.hostshare.agent.docker.Endpoint} says whether it is one that can bind a path, {@code
 * BindSources} takes the paths out of the body, {@code BindPolicy} judges each by where the kernel
 * says it lies ({@code Location}), {@code Denial} has the words.
 *
 * <p>The body is read as the engine reads it, and more strictly wherever that leaves a choice: Go
 * takes a key in any case, takes the last of several, and merges objects that are named twice. What
 * cannot be read in one way only is refused.
 *
 * <h2>Errors</h2>
 *
 * What cannot be checked is refused, with the reason. What binds nothing is allowed, whatever state
 * we are in.
 *
 * <h2>Threads</h2>
 *
 * One event loop, which answers what binds nothing itself. A few workers look at paths: that may
 * wait for a mount whose server is away. The question is answered after {@code
 * AuthorizationHandler.PATIENCE} in any case, and the worker is left behind.
 */
package dev.hostshare.agent.docker;
