package dev.hostshare.test.vm;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.hostshare.test.system.Certificates;
import dev.hostshare.test.system.Installation;
import dev.hostshare.test.system.Lab;
import dev.hostshare.test.system.Ports;
import dev.hostshare.test.system.Server;
import dev.hostshare.test.system.SystemTest;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * The server on this machine as an ordinary user, over TCP with TLS; agent, Docker engine and
 * PostgreSQL in a virtual machine. Its processor is emulated: everything takes 10 to 20 times
 * longer than on the host, and so do the limits.
 */
@SystemTest
@Tag("vm")
@Timeout(1800)
class VirtualMachineTest {
  private static final Duration LIMIT = Duration.ofMinutes(15);
  private static final String MNT = "/mnt/share";

  /**
   * One virtual processor and no second compiler. HotSpot redirects a compiled method by writing a
   * jump over its first instruction, at once for a real processor; QEMU's emulation with a thread
   * for each processor fetches an instruction in pieces and may execute half of each: 7 of 34
   * mounts crashed the JVM so under QEMU 7.2, 3 of 24 under 10.0, none of 28 with one compiler or
   * one processor, where 16 methods instead of 263 are redirected and none while it runs.
   */
  private static final String AGENT =
      "HOSTSHARE_JAVA_OPTS=-XX:TieredStopAtLevel=1 taskset -c 1 /opt/hostshare/bin/hostshare-agent";

  private static Path folder;
  private static Path share;
  private static Server server;
  private static VirtualMachine machine;
  private static String mount;

  @BeforeAll
  static void start() throws IOException {
    folder = Installation.newFolder("hostshare-vm");
    share = Files.createDirectory(folder.resolve("share"));
    Files.writeString(share.resolve("hello"), "hello guest");
    var state = Files.createDirectory(folder.resolve("state"));
    for (var path : List.of(share, share.resolve("hello"), state)) {
      Lab.own(path);
    }
    var certificates = Certificates.authority(folder.resolve("tls"));
    certificates.sign("server", "IP:" + VirtualMachine.HOST);
    certificates.sign("guest", "DNS:guest");
    int port = Ports.free();
    var serve =
        new ArrayList<>(
            List.of(
                "--state", state.toString(),
                "--listen", "tcp:127.0.0.1:" + port,
                "--share", share.toString()));
    serve.addAll(List.of(certificates.options("server")));
    server = Server.start(serve.toArray(String[]::new));
    machine = VirtualMachine.start();
    machine.push(
        "/opt/hostshare",
        Installation.prefix().resolve("bin"),
        Installation.prefix().resolve("lib"));
    machine.push(
        "/opt/hostshare/tls",
        certificates.ca(),
        certificates.certificate("guest"),
        certificates.key("guest"));
    mount =
        """
        %s mount --server tcp:%s:%d %s %s \
          --tls-cert /opt/hostshare/tls/guest.pem --tls-key /opt/hostshare/tls/guest.key \
          --tls-ca /opt/hostshare/tls/ca.pem -o timeout=120
        """
            .formatted(AGENT, VirtualMachine.HOST, port, share, MNT);
    mountInGuest();
  }

  private static void mountInGuest() {
    try {
      machine.shell(LIMIT, mount);
    } catch (AssertionError e) {
      var told =
          machine.shell(
              LIMIT,
              "head -n 100 /hs_err_pid*.log ~/hs_err_pid*.log /var/log/hostshare/* 2>&1 || true");
      throw new AssertionError(e.getMessage() + told + "\n" + server.log(), e);
    }
  }

  @AfterAll
  static void stop() {
    try {
      if (machine != null) {
        machine.close();
      }
    } finally {
      if (server != null) {
        server.close();
      }
      Installation.remove(folder);
    }
  }

  private static String shell(String script) {
    return machine.shell(LIMIT, "cd " + MNT + "\n" + script);
  }

  private static void remount() {
    machine.shell(LIMIT, AGENT + " umount " + MNT);
    assertEquals(0, server.stop());
    server.start();
    mountInGuest();
  }

