package dev.hostshare.agent.jnr;

import dev.hostshare.proto.v1.Attr;
import ru.serce.jnrfuse.struct.FileStat;
import ru.serce.jnrfuse.struct.Statvfs;

/** Writes attributes in libc's structures. */
final class StatPacking {
  private StatPacking() {}

  static void pack(Attr attr, FileStat stat) {
    stat.st_ino.set(attr.getIno());
    stat.st_mode.set(attr.getMode());
    stat.st_nlink.set(attr.getNlink());
    stat.st_uid.set(attr.getUid());
    stat.st_gid.set(attr.getGid());
    stat.st_rdev.set(attr.getRdev());
    stat.st_size.set(attr.getSize());
    stat.st_blocks.set(attr.getBlocks());
    stat.st_blksize.set(attr.getBlksize());
    stat.st_atim.tv_sec.set(attr.getAtime());
    stat.st_atim.tv_nsec.set(attr.getAtimeNsec());
    stat.st_mtim.tv_sec.set(attr.getMtime());
    stat.st_mtim.tv_nsec.set(attr.getMtimeNsec());
    stat.st_ctim.tv_sec.set(attr.getCtime());
    stat.st_ctim.tv_nsec.set(attr.getCtimeNsec());
  }

  static void pack(dev.hostshare.proto.v1.Statvfs from, Statvfs to) {
    to.f_bsize.set(from.getBsize());
    to.f_frsize.set(from.getFrsize());
    to.f_blocks.set(from.getBlocks());
    to.f_bfree.set(from.getBfree());
    to.f_bavail.set(from.getBavail());
    to.f_files.set(from.getFiles());
    to.f_ffree.set(from.getFfree());
    to.f_namemax.set(from.getNamelen());
  }
}
