package dev.hostshare.fileserver.settings;

import dev.hostshare.fileserver.export.OwnerPolicy;
import java.nio.file.Path;
import java.util.List;

/**
 * The list as it is at one moment.
 *
 * @param shares by path
 * @param problem why the user's file cannot be read since; empty if it can. The list is the last
 *     good one
 * @param fixed whether the list is that of the command line, which cannot be changed
 * @param admin the last good one
 * @param adminProblem as {@code problem}, of the administrator's file
 * @param defaultOwner of shares that name none
 */
public record Snapshot(
    List<EffectiveShare> shares,
    Path file,
    String problem,
    boolean fixed,
    AdminSettings admin,
    String adminProblem,
    OwnerPolicy defaultOwner) {}
