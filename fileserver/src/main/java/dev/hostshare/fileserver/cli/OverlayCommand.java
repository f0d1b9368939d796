package dev.hostshare.fileserver.cli;

import com.google.protobuf.InvalidProtocolBufferException;
import com.google.protobuf.util.JsonFormat;
import dev.hostshare.proto.v1.AdminServiceGrpc.AdminServiceBlockingStub;
import dev.hostshare.proto.v1.OverlayChange;
import dev.hostshare.proto.v1.OverlayCount;
import dev.hostshare.proto.v1.OverlayFinding;
import dev.hostshare.proto.v1.OverlayPath;
import dev.hostshare.proto.v1.OverlayRecord;
import dev.hostshare.proto.v1.OverlayXattr;
import io.grpc.StatusRuntimeException;
import io.grpc.stub.ClientCallStreamObserver;
import io.grpc.stub.ClientResponseObserver;
import io.grpc.stub.StreamObserver;
import java.io.BufferedReader;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.OutputStreamWriter;
import java.io.PrintWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Iterator;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code hostshare overlay}: looks at and changes what guests have set, server running or not. */
@Command(
    name = "overlay",
    mixinStandardHelpOptions = true,
    description =
        "Owners, modes, special files and extended attributes that guests have set. The host's files"
            + " themselves are never changed by these commands.")
