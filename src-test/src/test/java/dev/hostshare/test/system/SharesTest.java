package dev.hostshare.test.system;

import static java.util.concurrent.TimeUnit.SECONDS;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.proto.v1.ListSettings;
import dev.hostshare.proto.v1.SettingsServiceGrpc;
import dev.hostshare.proto.v1.ShareState;
import dev.hostshare.proto.v1.SharedFolder;
import io.grpc.ManagedChannel;
import io.grpc.Status;
import io.grpc.StatusRuntimeException;
import io.grpc.netty.NettyChannelBuilder;
import io.grpc.reflection.v1.ServerReflectionGrpc;
import io.grpc.reflection.v1.ServerReflectionRequest;
import io.grpc.reflection.v1.ServerReflectionResponse;
import io.grpc.reflection.v1.ServiceResponse;
import io.grpc.stub.StreamObserver;
import io.netty.channel.MultiThreadIoEventLoopGroup;
import io.netty.channel.epoll.EpollDomainSocketChannel;
import io.netty.channel.epoll.EpollIoHandler;
import io.netty.channel.unix.DomainSocketAddress;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * The file-sharing list, changed while guests use what is on it.
 *
 * <pre>
 * lab/a/file      "a"
 * lab/a/in/file   "in"
 * lab/b/file      "b"
 * </pre>
 */
@SystemTest
@Timeout(60)
final class SharesTest {
  /** From the change on the host to what is seen in the guest. */
  private static final Duration AT_ONCE = Duration.ofSeconds(1);

  private Path lab;
  private Server server;
  private Guest guest;
  private final List<Process> agents = new ArrayList<>();

  @BeforeEach
  void start() throws Exception {
    lab = Installation.newFolder("hostshare-shares");
    for (var name : List.of("home", "state", "a", "a/in", "b")) {
      Lab.own(Files.createDirectory(lab.resolve(name)));
    }
    for (var name : List.of("a", "a/in", "b")) {
      var file = lab.resolve(name).resolve("file");
      Files.writeString(file, lab.resolve(name).getFileName().toString());
      Lab.own(file);
    }
    guest = Guest.start();
  }

  @AfterEach
  void stop() throws Exception {
    try {
      for (var agent : agents) {
        agent.destroy();
        assertTrue(agent.waitFor(30, SECONDS), () -> "the agent does not end" + agentLog());
      }
    } finally {
      guest.close();
      if (server != null) {
        server.close();
      }
      Installation.remove(lab);
    }
  }

  private void serve(String... more) {
    var arguments = new ArrayList<>(List.of("--state", path("state"), "--listen", address()));
    arguments.addAll(Arrays.asList(more));
    server =
        Server.startWrapped(
            List.of("env", "HOME=" + lab.resolve("home")), arguments.toArray(String[]::new));
  }

  private String address() {
    return "unix:" + lab.resolve("state/sock");
  }

  private String path(String name) {
    return lab.resolve(name).toString();
  }

  /** {@code hostshare shares ...} on the lab's state, as its user. */
  private Command shares(String... arguments) {
    var line = new ArrayList<>(List.of("env", "HOME=" + lab.resolve("home")));
    line.addAll(Installation.server("shares"));
    line.addAll(Arrays.asList(arguments));
    line.addAll(List.of("--state", path("state")));
    return Command.run(Command.LIMIT, new ProcessBuilder(Server.asUser(line)));
  }

  private void runAgent(List<String> command) throws IOException {
    agents.add(
        guest
            .builder(command)
            .redirectErrorStream(true)
            .redirectOutput(lab.resolve("agent.log").toFile())
            .start());
  }

  /**
   * A server that shares these folders of the lab and no others, and an agent that has mounted
   * them.
   */
  private void shareWithAgent(String... names) throws IOException {
    shares("remove", path("home")).expectSuccess(); // the default of the first start
    for (var name : names) {
      shares("add", path(name)).expectSuccess();
    }
    serve();
    runAgent(Installation.agent("run", "--server", address()));
    for (var name : names) {
      awaitMounts(mounted(path(name)));
    }
  }

