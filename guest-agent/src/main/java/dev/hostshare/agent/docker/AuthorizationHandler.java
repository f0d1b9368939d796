package dev.hostshare.agent.docker;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.netty.buffer.Unpooled;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.SimpleChannelInboundHandler;
import io.netty.handler.codec.http.DefaultFullHttpResponse;
import io.netty.handler.codec.http.HttpContent;
import io.netty.handler.codec.http.HttpHeaderNames;
import io.netty.handler.codec.http.HttpHeaderValues;
import io.netty.handler.codec.http.HttpObject;
import io.netty.handler.codec.http.HttpRequest;
import io.netty.handler.codec.http.HttpResponseStatus;
import io.netty.handler.codec.http.HttpUtil;
import io.netty.handler.codec.http.HttpVersion;
import io.netty.handler.codec.http.LastHttpContent;
import io.netty.handler.timeout.IdleStateEvent;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One connection of an engine: a question, its answer, the next question. Runs on the event loop.
 */
@SuppressWarnings(
    "FutureReturnValueIgnored") // who cannot be written to goes away, see exceptionCaught
final class AuthorizationHandler extends SimpleChannelInboundHandler<HttpObject> {
  private static final Logger log = LoggerFactory.getLogger(AuthorizationHandler.class);

  /** How long a question may wait for mounts; the engine itself waits for ever. */
  static final Duration PATIENCE = Duration.ofSeconds(5);

  private static final String TYPE = "application/vnd.docker.plugins.v1.2+json";

  private final BindPolicy policy;
  private final Workers workers;

  private HttpRequest request;
  private KeptBytes question;
  private boolean deciding;

  AuthorizationHandler(BindPolicy policy, Workers workers) {
    this.policy = policy;
    this.workers = workers;
  }

