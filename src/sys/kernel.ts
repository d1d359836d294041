/**
 * Everything the rest of svinit may ask of the system, in one flat interface. Code that only needs
 * the type imports the type; the object is handed in. Every method is synchronous, and those that
 * can fail throw SysError. The verbs behind it say more than the lines here.
 */
import type { Fd, Millis, Pid } from '../core/units.ts';
import type { FileKind, UnmountFlag } from './constants.ts';
import * as descriptors from './descriptors.ts';
import * as files from './files.ts';
import type { Libc } from './libc.ts';
import { type ListenArguments, listenAt } from './listen.ts';
import * as locks from './locks.ts';
import * as machine from './machine.ts';
import * as messages from './messages.ts';
import * as mounts from './mounts.ts';
import * as netlink from './netlink.ts';
import * as processes from './process.ts';
import { giveBack } from './resident.ts';
import { installRevival, putOffAlarm, type Revival, touch } from './revive.ts';
import * as signals from './signals.ts';
import * as sockets from './sockets.ts';
import { type Program, reserveSources, spawn } from './spawn.ts';

export interface Kernel {
  mount(mount: mounts.Mount): void;
  unmount(target: string, flags: readonly UnmountFlag[]): void;
  /** `f_type` of the filesystem `path` is on; see MAGIC. */
  statfsMagic(path: string): number;
  pivotRoot(newRoot: string, putOld: string): void;
  chroot(path: string): void;
  mknod(path: string, kind: 'block' | 'char', mode: number, major: number, minor: number): void;
  mkfifo(path: string, mode: number): void;
  /** Sets the mask and gives the one before. */
  umask(mode: number): number;
  /** A sealed file in memory that holds `bytes`; close-on-exec. */
  memfd(name: string, bytes: Uint8Array): Fd;
  /** A file in memory to append to; close-on-exec. */
  scratch(name: string): Fd;
  /** From the beginning of the file, at most `bytesMax`. */
  memfdRead(fd: Fd, bytesMax: number): Uint8Array;
  /** Always close-on-exec. `flags` are O bits. */
  open(path: string, flags: number, mode?: number): Fd;
  close(fd: Fd): void;
  /** 0 is the end, null is nothing yet. */
  read(fd: Fd, buffer: Uint8Array): number | null;
  /** Maybe fewer than given; null is no room now. */
  write(fd: Fd, bytes: Uint8Array): number | null;
  /** All of it, into a file that always has room. */
  writeAll(fd: Fd, bytes: Uint8Array): void;
  /** The end to read from, the end to write to; close-on-exec. */
  pipe(flags: number): [Fd, Fd];
  /** `fd` becomes `to` as well, in one step; `to` stays open over an exec. */
  moveTo(fd: Fd, to: Fd): void;
  /** The lowest free descriptor from `min`; close-on-exec. */
  dup(fd: Fd, min: number): Fd;
  /** Whether the fcntl lock of the open file is ours now; false: somebody else has one. */
  lockOpenFile(fd: Fd): boolean;
  getFlags(fd: Fd): number;
  setCloexec(fd: Fd, on: boolean): void;
  /** Nonblocking, and SIGIO goes to `pid` when it becomes ready. Not for epoll descriptors. */
  setAsync(fd: Fd, pid: Pid): void;
  setBlocking(fd: Fd): void;
  fstatKind(fd: Fd): FileKind | null;
  makeControllingTty(fd: Fd): void;
  windowSize(fd: Fd): { rows: number; columns: number } | null;
  /** Gives the seconds that were granted. */
  setWatchdogTimeout(fd: Fd, seconds: number): number;
  epollCreate(): Fd;
  /** `events` are EPOLL bits. */
  epollAdd(epfd: Fd, fd: Fd, events: number): void;
  epollRemove(epfd: Fd, fd: Fd): void;
  /** Blocks for up to `timeoutMs`, for ever with -1; a signal ends it with none. */
  epollWait(epfd: Fd, timeoutMs: number, max: number): descriptors.Ready[];
  /** Nonblocking; `read` drains it. */
  inotifyInit(): Fd;
  /** `mask` are IN bits; gives the number the events carry. */
  inotifyAdd(fd: Fd, path: string, mask: number): number;
  /** Once, and early: then `spawn`, which returns after the exec, is as fast with many open. */
  reserveSources(): void;
  spawn(program: Program): Pid;
  /** One child that has ended, own or adopted; null when there is none now. */
  waitAny(): processes.Waited | null;
  /** The same, and the child stays to be reaped. */
  peekAny(): processes.Waited | null;
  /** Whether the child had ended, and is gone now. */
  reap(pid: Pid): boolean;
  /** Whether there was a process to signal. */
  kill(pid: Pid, signal: number): boolean;
  getpid(): Pid;
  getppid(): Pid;
  getuid(): number;
  geteuid(): number;
  setsid(): Pid;
  setChildSubreaper(): void;
  /** The name of this thread in ps(1), 15 bytes. */
  setName(name: string): void;
  /** 0 is this process. */
  getNofile(pid: Pid | 0): processes.Limit;
  setNofile(pid: Pid | 0, limit: processes.Limit): void;
  /** Whether a limit that was lowered can be raised again (CAP_SYS_RESOURCE). */
  mayRaiseLimits(): boolean;
  /** Does not return; throws and nothing has changed. */
  execve(path: string, argv: readonly string[], env: readonly string[]): never;
  /** Handlers that become a fresh image when a signal would end this one. */
  installRevival(revival: Revival): void;
  /** Reads memory at `address`, mapped or not. */
  touch(address: number): void;
  /** SIGALRM comes unless this is called again in time; 0 takes it away. */
  putOffAlarm(withinMs: number): void;
  /** Garbage, and pages of files that can be read again. Never fails. */
  giveBack(smaps?: string): void;
  sigDefault(signals: readonly number[]): void;
  /** Gives what takes it back. */
  sigIgnore(signals: readonly number[]): () => void;
  sigBlock(signals: readonly number[]): void;
  sigUnblock(signals: readonly number[]): void;
  sigSetMask(signals: readonly number[]): void;
  /** The file has exactly `mode` from its first moment on. */
  listenUnix(path: string, mode: number, backlog: number): Fd;
  listenUnixDgram(path: string, mode: number): Fd;
  listenAt(...where: ListenArguments): Fd;
  /** Null when nobody waits. */
  accept(fd: Fd): Fd | null;
  peerCredentials(fd: Fd): sockets.Peer;
  shutdownWrite(fd: Fd): void;
  connectUnix(path: string, kind: sockets.SocketKind): Fd;
  passCredentials(fd: Fd): void;
  sendMessage(fd: Fd, bytes: Uint8Array, fds: readonly Fd[]): void;
  receiveMessage(fd: Fd, buffer: Uint8Array): messages.Message | null;
  /** The kernel's announcements of devices; nonblocking. */
  listenUevents(): Fd;
  /** Null when there is none now, `lost` when some have been lost. */
  receiveUevent(fd: Fd, buffer: Uint8Array): netlink.Received;
  /** CLOCK_MONOTONIC, with fractions; the same clock after `execve`. */
  monotonic(): Millis;
  reboot(kind: machine.RebootKind): void;
  /** False: Ctrl-Alt-Del sends SIGINT to PID 1 instead of restarting at once. */
  setCtrlAltDel(enabled: boolean): void;
  /** May take for ever: not for PID 1 itself. */
  sync(): void;
  sethostname(name: string): void;
  interfaceUp(name: string): void;
  /** False: it was there already, or is part of the kernel. */
  loadModule(fd: Fd, what: string, options: string, compressed: boolean): boolean;
  /** For `reboot('kexec')`; `initrd` null: none. */
  loadKernel(kernel: Fd, initrd: Fd | null, commandLine: string): void;
  unloadKernel(): void;
}