  /** A program in the guest, which goes on when it is told to. */
  private record User(Process process, BufferedReader said) {
    void goOn() throws IOException {
      process.outputWriter().append("go\n").flush();
    }
  }

  /** Starts a program that says {@code ready} when it has what it needs. */
  private User start(String script) throws IOException {
    var process = guest.builder(List.of("bash", "-c", script)).redirectErrorStream(true).start();
    var user = new User(process, process.inputReader());
    assertEquals("ready", user.said.readLine(), this::agentLog);
    return user;
  }

  private String agentLog() {
    try {
      return "\n" + Files.readString(lab.resolve("agent.log")) + server.log();
    } catch (IOException e) {
      return e.toString();
    }
  }

  private void assertNothingShared() {
    var list = shares("list").expectSuccess();
    assertTrue(list.strip().endsWith("nothing is shared"), list);
  }

  /** What the guest was told it has before long; the limit of the test is the limit of this. */
  private void awaitGuest(String condition) {
    guest.shell("until " + condition + "; do :; done");
  }

  /** Waits for it in the guest's mount table; how long that took. */
  private Duration awaitMounts(String condition) {
    var begin = System.nanoTime();
    var command =
        guest.run(
            Duration.ofSeconds(20), List.of("bash", "-c", "until " + condition + "; do :; done"));
    assertEquals(0, command.status(), () -> condition + command.said() + agentLog());
    return Duration.ofNanos(System.nanoTime() - begin);
  }

  private static String mounted(String path) {
    return "findmnt -n -t fuse.hostshare -M " + path + " >/dev/null";
  }

  private static String unmounted(String path) {
    return "! " + mounted(path);
  }

  private static void assertAtOnce(Duration time) {
    assertTrue(time.compareTo(AT_ONCE) < 0, () -> "took " + time);
  }

  @Test
  void listIsKeptWithAndWithoutServer() {
    shares("remove", path("home")).expectSuccess(); // the default of the first start
    assertNothingShared();

    shares("add", path("a"), "--access", "ro", "--note", "the app").expectSuccess();
    assertTrue(shares("list").expectSuccess().startsWith("ro  host          " + path("a")));

    serve();
    assertTrue(shares("list").expectSuccess().contains(path("a") + "  # the app"));
    shares("add", path("b"), "--owner", "999:998").expectSuccess();
    var refused = shares("add", path("b"));
    assertEquals(1, refused.status());
    assertTrue(refused.said().contains("on the list already"), refused.said());
    server.stop();

    var json = shares("list", "--json").expectSuccess();
    assertTrue(json.contains("\"uid\": 999"), json);
    shares("remove", path("a"), path("b")).expectSuccess();
    serve();
    assertNothingShared();
  }

  @Test
  void addedShareAppearsAndRemovedOneIsTakenAway() throws Exception {
    shareWithAgent("b");

    // given a program that has files of both open
    shares("add", path("a")).expectSuccess();
    assertAtOnce(awaitMounts(mounted(path("a"))));
    var user =
        start(
            """
            exec 3<>%1$s 4<>%2$s; echo ready; read line
            cat <&3; echo $?; echo more >&3; echo $?
            cat <&4; echo $?; echo more >&4; echo $?
            ls %3$s/.; echo $?
            """
                .formatted(path("a/file"), path("b/file"), path("a")));

    // when one is taken away
    shares("remove", path("a")).expectSuccess();
    assertAtOnce(awaitMounts(unmounted(path("a"))));
    user.goOn();
    var all = user.said.lines().collect(Collectors.joining("\n"));

    // then what was open of it fails, and the other is not touched
    assertTrue(all.contains("not connected"), () -> all + agentLog());
    assertTrue(all.contains("b0\n0"), () -> all + agentLog());
    assertTrue(guest.run("findmnt", "-M", path("b")).status() == 0);
    assertFalse(Files.readString(lab.resolve("a/file")).contains("more"));
    assertTrue(Files.readString(lab.resolve("b/file")).contains("more"));
    // and the server has nothing of it open
    assertEquals(
        "",
        Command.run(
                "sh",
                "-c",
                "ls -l /proc/%d/fd | grep -F %s/ || true".formatted(server.pid(), path("a")))
            .expectSuccess());
  }

