package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.Call;

/** What an operation needs to know about the request it serves, and about being interrupted. */
public interface RequestContext {

  /** Who asks; null where the kernel does not tell. */
  Identity caller();

  /**
   * The thread that asks, as the kernel tells even where it does not tell {@link #caller}: its id
   * in the agent's pid namespace; 0 if it is not visible there, or not known.
   */
  default int thread() {
    Identity caller = caller();
    return caller == null ? 0 : caller.pid();
  }

  /**
   * Tells that {@code call} is what the request waits for now. An interrupt that comes, or came, is
   * to be passed to it. Called again when the operation goes on with another call.
   */
  void waitsFor(Call call);

  /**
   * Who asks, in the guest's ids.
   *
   * @param pid thread id in the agent's pid namespace; 0 if it is not visible there
   */
  record Identity(int uid, int gid, int pid) {}

  /** For what the agent does of its own accord. */
  RequestContext NONE =
      new RequestContext() {
        @Override
        public Identity caller() {
          return null;
        }

        @Override
        public void waitsFor(Call call) {}
      };
}