  @Override
  protected void channelRead0(ChannelHandlerContext ctx, HttpObject part) {
    if (part.decoderResult().isFailure()) {
      drop();
      fail(ctx, HttpResponseStatus.BAD_REQUEST, "not HTTP: " + part.decoderResult().cause());
      return;
    }
    if (part instanceof HttpRequest begun) {
      if (deciding) {
        // Answers would come out of order; engines wait for each.
        ctx.close();
        return;
      }
      request = begun;
      question = workers.bytes();
      if (HttpUtil.is100ContinueExpected(begun)) {
        ctx.writeAndFlush(
            new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.CONTINUE));
      }
    }
    if (request == null) {
      return; // what follows a request that was refused
    }
    // What the engine tells of its answers may be long, and is not looked at.
    if (part instanceof HttpContent content && request.uri().equals("/AuthZPlugin.AuthZReq")) {
      question.add(content.content());
    }
    if (part instanceof LastHttpContent) {
      complete(ctx);
    }
  }

  private void complete(ChannelHandlerContext ctx) {
    switch (request.uri()) {
      case "/Plugin.Activate" -> {
        drop();
        var implemented = new JsonArray();
        implemented.add("authz");
        var answer = new JsonObject();
        answer.add("Implements", implemented);
        send(ctx, HttpResponseStatus.OK, answer);
      }
      case "/AuthZPlugin.AuthZRes" -> {
        drop();
        answer(ctx, Optional.empty());
      }
      case "/AuthZPlugin.AuthZReq" -> {
        KeptBytes asked = question;
        request = null;
        question = null;
        ask(ctx, asked);
      }
      default -> {
        String uri = request.uri();
        drop();
        fail(ctx, HttpResponseStatus.NOT_FOUND, "no such request: " + uri);
      }
    }
  }

  private void ask(ChannelHandlerContext ctx, KeptBytes asked) {
    Endpoint endpoint;
    AuthorizationRequest.Head head = null;
    try {
      head = AuthorizationRequest.head(asked.read());
      endpoint = Endpoint.of(head.method(), head.uri());
    } catch (IOException e) {
      asked.release();
      fail(ctx, HttpResponseStatus.BAD_REQUEST, "not a question of an engine: " + e.getMessage());
      return;
    } catch (UncheckableException e) {
      asked.release();
      refuse(ctx, head, Denial.uncheckable(e.getMessage()));
      return;
    }
    if (endpoint == Endpoint.OTHER) {
      asked.release();
      answer(ctx, Optional.empty());
    } else if (!asked.isWhole()) {
      asked.release();
      refuse(
          ctx,
          head,
          Denial.uncheckable("the request is too long, or there are too many long ones at once"));
    } else {
      decide(ctx, endpoint, head, asked);
    }
  }

  private void decide(
      ChannelHandlerContext ctx,
      Endpoint endpoint,
      AuthorizationRequest.Head head,
      KeptBytes asked) {
    // One question at a time: the next is read when this one is answered.
    setDeciding(ctx, true);
    boolean taken =
        workers.run(
            wanted -> refusal(endpoint, asked, wanted),
            asked::release,
            PATIENCE,
            ctx.executor(),
            refusal -> {
              setDeciding(ctx, false);
              if (refusal.isPresent()) {
                refuse(ctx, head, refusal.get());
              } else {
                answer(ctx, Optional.empty());
              }
            });
    if (!taken) {
      setDeciding(ctx, false);
      refuse(ctx, head, Denial.uncheckable("too many requests wait for mounts that do not answer"));
    }
  }

  private void setDeciding(ChannelHandlerContext ctx, boolean now) {
    deciding = now;
    ctx.channel().config().setAutoRead(!now);
  }

  private Optional<String> refusal(Endpoint endpoint, KeptBytes asked, BooleanSupplier wanted) {
    AuthorizationRequest whole;
    try {
      whole = AuthorizationRequest.parse(asked.read());
    } catch (IOException e) {
      return Optional.of(Denial.uncheckable("the engine's question cannot be read"));
    }
    if (whole.body().length > 0) {
      return policy.refusal(endpoint, whole.body(), wanted);
    }
    if (endpoint == Endpoint.CONTAINER_START_WITH_MOUNTS && !whole.mayHaveBody()) {
      return Optional.empty();
    }
    return Optional.of(
        Denial.uncheckable(
            "the engine passed no body of the request on (it must be application/json, its length"
                + " announced, and less than 1 MiB)"));
  }

  private void refuse(ChannelHandlerContext ctx, AuthorizationRequest.Head head, String reason) {
    log.warn(
        "refused {}: {}",
        head == null ? "a request" : Denial.shown(head.method() + " " + head.uri()),
        reason.replace('\n', ' '));
    answer(ctx, Optional.of(reason));
  }

  private void answer(ChannelHandlerContext ctx, Optional<String> refusal) {
    var answer = new JsonObject();
    answer.addProperty("Allow", refusal.isEmpty());
    refusal.ifPresent(reason -> answer.addProperty("Msg", reason));
    send(ctx, HttpResponseStatus.OK, answer);
  }

  /** The engine passes on what {@code Err} says, and does nothing. */
  private void fail(ChannelHandlerContext ctx, HttpResponseStatus status, String reason) {
    log.warn("{}", Denial.shown(reason));
    var answer = new JsonObject();
    answer.addProperty("Err", reason);
    send(ctx, status, answer);
  }

  private static void send(ChannelHandlerContext ctx, HttpResponseStatus status, JsonObject body) {
    byte[] bytes = body.toString().getBytes(StandardCharsets.UTF_8);
    var response =
        new DefaultFullHttpResponse(HttpVersion.HTTP_1_1, status, Unpooled.wrappedBuffer(bytes));
    response.headers().set(HttpHeaderNames.CONTENT_TYPE, TYPE);
    response.headers().set(HttpHeaderNames.CONTENT_LENGTH, bytes.length);
    if (status.equals(HttpResponseStatus.BAD_REQUEST)) {
      response.headers().set(HttpHeaderNames.CONNECTION, HttpHeaderValues.CLOSE);
    }
    ctx.writeAndFlush(response);
  }

  private void drop() {
    request = null;
    if (question != null) {
      question.release();
      question = null;
    }
  }

  /** A request that does not come to its end; between requests a connection may rest for ever. */
  @Override
  public void userEventTriggered(ChannelHandlerContext ctx, Object event) {
    if (event instanceof IdleStateEvent && request != null) {
      ctx.close();
    }
  }

  @Override
  public void channelInactive(ChannelHandlerContext ctx) {
    drop();
  }

  @Override
  public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
    if (cause instanceof IOException) {
      log.debug("the engine went away", cause);
    } else {
      log.error("a connection of the engine failed", cause);
    }
    ctx.close();
  }
}