  @Test
  void shareBecomesReadOnlyUnderAnOpenFileAndWritableAgain() throws Exception {
    shareWithAgent("a");
    var user =
        start(
            """
            exec 3>>%1$s; echo ready; read line
            (echo lost >&3 && sync %1$s); echo $?; cat %1$s; echo; read line
            (echo kept >>%1$s); echo $?
            """
                .formatted(path("a/file")));

    shares("set", path("a"), "--access", "ro").expectSuccess();
    user.goOn();
    var line = user.said.readLine();
    assertTrue(line.contains("Read-only file system"), () -> line + agentLog());
    assertEquals("1", user.said.readLine());
    assertEquals("a", user.said.readLine());
    assertTrue(guest.run("touch", path("a/new")).expectFailure().contains("Read-only file system"));

    shares("set", path("a"), "--access", "rw").expectSuccess();
    awaitMounts("touch " + path("a/new"));
    user.goOn();
    assertEquals("0", user.said.readLine());
    assertEquals("akept\n", Files.readString(lab.resolve("a/file")));
  }

  /** The more specific share wins, on whichever way a guest comes to it. */
  @Test
  void innerShareHasItsOwnAccessThroughTheOuterOne() throws Exception {
    shares("remove", path("home")).expectSuccess();
    shares("add", path("a")).expectSuccess();
    serve();
    guest.shell("mkdir -p /run/mnt");
    guest
        .run(
            Duration.ofMinutes(1),
            Installation.agent("mount", "--server", address(), path("a"), "/run/mnt"))
        .expectSuccess();
    // given a program with a file open in what becomes a share of its own
    var user =
        start(
            """
            exec 3>/run/mnt/in/new; echo ready; read line
            (echo lost >&3 && sync /run/mnt/in/new); echo $?
            """);

    shares("add", path("a/in"), "--access", "ro", "--owner", "7:8").expectSuccess();

    user.goOn();
    var line = user.said.readLine();
    assertTrue(line.contains("Read-only file system"), line);
    assertEquals("1", user.said.readLine());
    assertTrue(guest.run("touch", "/run/mnt/in/x").expectFailure().contains("Read-only"));
    assertTrue(guest.run("rm", "/run/mnt/in/new").expectFailure().contains("Read-only"));
    assertTrue(guest.run("mv", "/run/mnt/in", "/run/mnt/out").expectFailure().contains("busy"));
    awaitGuest("[ $(stat -c %u:%g /run/mnt/in/file) = 7:8 ]");
    guest.shell("touch /run/mnt/x; cat /run/mnt/in/file");

    // when it goes again
    shares("remove", path("a/in")).expectSuccess();
    guest.shell("touch /run/mnt/in/x; rm /run/mnt/in/new");
    awaitGuest("[ $(stat -c %u /run/mnt/in/file) = " + Server.UID + " ]");
  }

  @Test
  void outerShareComesAndGoesOverAnInnerOne() throws Exception {
    shareWithAgent("a/in");
    var user = start("cd %s; echo ready; read line; cat file".formatted(path("a/in")));

    shares("add", path("a")).expectSuccess();
    awaitMounts(mounted(path("a")) + " && " + mounted(path("a/in")));
    assertEquals("in", guest.shell("cat " + path("a/in/file")));
    shares("remove", path("a")).expectSuccess();
    awaitMounts(unmounted(path("a")) + " && " + mounted(path("a/in")));
    assertEquals("in", guest.shell("cat " + path("a/in/file")));

    // whoever was in it all the while has it still
    user.goOn();
    assertEquals("in", user.said.readLine());
  }

