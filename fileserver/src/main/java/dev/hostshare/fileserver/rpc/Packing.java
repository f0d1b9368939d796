package dev.hostshare.fileserver.rpc;

import com.google.protobuf.ByteString;
import com.google.protobuf.UnsafeByteOperations;
import dev.hostshare.fileserver.export.AttributeChange;
import dev.hostshare.fileserver.export.Attributes;
import dev.hostshare.fileserver.export.Caller;
import dev.hostshare.fileserver.export.Directories;
import dev.hostshare.fileserver.export.Entry;
import dev.hostshare.fileserver.export.Export;
import dev.hostshare.fileserver.export.Files;
import dev.hostshare.fileserver.export.OwnerPolicy;
import dev.hostshare.fileserver.export.ShareSpec;
import dev.hostshare.fileserver.host.ErrnoException;
import dev.hostshare.fileserver.host.HostFs;
import dev.hostshare.fileserver.host.HostStat;
import dev.hostshare.proto.Errno;
import dev.hostshare.proto.v1.Attr;
import dev.hostshare.proto.v1.ClientFrame;
import dev.hostshare.proto.v1.Detail;
import dev.hostshare.proto.v1.DirEntry;
import dev.hostshare.proto.v1.Entries;
import dev.hostshare.proto.v1.Opened;
import dev.hostshare.proto.v1.Setattr;
import dev.hostshare.proto.v1.Share;
import dev.hostshare.proto.v1.Statvfs;
import dev.hostshare.proto.v1.Time;

/** From messages to the export's values and back. */
final class Packing {
  private static final int MAX_NSEC = 999_999_999;

  private Packing() {}

  static Caller caller(ClientFrame frame) {
    if (!frame.hasCaller()) {
      return Caller.UNKNOWN;
    }
    var c = frame.getCaller();
    int[] groups = new int[c.getGroupsCount()];
    for (int i = 0; i < groups.length; i++) {
      groups[i] = c.getGroups(i);
    }
    return new Caller(true, c.getUid(), c.getGid(), c.getPid(), groups);
  }

  static Share share(Export export) {
    ShareSpec spec = export.spec();
    Share.Builder share =
        Share.newBuilder()
            .setPath(spec.path().toString())
            .setReadOnly(spec.readOnly())
            .setIdentity(export.identity());
    switch (spec.owner()) {
      case OwnerPolicy.Host h -> share.setOwner(dev.hostshare.proto.v1.OwnerPolicy.HOST);
      case OwnerPolicy.Caller c -> share.setOwner(dev.hostshare.proto.v1.OwnerPolicy.CALLER);
      case OwnerPolicy.Fixed f ->
          share.setOwner(dev.hostshare.proto.v1.OwnerPolicy.FIXED).setUid(f.uid()).setGid(f.gid());
    }
    return share.build();
  }

  static Attr attr(Attributes a) {
    HostStat s = a.stat();
    return Attr.newBuilder()
        .setIno(a.inode())
        .setMode(a.mode())
        .setNlink(s.nlink())
        .setUid(a.uid())
        .setGid(a.gid())
        .setRdev(a.rdev())
        .setSize(s.size())
        .setBlocks(s.blocks())
        .setBlksize(s.blksize())
        .setAtime(s.atime().sec())
        .setAtimeNsec(s.atime().nsec())
        .setMtime(s.mtime().sec())
        .setMtimeNsec(s.mtime().nsec())
        .setCtime(s.ctime().sec())
        .setCtimeNsec(s.ctime().nsec())
        .setBtime(s.btime().sec())
        .setBtimeNsec(s.btime().nsec())
        .setVolume(a.id().volume())
        .setXattrs(a.hasXattrs())
        .setWatched(a.watched())
        .build();
  }

  static dev.hostshare.proto.v1.Entry entry(Entry e) {
    return dev.hostshare.proto.v1.Entry.newBuilder()
        .setNode(e.node())
        .setAttr(attr(e.attributes()))
        .setNameWatched(e.nameWatched())
        .setEmptyWatched(e.emptyWatched())
        .build();
  }

  static Opened opened(Files.Opened o) {
    Opened.Builder opened =
        Opened.newBuilder()
            .setHandle(o.handle())
            .setAttr(attr(o.attributes()))
            .setCreated(o.created());
    if (o.entry() != null) {
      opened.setEntry(entry(o.entry()));
    }
    return opened.build();
  }

  static Opened opened(Directories.Opened o) {
    Opened.Builder opened = Opened.newBuilder().setHandle(o.handle()).setAttr(attr(o.attributes()));
    if (o.first() != null) {
      opened.setEntries(entries(o.first()));
    }
    if (o.read() != null) {
      opened.setReadAttr(attr(o.read()));
    }
    return opened.build();
  }

  /** A detail of a later version is not known here: the names then have to do. */
  static Directories.Detail detail(Detail detail) {
    return switch (detail) {
      case ATTRIBUTES -> Directories.Detail.ATTRIBUTES;
      case DIRECTORIES -> Directories.Detail.DIRECTORIES;
      case NAMES, UNRECOGNIZED -> Directories.Detail.NAMES;
    };
  }

  static Entries entries(Directories.Listing listing) {
    Entries.Builder entries = Entries.newBuilder().setEnd(listing.end());
    for (Directories.Listed e : listing.entries()) {
      DirEntry.Builder entry =
          DirEntry.newBuilder()
              .setName(bytes(e.name()))
              .setCookie(e.cookie())
              .setIno(e.inode())
              .setType(e.type());
      if (e.entry() != null) {
        entry.setEntry(entry(e.entry()));
      }
      entries.addEntries(entry);
    }
    return entries.build();
  }

  static Statvfs statvfs(HostFs.StatVfs s) {
    return Statvfs.newBuilder()
        .setBlocks(s.blocks())
        .setBfree(s.bfree())
        .setBavail(s.bavail())
        .setFiles(s.files())
        .setFfree(s.ffree())
        .setBsize(s.bsize())
        .setFrsize(s.frsize())
        .setNamelen(s.namelen())
        .build();
  }

  static AttributeChange change(Setattr s) throws ErrnoException {
    return new AttributeChange(
        s.hasMode() ? s.getMode() : null,
        s.hasUid() ? s.getUid() : null,
        s.hasGid() ? s.getGid() : null,
        s.hasSize() ? s.getSize() : null,
        s.hasAtime() ? time(s.getAtime()) : null,
        s.hasMtime() ? time(s.getMtime()) : null,
        s.getKillSuidgid());
  }

  private static HostStat.Time time(Time t) throws ErrnoException {
    if (t.getNow()) {
      return HostFs.NOW;
    }
    // Beyond this lie UTIME_NOW and UTIME_OMIT.
    if (t.getNsec() < 0 || t.getNsec() > MAX_NSEC) {
      throw ErrnoException.of(Errno.EINVAL);
    }
    return new HostStat.Time(t.getSec(), t.getNsec());
  }

  /** Wraps an array that nobody changes any more. */
  static ByteString bytes(byte[] array) {
    return UnsafeByteOperations.unsafeWrap(array);
  }
}
