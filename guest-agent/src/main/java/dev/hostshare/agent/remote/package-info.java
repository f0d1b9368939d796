/**
 * The session with a file server: one standing gRPC stream over which tagged requests travel.
 *
 * <h2>Concepts</h2>
 *
 * A <em>session</em> outlives its connections. {@link dev.hostshare.agent.remote.Session} keeps one
 * {@code FileService.Attach} stream open, numbers the requests, and hands each reply to the {@link
 * dev.hostshare.agent.remote.ReplyHandler} of its request. When the stream breaks it connects
 * again, for ever, and asks the server to resume the session: unanswered requests are sent again
 * under their old numbers, which the server does not execute twice.
 *
 * <p>A server that was restarted does not know the session. It gives a new one, in which every node
 * id and handle of the old one is void. The session's <em>generation</em> counts these: a call
 * names the generation its ids belong to, and one that is not (or no longer) of the present
 * generation ends in {@link dev.hostshare.agent.remote.ReplyHandler#onLost}. What to do then is the
 * caller's matter (package {@code fs} recovers its ids and tries again).
 *
 * <h2>Errors</h2>
 *
 * What an operation came to is the errno of its reply frame. A session that could not be reached
 * for {@link dev.hostshare.agent.remote.SessionOptions#timeout} is <em>down</em>: every waiting
 * request is answered EIO, and every new one at once, until the server is back. Only {@link
 * dev.hostshare.agent.remote.Session#connect} throws, and what it throws says what to do.
 *
 * <h2>Threads</h2>
 *
 * Every method may be called by any thread. Replies and invalidations are delivered on the
 * connection's event loop thread, in the order in which the server sent them, and no other reply is
 * delivered meanwhile: <strong>a handler must not block</strong>, in particular not on another
 * reply. Failures (lost, abandoned) come from whichever thread noticed, with no lock held.
 *
 * <h2>Interrupts</h2>
 *
 * {@link dev.hostshare.agent.remote.Call#cancel} withdraws a request that was not sent yet and
 * answers EINTR; otherwise it asks the server to stop waiting, and the server's answer (EINTR, or
 * the result if that came first) is the answer.
 *
 * <h2>Deadlocks</h2>
 *
 * Two locks: the send lock (order of frames on the stream), then the state lock (tables). Handlers
 * are called with neither. The only wait is for the byte budget of data on its way, in {@link
 * dev.hostshare.agent.remote.Session#hold}; it ends when the server makes progress or the session
 * is declared down, and is not entered on the event loop thread.
 */
package dev.hostshare.agent.remote;