  @Test
  void containerOfATakenAwayShareGetsErrorsAndTheOthersGoOn() throws Exception {
    shareWithAgent("a", "b");
    try (var engine = DockerEngine.start(guest)) {
      var run = List.of("run", "-d", "--network", "none", "-v");
      var loop =
          "while :; do cat /v/file >/dev/null && echo x >>/v/log || echo failed; sleep 0.1; done";
      for (var name : List.of("a", "b")) {
        var line = new ArrayList<>(run);
        line.addAll(
            List.of(path(name) + ":/v", "--name", "user-of-" + name, "busybox", "sh", "-c", loop));
        engine.docker(line.toArray(String[]::new)).expectSuccess();
      }
      awaitGuest("[ -s %s ] && [ -s %s ]".formatted(path("a/log"), path("b/log")));

      shares("remove", path("a")).expectSuccess();

      awaitGuest("docker logs user-of-a 2>&1 | grep -q failed");
      assertTrue(
          engine.docker("exec", "user-of-a", "ls", "/v").expectFailure().contains("not connected"));
      var before = Files.size(lab.resolve("b/log"));
      awaitGuest("[ $(stat -c %%s %s) -gt %d ]".formatted(path("b/log"), before));
      assertFalse(engine.docker("logs", "user-of-b").expectSuccess().contains("failed"));
      engine.docker("rm", "-f", "user-of-a", "user-of-b").expectSuccess();
    }
  }

  @Test
  void folderThatIsMadeAnewIsSharedAnew() throws Exception {
    // A guest with a place of its own where the host has the folder: it makes its mount points
    // itself.
    var place = Files.createDirectory(lab.resolve("place"));
    Lab.own(place);
    Lab.own(Files.createDirectory(place.resolve("c")));
    guest.run("mount", "-t", "tmpfs", "guest", place.toString()).expectSuccess();
    shareWithAgent("place/c");

    Files.delete(place.resolve("c"));
    awaitMounts(unmounted(path("place/c")));
    var list = shares("list").expectSuccess();
    assertTrue(list.contains("not shared: " + path("place/c") + " is not there"), list);
    awaitGuest("[ ! -e " + path("place/c") + " ]");

    Lab.own(Files.createDirectory(place.resolve("c")));
    Lab.own(Files.writeString(place.resolve("c/file"), "new"));
    awaitMounts(mounted(path("place/c")));
    assertEquals("new", guest.shell("cat " + path("place/c/file")));
  }

  /**
   * As a service manager, cron or mount(8) may start the two: with no locale, or with one that is
   * not installed.
   */
  @ParameterizedTest
  @ValueSource(strings = {"LC_ALL=C", "LANG=xx_XX.UTF-8"})
  void namesAreUtf8WhateverTheLocaleIs(String locale) throws Exception {
    var bare = List.of("env", "-i", "PATH=" + System.getenv("PATH"), locale);
    var home = "HOME=" + lab.resolve("home");
    // The shell makes the name: this JVM's locale may be any, too.
    var folder = lab + "/$(printf 'B\\303\\274ro')";
    shell("mkdir %1$s; echo in >%1$s/file; chown -R %2$d %1$s".formatted(folder, Server.UID));
    shares("remove", path("home")).expectSuccess();
    var add = new ArrayList<>(bare);
    add.add(home);
    add.addAll(Installation.server("shares", "add"));
    shell(String.join(" ", Server.asUser(add)) + " " + folder + " --state " + path("state"));

    var wrapper = new ArrayList<>(bare);
    wrapper.add(home);
    server = Server.startWrapped(wrapper, "--state", path("state"), "--listen", address());
    var agent = new ArrayList<>(bare);
    agent.addAll(Installation.agent("run", "--server", address()));
    runAgent(agent);

    awaitMounts(mounted(folder));
    assertEquals("in", guest.shell("cat %s/file".formatted(folder)));
  }

