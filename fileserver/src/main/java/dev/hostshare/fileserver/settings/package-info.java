/**
 * The file-sharing list: what its user shares, what an administrator allows, and what of it is in
 * force. docs/settings.md is the manual for users.
 *
 * <p>{@link dev.hostshare.fileserver.settings.SettingsStore} is the one place where the list is
 * read and changed. The list is in {@code settings.json} in the state folder, which people edit,
 * too: it is read again whenever it changes, what is not known in it is kept, and when it cannot be
 * read the last good list stays in force. {@link dev.hostshare.fileserver.settings.AdminSettings}
 * has the last word; {@link dev.hostshare.fileserver.settings.EffectiveShare} is the outcome, share
 * by share.
 *
 * <p>Nothing here opens a share: that is {@link dev.hostshare.fileserver.export.Shares}, which is
 * told of each change before the call that made it returns.
 */
package dev.hostshare.fileserver.settings;