  @Test
  void ownersModesAndNodesAreTheGuestsOnly() throws IOException {
    assertEquals("hello guest", shell("cat hello"));
    shell(
        """
        mkdir owned; echo x > owned/f
        chown -R 999:998 owned; chmod 2750 owned; chmod 4711 owned/f
        mknod owned/null c 1 3; mkfifo owned/p; ln -s f owned/l; ln owned/f owned/h
        setfattr -n user.note -v kept owned/f; setfacl -m u:1001:rwx owned/f
        """);
    var told =
        "stat -c '%n %F %u %g %a %h %t %T' owned owned/*; getfattr -d owned/f; getfacl -n owned/f";
    var before = shell(told);
    assertTrue(before.contains("owned/f regular file 999 998 4771 2"), before);
    assertTrue(before.contains("owned/null character special file 0 998 644 1 1 3"), before);
    assertEquals(Server.UID, Files.getAttribute(share.resolve("owned/f"), "unix:uid"));
    assertEquals(0644, (int) Files.getAttribute(share.resolve("owned/f"), "unix:mode") & 07777);
    remount();
    assertEquals(before, shell(told));
  }

  @Test
  void containersUseTheMount() throws IOException {
    shell(
        """
        mkdir -p app/inner other; echo one > app/conf
        run() { docker run --rm --network=none "$@"; }
        test "$(run -v $PWD/app:/app busybox cat /app/conf)" = one
        run -v $PWD/app/conf:/etc/conf busybox sh -c 'echo two > /etc/conf'
        test "$(cat app/conf)" = two
        run -v $PWD/app:/app:ro busybox sh -c '! touch /app/new'
        run --mount type=bind,source=$PWD/app,target=/app busybox touch /app/made
        run -v $PWD/app:/app -v $PWD/other:/app/inner busybox touch /app/inner/nested
        test -e other/nested
        run -v $PWD/app:/app busybox sh -c 'mkdir /app/db; touch /app/db/f; chown -R 999:998 /app/db; chmod 700 /app/db'
        run -u 999:998 -v $PWD/app:/app busybox sh -c 'echo mine > /app/db/f; test -O /app/db/f'
        run -u 1000 -v $PWD/app:/app busybox sh -c '! cat /app/db/f; ! touch /app/x'
        """);
    assertEquals("mine\n", Files.readString(share.resolve("app/db/f")));
    assertEquals(Server.UID, Files.getAttribute(share.resolve("app/db/f"), "unix:uid"));
  }

  @Test
  void containersRestartAndRunSideBySide() {
    assertEquals(
        "start\nstart\ntold",
        shell(
            """
            mkdir two; mkfifo two/pipe
            docker run -d --network=none --name first -v $PWD/two:/data busybox \
              sh -c 'echo start >> /data/log; read line < /data/pipe; echo $line >> /data/log' >/dev/null
            until [ -s two/log ]; do sleep 0.2; done
            docker restart -t 0 first >/dev/null
            docker run --rm --network=none -v $PWD/two:/app busybox sh -c 'echo told > /app/pipe'
            docker wait first >/dev/null; docker rm first >/dev/null
            cat two/log
            """));
  }

  @Test
  void postgresSurvivesACrashAndARestart() {
    var functions =
        """
        data=%s/pg
        bin=$(ls -d /usr/lib/postgresql/*/bin)
        as() { setpriv --reuid=postgres --regid=postgres --init-groups -- "$@"; }
        start() { as $bin/pg_ctl -D $data -w -t 600 -l $data/log -o "-k /run/postgresql -c listen_addresses=" start >/dev/null; }
        stop() { as $bin/pg_ctl -D $data -w -t 600 -m $1 stop >/dev/null; }
        sql() { as $bin/psql -h /run/postgresql -X -A -t -v ON_ERROR_STOP=1 -c "$1" postgres; }
        bench() { as $bin/pgbench -h /run/postgresql "$@" postgres >/dev/null; }
        consistent() {
          test "$(sql "select sum(delta) = (select sum(abalance) from pgbench_accounts) from pgbench_history")" = t
        }
        """
            .formatted(MNT);
    shell(
        functions
            + """
            mkdir $data; chown postgres:postgres $data; chmod 700 $data
            as $bin/initdb -D $data --data-checksums -A trust --locale=C >/dev/null
            start; bench -i -q; bench -n -c 4 -t 25; consistent
            bench -n -c 4 -T 900 2>/dev/null &
            until [ $(sql "select count(*) from pgbench_history") -gt 120 ]; do sleep 0.2; done
            stop immediate; ! wait $!
            start; consistent; stop fast
            as $bin/pg_checksums -c -D $data >/dev/null
            """);
    remount();
    shell(functions + "start; consistent; bench -n -c 4 -t 5; consistent; stop fast");
  }
}