  /** Each has a mount and a session of its own; all have the memory of two processes. */
  @Test
  void manySharesAreWrittenAndReadAtOnce() throws Exception {
    var names = new ArrayList<String>();
    for (int i = 0; i < 12; i++) {
      names.add("many" + i);
      var folder = Lab.owned(Files.createDirectory(lab.resolve("many" + i)));
      Lab.own(Files.write(folder.resolve("file"), new byte[3 << 20]));
    }
    shareWithAgent(names.toArray(String[]::new));
    guest.shell(
        """
        cd %s
        for share in many*; do
          (
            for round in 1 2 3; do
              dd if=/dev/zero of=$share/new bs=1M count=10 status=none
              cmp $share/file <(head -c 3M /dev/zero)
            done
            cmp $share/new <(head -c 10M /dev/zero)
          ) &
          users+=($!)
        done
        for user in "${users[@]}"; do
          wait $user
        done
        """
            .formatted(lab));
    assertFalse(agentLog().contains("ERROR"), this::agentLog);
  }

  private static void shell(String script) {
    Command.run("sh", "-euc", script).expectSuccess();
  }

  /**
   * The agent removes the mount points that it made, not what an outer share shows in their place.
   */
  @Test
  void hostsFolderStaysWhenItsShareGoesBeforeTheOuterOne() throws Exception {
    for (var name : List.of("place", "place/outer", "place/outer/inner")) {
      Lab.own(Files.createDirectory(lab.resolve(name)));
    }
    guest.run("mount", "-t", "tmpfs", "guest", path("place")).expectSuccess();
    shareWithAgent("place/outer/inner");
    shares("add", path("place/outer")).expectSuccess();
    awaitMounts(mounted(path("place/outer")) + " && " + mounted(path("place/outer/inner")));

    shares("remove", path("place/outer/inner")).expectSuccess();
    awaitMounts(unmounted(path("place/outer/inner")));
    shares("add", path("b")).expectSuccess();
    awaitMounts(mounted(path("b"))); // by then the agent is done with what went before

    assertTrue(Files.isDirectory(lab.resolve("place/outer/inner")), this::agentLog);
    shares("remove", path("place/outer")).expectSuccess();
    awaitGuest("[ ! -e %s ]".formatted(path("place/outer/inner")));
    awaitMounts(unmounted(path("place/outer")));
    assertTrue(Files.isDirectory(lab.resolve("place/outer/inner")), this::agentLog);
  }

  @Test
  void editByHandCountsAndBrokenOneDoesNot() throws Exception {
    shareWithAgent("b");
    var file = lab.resolve("state/settings.json");

    var good = "{\"version\": 1, \"mine\": [1], \"shares\": [{\"path\": \"%s\", \"x\": 2}]}";
    Files.writeString(file, good.formatted(path("a")));
    assertAtOnce(awaitMounts(mounted(path("a"))));

    Files.writeString(file, "{\"version\": 1,\n \"shares\": [}\n");
    var list = shares("list");
    while (!list.said().contains("line 2, column 13")) {
      list = shares("list");
    }
    assertTrue(list.said().contains(path("a")), list.said());
    guest.shell(mounted(path("a")));
    var refused = shares("add", path("b"));
    assertTrue(refused.said().contains("line 2, column 13"), refused.said());
    assertEquals("{\"version\": 1,\n \"shares\": [}\n", Files.readString(file));

    // what is not known in it is kept
    Files.writeString(file, good.formatted(path("a")));
    shares("add", path("b")).expectSuccess();
    var text = Files.readString(file);
    assertTrue(text.contains("\"mine\"") && text.contains("\"x\" : 2"), text);
    assertAtOnce(awaitMounts(mounted(path("b"))));
  }

  @Test
  void importTakesDockerDesktopsFolders() throws Exception {
    var docker = lab.resolve("docker.json");
    Files.writeString(
        docker,
        "{\"cpus\": 4, \"filesharingDirectories\": [\"%s\", \"%s\", \"/nowhere\", \"/proc\"]}"
            .formatted(path("a"), path("home")));
    Files.setPosixFilePermissions(
        docker, java.nio.file.attribute.PosixFilePermissions.fromString("rw-r--r--"));
    var said = shares("import", docker.toString()).expectSuccess();
    assertTrue(said.contains("added    " + path("a")), said);
    assertTrue(said.contains("skipped  " + path("home") + " is on the list already"), said);
    assertTrue(said.contains("skipped  /nowhere is not there"), said);
    assertTrue(said.contains("skipped  /proc cannot be shared"), said);
  }

