package dev.hostshare.test.posix;

/**
 * System calls and their numbers on x86-64.
 *
 * <p>Source: {@code arch/x86/entry/syscalls/syscall_64.tbl}.
 */
public enum Sys {
  READ(0),
  WRITE(1),
  CLOSE(3),
  LSEEK(8),
  MMAP(9),
  MUNMAP(11),
  PREAD64(17),
  PWRITE64(18),
  MSYNC(26),
  DUP(32),
  SENDFILE(40),
  SOCKET(41),
  CONNECT(42),
  BIND(49),
  LISTEN(50),
  FCNTL(72),
  FLOCK(73),
  FSYNC(74),
  FDATASYNC(75),
  TRUNCATE(76),
  FTRUNCATE(77),
  GETCWD(79),
  CHDIR(80),
  FCHMOD(91),
  FCHOWN(93),
  UMASK(95),
  SETGROUPS(116),
  SETRESUID(117),
  SETRESGID(119),
  STATFS(137),
  GETTID(186),
  SETXATTR(188),
  LSETXATTR(189),
  FSETXATTR(190),
  GETXATTR(191),
  LGETXATTR(192),
  FGETXATTR(193),
  LISTXATTR(194),
  REMOVEXATTR(197),
  GETDENTS64(217),
  TGKILL(234),
  OPENAT(257),
  MKDIRAT(258),
  MKNODAT(259),
  FCHOWNAT(260),
  UNLINKAT(263),
  LINKAT(265),
  SYMLINKAT(266),
  READLINKAT(267),
  FCHMODAT(268),
  FACCESSAT(269),
  UNSHARE(272),
  UTIMENSAT(280),
  FALLOCATE(285),
  SYNCFS(306),
  SETNS(308),
  RENAMEAT2(316),
  COPY_FILE_RANGE(326),
  STATX(332);

  final long number;

  Sys(int number) {
    this.number = number;
  }
}
