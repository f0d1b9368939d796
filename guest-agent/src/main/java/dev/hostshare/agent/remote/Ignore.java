package dev.hostshare.agent.remote;

import dev.hostshare.proto.v1.ServerFrame;

/** For requests whose outcome changes nothing. */
public enum Ignore implements ReplyHandler {
  REPLY;

  @Override
  public void onReply(ServerFrame frame) {}

  @Override
  public void onLost(boolean sent) {}

  @Override
  public void onAbandoned(int errno) {}
}
