package dev.hostshare.agent.fs;

import dev.hostshare.agent.remote.ReplyHandler;
import dev.hostshare.proto.v1.ServerFrame;

/** For requests whose outcome changes nothing. */
enum Ignore implements ReplyHandler {
  REPLY;

  @Override
  public void onReply(ServerFrame frame) {}

  @Override
  public void onLost(boolean sent) {}

  @Override
  public void onAbandoned(int errno) {}
}
