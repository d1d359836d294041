/**
 * Numbers of the kernel's and glibc's interfaces, each with the header it comes from. Where x86-64
 * and arm64 differ the CPU is asked here and nowhere else. It knows no call.
 */

export type MountFlag =
  | 'bind'
  | 'dirsync'
  | 'lazytime'
  | 'mandlock'
  | 'move'
  | 'noatime'
  | 'nodev'
  | 'nodiratime'
  | 'noexec'
  | 'nosuid'
  | 'nosymfollow'
  | 'private'
  | 'rec'
  | 'relatime'
  | 'remount'
  | 'ro'
  | 'shared'
  | 'silent'
  | 'slave'
  | 'strictatime'
  | 'sync'
  | 'unbindable';

/** MS_* of linux/mount.h, under the words of mount(8). */
export const MS: Readonly<Record<MountFlag, number>> = {
  ro: 1,
  nosuid: 2,
  nodev: 4,
  noexec: 8,
  sync: 16,
  remount: 32,
  mandlock: 64,
  dirsync: 128,
  nosymfollow: 256,
  noatime: 1024,
  nodiratime: 2048,
  bind: 4096,
  move: 8192,
  rec: 16384,
  silent: 32768,
  unbindable: 1 << 17,
  private: 1 << 18,
  slave: 1 << 19,
  shared: 1 << 20,
  relatime: 1 << 21,
  strictatime: 1 << 24,
  lazytime: 1 << 25,
};

export type UnmountFlag = 'detach' | 'expire' | 'force' | 'nofollow';

/** MNT_* and UMOUNT_NOFOLLOW of sys/mount.h. */
export const MNT: Readonly<Record<UnmountFlag, number>> = {
  force: 1,
  detach: 2,
  expire: 4,
  nofollow: 8,
};

export type FilesystemName =
  | 'cgroup'
  | 'cgroup2'
  | 'devpts'
  | 'mqueue'
  | 'overlay'
  | 'proc'
  | 'ramfs'
  | 'sysfs'
  | 'tmpfs';

/** f_type of statfs(2), from linux/magic.h. devtmpfs says `tmpfs`. */
export const MAGIC: Readonly<Record<FilesystemName, number>> = {
  cgroup: 0x27e0eb,
  cgroup2: 0x63677270,
  devpts: 0x1cd1,
  mqueue: 0x19800202,
  overlay: 0x794c7630,
  proc: 0x9fa0,
  ramfs: 0x858458f6,
  sysfs: 0x62656572,
  tmpfs: 0x01021994,
};

const ARM64: boolean = process.arch === 'arm64';

export type OpenFlag =
  | 'APPEND'
  | 'ASYNC'
  | 'CLOEXEC'
  | 'CREAT'
  | 'DIRECTORY'
  | 'EXCL'
  | 'NOCTTY'
  | 'NOFOLLOW'
  | 'NONBLOCK'
  | 'PATH'
  | 'RDONLY'
  | 'RDWR'
  | 'TRUNC'
  | 'WRONLY';

/** O_* of asm-generic/fcntl.h; arm64 has its own two in asm/fcntl.h. */
export const O: Readonly<Record<OpenFlag, number>> = {
  RDONLY: 0,
  WRONLY: 1,
  RDWR: 2,
  CREAT: 0o100,
  EXCL: 0o200,
  NOCTTY: 0o400,
  TRUNC: 0o1000,
  APPEND: 0o2000,
  NONBLOCK: 0o4000,
  ASYNC: 0o20000,
  DIRECTORY: ARM64 ? 0o40000 : 0o200000,
  NOFOLLOW: ARM64 ? 0o100000 : 0o400000,
  CLOEXEC: 0o2000000,
  PATH: 0o10000000,
};

export type FileKind = 'block' | 'char' | 'directory' | 'fifo' | 'file' | 'link' | 'socket';

/** S_IF* of linux/stat.h. */
export const S_IF: Readonly<Record<FileKind, number>> = {
  fifo: 0o010000,
  char: 0o020000,
  directory: 0o040000,
  block: 0o060000,
  file: 0o100000,
  link: 0o120000,
  socket: 0o140000,
};

export type SignalName =
  | 'SIGABRT'
  | 'SIGALRM'
  | 'SIGBUS'
  | 'SIGCHLD'
  | 'SIGCONT'
  | 'SIGFPE'
  | 'SIGHUP'
  | 'SIGILL'
  | 'SIGINT'
  | 'SIGIO'
  | 'SIGKILL'
  | 'SIGPIPE'
  | 'SIGPROF'
  | 'SIGPWR'
  | 'SIGQUIT'
  | 'SIGSEGV'
  | 'SIGSTKFLT'
  | 'SIGSTOP'
  | 'SIGSYS'
  | 'SIGTERM'
  | 'SIGTRAP'
  | 'SIGTSTP'
  | 'SIGTTIN'
  | 'SIGTTOU'
  | 'SIGURG'
  | 'SIGUSR1'
  | 'SIGUSR2'
  | 'SIGVTALRM'
  | 'SIGWINCH'
  | 'SIGXCPU'
  | 'SIGXFSZ';

/** asm-generic/signal.h, the same on x86-64 and arm64. */
// biome-ignore format: read it as a table
export const SIG: Readonly<Record<SignalName, number>> = {
  SIGHUP: 1, SIGINT: 2, SIGQUIT: 3, SIGILL: 4, SIGTRAP: 5, SIGABRT: 6, SIGBUS: 7, SIGFPE: 8,
  SIGKILL: 9, SIGUSR1: 10, SIGSEGV: 11, SIGUSR2: 12, SIGPIPE: 13, SIGALRM: 14, SIGTERM: 15,
  SIGSTKFLT: 16, SIGCHLD: 17, SIGCONT: 18, SIGSTOP: 19, SIGTSTP: 20, SIGTTIN: 21, SIGTTOU: 22,
  SIGURG: 23, SIGXCPU: 24, SIGXFSZ: 25, SIGVTALRM: 26, SIGPROF: 27, SIGWINCH: 28, SIGIO: 29,
  SIGPWR: 30, SIGSYS: 31,
};

/** `_NSIG` of asm-generic/signal.h: numbers run from 1 to 64. */
export const SIGNALS_MAX = 64;

export type EpollEvent = 'ERR' | 'ET' | 'HUP' | 'IN' | 'ONESHOT' | 'OUT' | 'PRI' | 'RDHUP';

/** EPOLL* of linux/eventpoll.h. */
export const EPOLL: Readonly<Record<EpollEvent, number>> = {
  IN: 1,
  PRI: 2,
  OUT: 4,
  ERR: 8,
  HUP: 0x10,
  RDHUP: 0x2000,
  ONESHOT: 2 ** 30,
  ET: 2 ** 31,
};

export { IN } from '../core/inotify.ts';
