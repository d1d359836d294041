/**
 * Verbs on the two kinds of lock that a whole file may have: those of fcntl(2) and those of
 * flock(2) do not see each other. Both belong to the open file, so that another descriptor of the
 * same file can be closed without losing them.
 */
import type { Fd } from '../core/units.ts';
import { checkUnless, type Libc } from './libc.ts';
import { memory, viewOf } from './memory.ts';

/** The verbs, bound to one C library. */
export interface LockKernel {
  /** Whether the lock is ours now; false: somebody else has one. */
  lockOpenFile(fd: Fd): boolean;
  /** The same for flock(2). */
  flock(fd: Fd): boolean;
}

export function openLocks(libc: Libc): LockKernel {
  return {
    lockOpenFile: (fd) => lockOpenFile(libc, fd),
    flock: (fd) => flock(libc, fd),
  };
}

/**
 * fcntl(2), F_OFD_SETLK: an exclusive lock of the whole file, whatever its length becomes, of the
 * open file and not of the process. It is in the way of POSIX locks, and F_GETLK sees it.
 * @param fd Open for writing.
 */
export function lockOpenFile(libc: Libc, fd: Fd): boolean {
  // All else is zero: from the beginning (SEEK_SET) to the end, and l_pid must be 0.
  viewOf(wholeFile).setInt16(0, F_WRLCK, true);
  const what = `lock descriptor ${fd}`;
  const args = [fd, F_OFD_SETLK, libc.address(wholeFile)] as const;
  return checkUnless(TAKEN, libc, what, 'fcntl', ...args) !== null;
}

/** flock(2), LOCK_EX | LOCK_NB: an exclusive lock of the open file. */
export function flock(libc: Libc, fd: Fd): boolean {
  const what = `flock descriptor ${fd}`;
  return checkUnless(TAKEN, libc, what, 'flock', fd, LOCK_EX | LOCK_NB) !== null;
}

/** The same error under the names of both pages; fcntl(2) may say EACCES too. */
const TAKEN: readonly string[] = ['EAGAIN', 'EACCES'];

/** bits/fcntl-linux.h; struct flock of 64-bit Linux: short, short, off_t, off_t, pid_t. */
const F_OFD_SETLK = 37;
const F_WRLCK = 1;
const FLOCK_BYTES = 32;
/** Lives as long as the module: an address keeps nothing alive. */
const wholeFile = memory(FLOCK_BYTES);

/** sys/file.h. */
const LOCK_EX = 2;
const LOCK_NB = 4;
