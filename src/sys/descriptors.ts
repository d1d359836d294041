/**
 * Verbs on descriptors: open, move bytes, flags, and the two ways to hear that one is ready. Every
 * descriptor they make is close-on-exec. They know nothing of what the bytes mean.
 */
import type { Fd, Pid } from '../core/units.ts';
import { type FileKind, O, S_IF } from './constants.ts';
import { errnoNumber } from './errno.ts';
import { check, checkUnless, type Libc, NOT_NOW, SysError } from './libc.ts';
import { memory, viewOf } from './memory.ts';

export type Ready = { readonly fd: Fd; readonly events: number };

/**
 * open(2), always with O_CLOEXEC. A FIFO or a terminal needs O_NONBLOCK here, or this waits.
 * @param mode Permission bits of a file that O_CREAT makes, taken through the umask.
 */
export function open(libc: Libc, path: string, flags: number, mode = 0): Fd {
  const act = (): number | null =>
    checkUnless(['EINTR'], libc, `open ${path}`, 'open', path, flags | O.CLOEXEC, mode);
  // Interrupted, it has done nothing; a second time in a row would be no signal's doing.
  const fd = act() ?? check(libc, `open ${path}`, 'open', path, flags | O.CLOEXEC, mode);
  return fd as Fd;
}

/** close(2). Whatever it reports, the descriptor is gone (Linux), so EINTR is no error. */
export function close(libc: Libc, fd: Fd): void {
  checkUnless(['EINTR'], libc, `close descriptor ${fd}`, 'close', fd);
}

/** read(2): the number of bytes read, 0 at the end of the file, null when there is none yet. */
export function read(libc: Libc, fd: Fd, buffer: Uint8Array): number | null {
  const what = `read descriptor ${fd}`;
  return checkUnless(NOT_NOW, libc, what, 'read', fd, buffer, buffer.length);
}

/** write(2): the number of bytes taken, maybe fewer than given; null when there is no room now. */
export function write(libc: Libc, fd: Fd, bytes: Uint8Array): number | null {
  const what = `write to descriptor ${fd}`;
  return checkUnless(NOT_NOW, libc, what, 'write', fd, bytes, bytes.length);
}

/**
 * All of `bytes` into a file that always has room. Should it say otherwise again and again, that is
 * an error: waiting for it would be for ever.
 */
export function writeAll(libc: Libc, fd: Fd, bytes: Uint8Array): void {
  let refusals = 0;
  for (let at = 0; at < bytes.length; ) {
    const count = write(libc, fd, bytes.subarray(at));
    at += count ?? 0;
    refusals += count === null ? 1 : 0;
    if (refusals > REFUSALS_MAX) {
      throw new SysError('write', errnoNumber('EAGAIN'), `write to descriptor ${fd}`);
    }
  }
}

/** pipe2(2), close-on-exec: the end to read from, the end to write to. */
export function pipe(libc: Libc, flags: number): [Fd, Fd] {
  const ends = memory(8);
  check(libc, 'make a pipe', 'pipe2', ends, flags | O.CLOEXEC);
  const view = viewOf(ends);
  return [view.getInt32(0, true) as Fd, view.getInt32(4, true) as Fd];
}

/**
 * dup3(2): the open file of `fd` takes the place of whatever `to` was, in one step; `fd` is closed.
 * `to` is not close-on-exec.
 */
export function moveTo(libc: Libc, fd: Fd, to: Fd): void {
  check(libc, `move descriptor ${fd} to ${to}`, 'dup3', fd, to, 0);
  // The open file lives on: closing one of its descriptors has nothing to report.
  libc.call('close', fd);
}

/** A second descriptor of the same open file, the lowest free one from `min`. Close-on-exec. */
export function dup(libc: Libc, fd: Fd, min: number): Fd {
  return check(libc, `duplicate descriptor ${fd}`, 'fcntl', fd, F_DUPFD_CLOEXEC, min) as Fd;
}

/** The O_* flags of the open file. */
export function getFlags(libc: Libc, fd: Fd): number {
  return check(libc, `ask for the flags of descriptor ${fd}`, 'fcntl', fd, F_GETFL, 0);
}

/** Whether `fd` closes when this process execs. */
export function setCloexec(libc: Libc, fd: Fd, on: boolean): void {
  const what = `set close-on-exec of descriptor ${fd}`;
  check(libc, what, 'fcntl', fd, F_SETFD, on ? FD_CLOEXEC : 0);
}

/**
 * Makes `fd` nonblocking and has the kernel send SIGIO to `pid` when it becomes ready. Works for
 * pipes, FIFOs, sockets, terminals and inotify; an epoll descriptor never signals. One signal may
 * stand for several events: read until null. Listen for SIGIO first, its default is to kill; and
 * the flags belong to the open file, so whoever shares it (`dup`, `spawn`, `execve`) shares them.
 */
export function setAsync(libc: Libc, fd: Fd, pid: Pid): void {
  const what = `have descriptor ${fd} signal`;
  const flags = getFlags(libc, fd);
  check(libc, what, 'fcntl', fd, F_SETOWN, pid);
  check(libc, what, 'fcntl', fd, F_SETFL, flags | O.NONBLOCK | O.ASYNC);
}

/** What `setAsync` did is taken back: the open file blocks, and nobody is signalled. */
export function setBlocking(libc: Libc, fd: Fd): void {
  const what = `have descriptor ${fd} block`;
  const flags = getFlags(libc, fd);
  check(libc, what, 'fcntl', fd, F_SETFL, flags & ~(O.NONBLOCK | O.ASYNC));
}

