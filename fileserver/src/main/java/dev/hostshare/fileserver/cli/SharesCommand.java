package dev.hostshare.fileserver.cli;

import com.google.protobuf.util.JsonFormat;
import dev.hostshare.proto.v1.Administration;
import dev.hostshare.proto.v1.ImportShares;
import dev.hostshare.proto.v1.Imported;
import dev.hostshare.proto.v1.ListSettings;
import dev.hostshare.proto.v1.OwnerPolicy;
import dev.hostshare.proto.v1.RemoveShare;
import dev.hostshare.proto.v1.Settings;
import dev.hostshare.proto.v1.SettingsServiceGrpc.SettingsServiceBlockingStub;
import dev.hostshare.proto.v1.ShareAccess;
import dev.hostshare.proto.v1.SharedFolder;
import dev.hostshare.proto.v1.UpdateShare;
import io.grpc.StatusRuntimeException;
import java.io.IOException;
import java.nio.charset.MalformedInputException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.List;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code hostshare shares}: the file-sharing list, with the server running or not. */
@Command(
    name = "shares",
    mixinStandardHelpOptions = true,
    description =
        "Shows and changes the file-sharing list, which alone decides what guests may see. Changes"
            + " take effect at once in a running server.",
    synopsisSubcommandLabel = "COMMAND")
final class SharesCommand implements Runnable {
  @ParentCommand private HostShareCommand parent;
  @Spec private CommandSpec spec;

  @Override
  public void run() {
    throw new CommandLine.ParameterException(spec.commandLine(), "a command is missing");
  }

  private interface Call<T> {
    T run(SettingsServiceBlockingStub service);
  }

  private <T> T call(Call<T> call) throws IOException {
    try (AdminClient client = AdminClient.openSettings(parent.state())) {
      return call.run(client.settings());
    } catch (StatusRuntimeException e) {
      throw AdminClient.failure(e);
    }
  }

  @Command(
      name = "list",
      mixinStandardHelpOptions = true,
      description = "Shows the list: access, owner, path, and why something is not shared.")
  int list(@Option(names = "--json", description = "As one JSON object.") boolean json)
      throws IOException {
    Settings settings = call(service -> service.list(ListSettings.getDefaultInstance()));
    if (json) {
      System.out.println(JsonFormat.printer().alwaysPrintFieldsWithNoPresence().print(settings));
    } else {
      print(settings);
    }
    return CommandLine.ExitCode.OK;
  }

  private static void print(Settings settings) {
    Administration administration = settings.getAdministration();
    for (String problem : List.of(settings.getProblem(), administration.getProblem())) {
      if (!problem.isEmpty()) {
        System.err.println(
            "hostshare shares: " + problem + "; the list below is the last good one");
      }
    }
    if (settings.getSharesCount() == 0) {
      System.out.println("nothing is shared");
    }
    for (var share : settings.getSharesList()) {
      System.out.printf(
          "%-2s  %-12s  %s%s%s%n",
          share.getAccess() == ShareAccess.READ_ONLY ? "ro" : "rw",
          owner(share),
          share.getPath(),
          share.getNote().isEmpty() ? "" : "  # " + share.getNote().replaceAll("\\p{Cntrl}", " "),
          switch (share.getState()) {
            case DISABLED -> "  (disabled)";
            case UNAVAILABLE, DENIED ->
                System.lineSeparator() + "    not shared: " + share.getReason();
            default -> "";
          });
    }
    if (administration.getListLocked()) {
      System.out.println("the administrator has locked this list: " + administration.getFile());
    } else if (administration.getRestricted()) {
      System.out.println(
          "the administrator allows only "
              + String.join(", ", administration.getAllowedList())
              + " and what is in there: "
              + administration.getFile());
    }
  }

  private static String owner(SharedFolder share) {
    return switch (share.getOwner()) {
      case FIXED ->
          Integer.toUnsignedString(share.getUid()) + ":" + Integer.toUnsignedString(share.getGid());
      case CALLER -> "caller";
      default -> "host";
    };
  }

  /** What may be said of a share. */
  static final class Attributes {
    @Option(names = "--access", paramLabel = "rw|ro", description = "Read and write, or read only.")
    private String access;

    @Option(
        names = "--owner",
        paramLabel = "host|caller|UID:GID",
        description = "Who owns what no guest has chowned.")
    private String owner;

    @Option(names = "--note", paramLabel = "TEXT", description = "Your own words on it.")
    private String note;

    private ShareAccess access() {
      return switch (access) {
        case null -> ShareAccess.SHARE_ACCESS_UNSPECIFIED;
        case "rw" -> ShareAccess.READ_WRITE;
        case "ro" -> ShareAccess.READ_ONLY;
        default ->
            throw new IllegalArgumentException("--access is rw or ro, and not '" + access + "'");
      };
    }