  @Test
  void whatCannotBeSharedIsRefusedWithTheReason() {
    shares("remove", path("home")).expectSuccess();
    serve();
    for (var each :
        List.of(
            List.of("/", "/ cannot be shared"),
            List.of("/proc/1", "the kernel's"),
            List.of("/sys", "the kernel's"),
            List.of("/dev/shm", "the kernel's"),
            List.of(path("none"), "is not there"),
            List.of(path("a/file"), "is no folder"),
            List.of(path("state"), "state folder"),
            List.of("/root", "cannot be read"))) {
      var refused = shares("add", each.get(0));
      assertEquals(1, refused.status(), refused.said());
      assertTrue(refused.said().contains(each.get(1)), refused.said());
    }
    assertNothingShared();
  }

  /**
   * As grpcurl does: reflection tells what there is, and that is called. Guests' sockets have none
   * of it.
   */
  @Test
  void usersToolsFindTheServiceOnTheControlSocketOnly() throws Exception {
    shares("remove", path("home")).expectSuccess();
    serve();
    assertTrue(
        services(lab.resolve("state/control.sock")).contains("hostshare.v1.SettingsService"));
    assertFalse(services(lab.resolve("state/sock")).contains("hostshare.v1.SettingsService"));
    onSocket(
        lab.resolve("state/control.sock"),
        channel -> {
          var service = SettingsServiceGrpc.newBlockingStub(channel);
          var list = service.add(SharedFolder.newBuilder().setPath(path("b")).build());
          assertEquals(ShareState.SHARED, list.getShares(0).getState());
          return list;
        });
    var refused =
        assertThrows(
            StatusRuntimeException.class,
            () ->
                onSocket(
                    lab.resolve("state/sock"),
                    channel ->
                        SettingsServiceGrpc.newBlockingStub(channel)
                            .list(ListSettings.getDefaultInstance())));
    assertEquals(Status.Code.UNIMPLEMENTED, refused.getStatus().getCode());
  }

  private static Set<String> services(Path socket) throws Exception {
    return onSocket(
        socket,
        channel -> {
          var found = new CompletableFuture<Set<String>>();
          var request =
              ServerReflectionGrpc.newStub(channel)
                  .serverReflectionInfo(
                      new StreamObserver<>() {
                        @Override
                        public void onNext(ServerReflectionResponse reply) {
                          found.complete(
                              reply.getListServicesResponse().getServiceList().stream()
                                  .map(ServiceResponse::getName)
                                  .collect(Collectors.toSet()));
                        }

                        @Override
                        public void onError(Throwable e) {
                          found.completeExceptionally(e);
                        }

                        @Override
                        public void onCompleted() {}
                      });
          request.onNext(ServerReflectionRequest.newBuilder().setListServices("").build());
          return found.get(10, SECONDS);
        });
  }

  private interface OnChannel<T> {
    T apply(ManagedChannel channel) throws Exception;
  }

  private static <T> T onSocket(Path socket, OnChannel<T> call) throws Exception {
    var loop = new MultiThreadIoEventLoopGroup(1, EpollIoHandler.newFactory());
    var channel =
        NettyChannelBuilder.forAddress(new DomainSocketAddress(socket.toString()))
            .eventLoopGroup(loop)
            .channelType(EpollDomainSocketChannel.class, DomainSocketAddress.class)
            .usePlaintext()
            .build();
    try {
      return call.apply(channel);
    } finally {
      channel.shutdownNow();
      loop.shutdownGracefully(0, 1, SECONDS).await();
    }
  }

  @Test
  void listOfTheCommandLineCannotBeChanged() {
    serve("--share", path("a"));
    assertTrue(shares("list").expectSuccess().contains(path("a")));
    var refused = shares("add", path("b"));
    assertEquals(1, refused.status());
    assertTrue(refused.said().contains("--share"), refused.said());
  }
}