/** What kind of file `fd` is, or null for one without a kind of its own (epoll, inotify). */
export function fstatKind(libc: Libc, fd: Fd): FileKind | null {
  const statx = memory(STATX_BYTES);
  const args = [fd, '', AT_EMPTY_PATH, STATX_TYPE, statx] as const;
  check(libc, `ask for the kind of descriptor ${fd}`, 'statx', ...args);
  const format = viewOf(statx).getUint16(STX_MODE_AT, true) & S_IFMT;
  return FILE_KINDS.find((kind) => S_IF[kind] === format) ?? null;
}

/**
 * TIOCSCTTY: `fd`, a terminal, becomes the controlling one of this session.
 * @throws {SysError} `EPERM` unless this process leads a session that has none.
 */
export function makeControllingTty(libc: Libc, fd: Fd): void {
  check(libc, `take descriptor ${fd} as controlling terminal`, 'ioctl', fd, TIOCSCTTY, null);
}

/** TIOCGWINSZ: the size of the terminal in characters; null when `fd` is no terminal. */
export function windowSize(libc: Libc, fd: Fd): { rows: number; columns: number } | null {
  const winsize = memory(8);
  const what = `ask for the size of descriptor ${fd}`;
  const answer = checkUnless(['ENOTTY', 'EINVAL'], libc, what, 'ioctl', fd, TIOCGWINSZ, winsize);
  if (answer === null) return null;
  const view = viewOf(winsize);
  return { rows: view.getUint16(0, true), columns: view.getUint16(2, true) };
}

/**
 * WDIOC_SETTIMEOUT of linux/watchdog.h: gives the seconds that the driver took.
 * @throws {SysError} `EOPNOTSUPP` of a driver without, `ENOTTY` of what is no watchdog.
 */
export function setWatchdogTimeout(libc: Libc, fd: Fd, seconds: number): number {
  const value = memory(4);
  viewOf(value).setInt32(0, seconds, true);
  const what = `set the time of watchdog ${fd} to ${seconds} s`;
  check(libc, what, 'ioctl', fd, WDIOC_SETTIMEOUT, value);
  return viewOf(value).getInt32(0, true);
}

/** epoll_create1(2). */
export function epollCreate(libc: Libc): Fd {
  return check(libc, 'make an epoll set', 'epoll_create1', O.CLOEXEC) as Fd;
}

/** Watches `fd` for EPOLL bits; ERR and HUP are always told. @throws {SysError} `EEXIST`. */
export function epollAdd(libc: Libc, epfd: Fd, fd: Fd, events: number): void {
  const event = viewOf(memory(EPOLL_EVENT_BYTES));
  event.setUint32(0, events, true);
  event.setUint32(EPOLL_DATA_AT, fd, true);
  const block = new Uint8Array(event.buffer);
  check(libc, `watch descriptor ${fd}`, 'epoll_ctl', epfd, EPOLL_CTL_ADD, fd, block);
}

/** @throws {SysError} `ENOENT` when it was not watched. */
export function epollRemove(libc: Libc, epfd: Fd, fd: Fd): void {
  check(libc, `stop watching descriptor ${fd}`, 'epoll_ctl', epfd, EPOLL_CTL_DEL, fd, null);
}

/**
 * epoll_wait(2): at most `max` ready descriptors. Blocks this thread for up to `timeoutMs`, for
 * ever with -1; a signal ends it early with none.
 */
export function epollWait(libc: Libc, epfd: Fd, timeoutMs: number, max: number): Ready[] {
  const block = memory(EPOLL_EVENT_BYTES * max);
  const what = 'wait for descriptors';
  const count = checkUnless(['EINTR'], libc, what, 'epoll_wait', epfd, block, max, timeoutMs);
  const view = viewOf(block);
  return Array.from({ length: count ?? 0 }, (_, i) => ({
    fd: view.getInt32(EPOLL_EVENT_BYTES * i + EPOLL_DATA_AT, true) as Fd,
    events: view.getUint32(EPOLL_EVENT_BYTES * i, true),
  }));
}

/** inotify_init1(2), nonblocking: `read` drains it. */
export function inotifyInit(libc: Libc): Fd {
  return check(libc, 'watch the filesystem', 'inotify_init1', O.CLOEXEC | O.NONBLOCK) as Fd;
}

/** inotify_add_watch(2): IN bits of `path`; gives the number that its events carry. */
export function inotifyAdd(libc: Libc, fd: Fd, path: string, mask: number): number {
  return check(libc, `watch ${path}`, 'inotify_add_watch', fd, path, mask);
}

/** asm-generic/fcntl.h, linux/fcntl.h. */
const F_SETFD = 2;
const F_GETFL = 3;
const F_SETFL = 4;
const F_SETOWN = 8;
const F_DUPFD_CLOEXEC = 1030;
const FD_CLOEXEC = 1;

/** linux/stat.h: struct statx is the same on every CPU, which struct stat is not. */
const STATX_BYTES = 256;
const STX_MODE_AT = 28;
const STATX_TYPE = 1;
const AT_EMPTY_PATH = 0x1000;
const S_IFMT = 0o170000;
const FILE_KINDS = Object.keys(S_IF) as FileKind[];

/** asm-generic/ioctls.h. */
const TIOCSCTTY = 0x540e;
const REFUSALS_MAX = 100;
/** linux/watchdog.h: _IOWR('W', 6, int). */
const WDIOC_SETTIMEOUT = 0xc0045706;
const TIOCGWINSZ = 0x5413;

/** sys/epoll.h: struct epoll_event is packed on x86-64 (__EPOLL_PACKED), aligned elsewhere. */
const EPOLL_DATA_AT: number = process.arch === 'x64' ? 4 : 8;
const EPOLL_EVENT_BYTES: number = EPOLL_DATA_AT + 8;
const EPOLL_CTL_ADD = 1;
const EPOLL_CTL_DEL = 2;