    /** What is said of access and owner; what is not said is left out. */
    SharedFolder.Builder said() {
      var said = SharedFolder.newBuilder().setAccess(access());
      switch (owner == null ? null : dev.hostshare.fileserver.export.OwnerPolicy.parse(owner)) {
        case null -> {}
        case dev.hostshare.fileserver.export.OwnerPolicy.Host h -> said.setOwner(OwnerPolicy.HOST);
        case dev.hostshare.fileserver.export.OwnerPolicy.Caller c ->
            said.setOwner(OwnerPolicy.CALLER);
        case dev.hostshare.fileserver.export.OwnerPolicy.Fixed f ->
            said.setOwner(OwnerPolicy.FIXED).setUid(f.uid()).setGid(f.gid());
      }
      return said;
    }
  }

  private <T> T checked(java.util.function.Supplier<T> read) {
    try {
      return read.get();
    } catch (IllegalArgumentException e) {
      throw new CommandLine.ParameterException(spec.commandLine(), e.getMessage(), e);
    }
  }

  /** A relative path is meant from here, as everywhere on the command line. */
  private static String absolute(String path) {
    return path.isEmpty() ? path : Path.of(path).toAbsolutePath().normalize().toString();
  }

  @Command(
      name = "add",
      mixinStandardHelpOptions = true,
      description = "Shares a folder, with all that is in it.")
  int add(
      @Parameters(paramLabel = "DIR", description = "The folder.") String path,
      @CommandLine.Mixin Attributes attributes,
      @Option(names = "--disabled", description = "On the list only, and not shared yet.")
          boolean disabled)
      throws IOException {
    var share =
        checked(attributes::said)
            .setPath(checked(() -> absolute(path)))
            .setDisabled(disabled)
            .setNote(attributes.note == null ? "" : attributes.note);
    call(service -> service.add(share.build()));
    return CommandLine.ExitCode.OK;
  }

  @Command(
      name = "set",
      mixinStandardHelpOptions = true,
      description = "Changes what is said of a share; what is not named stays.")
  int set(
      @Parameters(paramLabel = "DIR", description = "A folder on the list.") String path,
      @CommandLine.Mixin Attributes attributes,
      @Option(
              names = "--enabled",
              paramLabel = "yes|no",
              description = "no: kept on the list, and not shared.")
          String enabled)
      throws IOException {
    SharedFolder.Builder said = checked(attributes::said);
    var change =
        UpdateShare.newBuilder()
            .setPath(checked(() -> absolute(path)))
            .setAccess(said.getAccess())
            .setOwner(said.getOwner())
            .setUid(said.getUid())
            .setGid(said.getGid());
    if (attributes.note != null) {
      change.setNote(attributes.note);
    }
    if (enabled != null) {
      change.setDisabled(!checked(() -> isYes(enabled)));
    }
    if (attributes.access == null
        && attributes.owner == null
        && attributes.note == null
        && enabled == null) {
      throw new CommandLine.ParameterException(
          spec.commandLine().getSubcommands().get("set"),
          "nothing to set: name --access, --owner, --enabled or --note");
    }
    call(service -> service.update(change.build()));
    return CommandLine.ExitCode.OK;
  }

  private static boolean isYes(String text) {
    return switch (text) {
      case "yes" -> true;
      case "no" -> false;
      default ->
          throw new IllegalArgumentException("--enabled is yes or no, and not '" + text + "'");
    };
  }

  @Command(
      name = "remove",
      mixinStandardHelpOptions = true,
      description =
          "Takes folders off the list: guests lose them at once. The folders themselves are not"
              + " touched.")
  int remove(
      @Parameters(arity = "1..*", paramLabel = "DIR", description = "A folder on the list.")
          List<String> paths)
      throws IOException {
    for (String path : paths) {
      String absolute = checked(() -> absolute(path));
      call(service -> service.remove(RemoveShare.newBuilder().setPath(absolute).build()));
    }
    return CommandLine.ExitCode.OK;
  }

  @Command(
      name = "import",
      mixinStandardHelpOptions = true,
      description =
          "Adds the shared folders of Docker Desktop's settings: settings.json, or"
              + " settings-store.json.")
  int importShares(
      @Parameters(paramLabel = "FILE", description = "Docker Desktop's settings file.") Path file)
      throws IOException {
    String json = read(file);
    Imported imported =
        call(service -> service.import_(ImportShares.newBuilder().setJson(json).build()));
    imported.getAddedList().forEach(path -> System.out.println("added    " + path));
    imported.getSkippedList().forEach(reason -> System.out.println("skipped  " + reason));
    if (imported.getAddedCount() + imported.getSkippedCount() == 0) {
      System.out.println(file + " shares nothing");
    }
    return CommandLine.ExitCode.OK;
  }

  /** 1 MiB: Docker Desktop's has a few KiB. */
  private static final int MAX_IMPORT = 1 << 20;

  private static String read(Path file) throws IOException {
    try {
      if (Files.size(file) > MAX_IMPORT) {
        throw new IOException(file + " has more than 1 MiB: it is no settings file");
      }
      return Files.readString(file, StandardCharsets.UTF_8);
    } catch (NoSuchFileException e) {
      throw new IOException(file + " is not there", e);
    } catch (MalformedInputException e) {
      throw new IOException(file + " is not UTF-8 text", e);
    }
  }
}