/** The kernel through `libc`, real or fake. */
export function openKernel(libc: Libc): Kernel {
  const bound = Object.entries(VERBS).map(([name, verb]) => [
    name,
    (verb as LooseVerb).bind(null, libc),
  ]);
  return Object.fromEntries(bound) as Bound<typeof VERBS>;
}

const VERBS = {
  mount: mounts.mount,
  unmount: mounts.unmount,
  statfsMagic: mounts.statfsMagic,
  pivotRoot: mounts.pivotRoot,
  chroot: mounts.chroot,
  mknod: files.mknod,
  mkfifo: files.mkfifo,
  umask: files.umask,
  scratch: files.scratch,
  memfd: files.memfd,
  memfdRead: files.memfdRead,
  open: descriptors.open,
  close: descriptors.close,
  read: descriptors.read,
  write: descriptors.write,
  writeAll: descriptors.writeAll,
  pipe: descriptors.pipe,
  moveTo: descriptors.moveTo,
  dup: descriptors.dup,
  lockOpenFile: locks.lockOpenFile,
  getFlags: descriptors.getFlags,
  setCloexec: descriptors.setCloexec,
  setAsync: descriptors.setAsync,
  setBlocking: descriptors.setBlocking,
  fstatKind: descriptors.fstatKind,
  makeControllingTty: descriptors.makeControllingTty,
  windowSize: descriptors.windowSize,
  setWatchdogTimeout: descriptors.setWatchdogTimeout,
  epollCreate: descriptors.epollCreate,
  epollAdd: descriptors.epollAdd,
  epollRemove: descriptors.epollRemove,
  epollWait: descriptors.epollWait,
  inotifyInit: descriptors.inotifyInit,
  inotifyAdd: descriptors.inotifyAdd,
  reserveSources,
  spawn,
  waitAny: processes.waitAny,
  peekAny: processes.peekAny,
  reap: processes.reap,
  kill: processes.kill,
  getpid: processes.getpid,
  getppid: processes.getppid,
  getuid: processes.getuid,
  geteuid: processes.geteuid,
  setsid: processes.setsid,
  setChildSubreaper: processes.setChildSubreaper,
  setName: processes.setName,
  getNofile: processes.getNofile,
  setNofile: processes.setNofile,
  mayRaiseLimits: processes.mayRaiseLimits,
  execve: processes.execve,
  installRevival,
  putOffAlarm,
  touch,
  giveBack,
  sigDefault: signals.sigDefault,
  sigIgnore: signals.sigIgnore,
  sigBlock: signals.sigBlock,
  sigUnblock: signals.sigUnblock,
  sigSetMask: signals.sigSetMask,
  listenUnix: sockets.listenUnix,
  listenUnixDgram: sockets.listenUnixDgram,
  listenAt,
  accept: sockets.accept,
  peerCredentials: sockets.peerCredentials,
  shutdownWrite: sockets.shutdownWrite,
  connectUnix: sockets.connectUnix,
  passCredentials: messages.passCredentials,
  sendMessage: messages.sendMessage,
  receiveMessage: messages.receiveMessage,
  listenUevents: netlink.listenUevents,
  receiveUevent: netlink.receiveUevent,
  monotonic: machine.monotonic,
  reboot: machine.reboot,
  setCtrlAltDel: machine.setCtrlAltDel,
  sync: machine.sync,
  sethostname: machine.sethostname,
  interfaceUp: machine.interfaceUp,
  loadModule: machine.loadModule,
  loadKernel: machine.loadKernel,
  unloadKernel: machine.unloadKernel,
};

type LooseVerb = (libc: Libc, ...args: unknown[]) => unknown;

/** The same functions without their first parameter: what the compiler holds against Kernel. */
type Bound<T> = {
  [K in keyof T]: T[K] extends (libc: Libc, ...args: infer A) => infer R
    ? (...args: A) => R
    : never;
};