final class OverlayCommand implements Runnable {
  @ParentCommand private HostShareCommand parent;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(
        spec.commandLine(), "one of ls, get, set, clear, verify, gc, export, import is missing");
  }

  private interface WithServer {
    void run(AdminServiceBlockingStub server, PrintWriter out) throws IOException;
  }

  private int with(WithServer action) throws IOException {
    try (AdminClient client = AdminClient.open(parent.state());
        PrintWriter out = standardOutput()) {
      action.run(client.stub(), out);
      return CommandLine.ExitCode.OK;
    } catch (StatusRuntimeException e) {
      throw AdminClient.failure(e);
    }
  }

  private static PrintWriter standardOutput() {
    return new PrintWriter(
        new BufferedWriter(new OutputStreamWriter(System.out, StandardCharsets.UTF_8)));
  }

  private static OverlayPath path(Path path, boolean recursive) {
    return OverlayPath.newBuilder()
        .setPath(path == null ? "" : path.toAbsolutePath().normalize().toString())
        .setRecursive(recursive)
        .build();
  }

  @Command(
      name = "ls",
      mixinStandardHelpOptions = true,
      description = "Lists the records at and below PATH, or all.")
  int list(@Parameters(arity = "0..1", paramLabel = "PATH") Path path) throws IOException {
    return with(
        (server, out) -> {
          Iterator<OverlayRecord> records = server.overlayList(path(path, true));
          while (records.hasNext()) {
            out.println(line(records.next()));
          }
        });
  }

  @Command(name = "get", mixinStandardHelpOptions = true, description = "Shows the record of PATH.")
  int get(@Parameters(paramLabel = "PATH") Path path) throws IOException {
    return with((server, out) -> out.println(line(server.overlayGet(path(path, false)))));
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = "Sets what guests see as owner, group or mode of PATH.")
  int set(
      @Parameters(paramLabel = "PATH") Path path,
      @Option(names = "--uid", paramLabel = "UID") Long uid,
      @Option(names = "--gid", paramLabel = "GID") Long gid,
      @Option(names = "--mode", paramLabel = "OCTAL") String mode)
      throws IOException {
    OverlayChange.Builder change = OverlayChange.newBuilder().setPath(path(path, false).getPath());
    if (uid != null) {
      change.setUid(id("--uid", uid));
    }
    if (gid != null) {
      change.setGid(id("--gid", gid));
    }
    if (mode != null) {
      change.setMode(octal(mode));
    }
    if (uid == null && gid == null && mode == null) {
      throw wrong("nothing to set: give --uid, --gid or --mode");
    }
    return with((server, out) -> out.println(line(server.overlaySet(change.build()))));
  }

  private int id(String option, long value) {
    if (value < 0 || value > 0xffff_fffeL) {
      throw wrong(option + " " + value + " is not from 0 to 4294967294");
    }
    return (int) value;
  }

  private int octal(String mode) {
    if (!mode.matches("[0-7]{1,5}") || Integer.parseInt(mode, 8) > 07777) {
      throw wrong("--mode " + mode + " is no octal number up to 7777");
    }
    return Integer.parseInt(mode, 8);
  }

  private CommandLine.ParameterException wrong(String message) {
    return new CommandLine.ParameterException(spec.commandLine(), message);
  }

  @Command(
      name = "clear",
      mixinStandardHelpOptions = true,
      description = "Removes the record of PATH: guests see it as it is on the host again.")
  int clear(
      @Parameters(paramLabel = "PATH") Path path,
      @Option(
              names = {"-r", "--recursive"},
              description = "And of all below it.")
          boolean recursive)
      throws IOException {
    return with(
        (server, out) -> {
          OverlayCount cleared = server.overlayClear(path(path, recursive));
          out.println(cleared.getCount() + " records removed");
        });
  }

  @Command(
      name = "verify",
      mixinStandardHelpOptions = true,
      description =
          "Compares all records with the host's files. Ends with 1 if a record has lost its file.")
  int verify() throws IOException {
    boolean[] lost = new boolean[1];
    with(
        (server, out) -> {
          Iterator<OverlayFinding> findings = server.overlayVerify(path(null, true));
          while (findings.hasNext()) {
            OverlayFinding f = findings.next();
            out.println(f.getPath() + ": " + f.getProblem());
            lost[0] |= !f.getProblem().startsWith("now at ");
          }
        });
    return lost[0] ? CommandLine.ExitCode.SOFTWARE : CommandLine.ExitCode.OK;
  }

  @Command(
      name = "gc",
      mixinStandardHelpOptions = true,
      description = "Removes the records of files that are in none of the shared folders any more.")
  int gc() throws IOException {
    return with(
        (server, out) ->
            out.println(server.overlayGc(path(null, true)).getCount() + " records removed"));
  }

  @Command(
      name = "export",
      mixinStandardHelpOptions = true,
      description = "Writes the records at and below PATH, or all, as lines of JSON.")
  int export(@Parameters(arity = "0..1", paramLabel = "PATH") Path path) throws IOException {
    return with(
        (server, out) -> {
          JsonFormat.Printer json = JsonFormat.printer().omittingInsignificantWhitespace();
          Iterator<OverlayRecord> records = server.overlayList(path(path, true));
          while (records.hasNext()) {
            out.println(json.print(records.next()));
          }
        });
  }

  @Command(
      name = "import",
      mixinStandardHelpOptions = true,
      description = "Reads what export wrote, from FILE or standard input, and sets it by path.")
  int importRecords(@Parameters(arity = "0..1", paramLabel = "FILE") Path file) throws IOException {
    try (AdminClient client = AdminClient.open(parent.state());
        BufferedReader in =
            file == null
                ? new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8))
                : Files.newBufferedReader(file)) {
      Import target = new Import();
      StreamObserver<OverlayRecord> records = client.asyncStub().overlayImport(target);
      int number = 0;
      for (String text = in.readLine(); text != null; text = in.readLine()) {
        number++;
        if (!text.isBlank() && target.awaitReady()) {
          records.onNext(parse(text, number));
        }
      }
      records.onCompleted();
      System.out.println(await(target.result).getCount() + " records imported");
      return CommandLine.ExitCode.OK;
    }
  }

  private static OverlayRecord parse(String text, int number) throws IOException {
    OverlayRecord.Builder record = OverlayRecord.newBuilder();
    try {
      JsonFormat.parser().merge(text, record);
    } catch (InvalidProtocolBufferException e) {
      throw new IOException("line " + number + " is no exported record: " + e.getMessage(), e);
    }
    return record.build();
  }

  /** What the server says of the records that are sent to it. */
  private static final class Import implements ClientResponseObserver<OverlayRecord, OverlayCount> {
    final CompletableFuture<OverlayCount> result = new CompletableFuture<>();
    private ClientCallStreamObserver<OverlayRecord> records;

    @Override
    public void beforeStart(ClientCallStreamObserver<OverlayRecord> requests) {
      records = requests;
      records.setOnReadyHandler(this::wake);
    }

    private synchronized void wake() {
      notifyAll();
    }

    /**
     * Waits until the server has taken what was sent before: it would wait in our memory. False if
     * the server has given its answer already.
     */
    synchronized boolean awaitReady() throws IOException {
      try {
        while (!records.isReady() && !result.isDone()) {
          wait();
        }
      } catch (InterruptedException e) {
        Thread.currentThread().interrupt();
        throw new IOException("interrupted", e);
      }
      return !result.isDone();
    }

    @Override
    public void onNext(OverlayCount count) {
      result.complete(count);
      wake();
    }

    @Override
    public void onError(Throwable t) {
      result.completeExceptionally(t);
      wake();
    }

    @Override
    public void onCompleted() {
      result.completeExceptionally(new IOException("the server gave no answer"));
      wake();
    }
  }

  private static OverlayCount await(CompletableFuture<OverlayCount> result) throws IOException {
    try {
      return result.get();
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new IOException("interrupted", e);
    } catch (ExecutionException e) {
      if (e.getCause() instanceof StatusRuntimeException status) {
        throw AdminClient.failure(status);
      }
      throw new IOException(e.getCause().getMessage(), e);
    }
  }

  private static String line(OverlayRecord r) {
    StringBuilder out = new StringBuilder();
    if (r.hasUid()) {
      out.append("uid=").append(Integer.toUnsignedString(r.getUid())).append(' ');
    }
    if (r.hasGid()) {
      out.append("gid=").append(Integer.toUnsignedString(r.getGid())).append(' ');
    }
    if (r.hasMode()) {
      out.append(String.format("mode=%04o ", r.getMode()));
    }
    if (r.hasType()) {
      out.append(SpecialType.describe(r.getType(), r.getRdev())).append(' ');
    }
    for (OverlayXattr x : r.getXattrsList()) {
      out.append(x.getName().toStringUtf8()).append('=');
      out.append(x.getValue().size()).append("B ");
    }
    return out.append(r.getPath()).toString();
  }
}
