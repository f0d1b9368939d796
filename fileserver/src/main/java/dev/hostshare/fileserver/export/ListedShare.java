package dev.hostshare.fileserver.export;

import java.nio.file.Path;

/**
 * A line of the list of shares, as {@link Shares#apply} takes it.
 *
 * @param folder the folder that the spec's path leads to, free of symbolic links, so that nothing
 *     else is opened than what was judged; null if it cannot be found out just now: then what is
 *     shared of it stays shared
 * @param open false: guests may not have the folder, not through a share that it lies in either
 */
public record ListedShare(ShareSpec spec, Path folder, boolean open) {}
