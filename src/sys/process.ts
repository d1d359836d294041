/**
 * Verbs on processes: wait, signal, identify, limit, replace. Starting one is in spawn.ts. Which
 * process deserves what is the caller's.
 */
import type { Pid } from '../core/units.ts';
import { check, checkUnless, type Libc } from './libc.ts';
import { cString, getU64, memory, packProgram, putU64, viewOf } from './memory.ts';

export type Waited = {
  readonly pid: Pid;
  /** As wait(2) gives it: low seven bits the signal, next byte the exit code. */
  readonly status: number;
};

export type Limit = { readonly soft: number; readonly hard: number };

/**
 * waitpid(2) with WNOHANG: one child that has ended, own or adopted; null when there is none now.
 * It cannot fail in another way than "no children", so errno is not asked: a wrong one could only
 * turn a quiet moment into an error.
 */
export function waitAny(libc: Libc): Waited | null {
  const pid = libc.call('waitpid', -1, waitStatus, WNOHANG);
  return pid > 0 ? { pid: pid as Pid, status: waitStatusView.getInt32(0, true) } : null;
}

/**
 * waitid(2) with WNOWAIT: as `waitAny`, but the child stays to be waited for by `reap`. Whoever
 * dies in between leaves its status to the next image.
 */
export function peekAny(libc: Libc): Waited | null {
  putU64(infoView, SI_PID & ~7, 0);
  if (libc.call('waitid', P_ALL, 0, info, WEXITED | WNOHANG | WNOWAIT) < 0) return null;
  const pid = infoView.getInt32(SI_PID, true);
  if (pid <= 0) return null;
  const value = infoView.getInt32(SI_STATUS, true);
  switch (infoView.getInt32(SI_CODE, true)) {
    case CLD_EXITED:
      return { pid: pid as Pid, status: (value & 0xff) << 8 };
    case CLD_DUMPED:
      return { pid: pid as Pid, status: value | 0x80 };
    default:
      return { pid: pid as Pid, status: value };
  }
}

/** waitpid(2) for one child that has ended: whether it was there and is gone now. */
export function reap(libc: Libc, pid: Pid): boolean {
  return libc.call('waitpid', pid, waitStatus, WNOHANG) === pid;
}

/**
 * kill(2): whether there was a process to signal. A negative `pid` means the group, as in the
 * manual.
 * @param signal A number; 0 only asks.
 * @throws {SysError} `EPERM`.
 */
export function kill(libc: Libc, pid: Pid, signal: number): boolean {
  const what = `send signal ${signal} to ${pid}`;
  return checkUnless(['ESRCH'], libc, what, 'kill', pid, signal) !== null;
}

export function getpid(libc: Libc): Pid {
  return libc.call('getpid') as Pid;
}

export function getppid(libc: Libc): Pid {
  return libc.call('getppid') as Pid;
}

export function getuid(libc: Libc): number {
  return libc.call('getuid');
}

export function geteuid(libc: Libc): number {
  return libc.call('geteuid');
}

/** setsid(2): gives the new session. @throws {SysError} `EPERM` for the leader of a group. */
export function setsid(libc: Libc): Pid {
  return check(libc, 'start a session', 'setsid') as Pid;
}

/** PR_SET_CHILD_SUBREAPER of prctl(2): orphaned descendants become children of this process. */
export function setChildSubreaper(libc: Libc): void {
  check(libc, 'adopt orphans', 'prctl', PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
}

/** PR_SET_NAME of prctl(2): the name of this thread in ps(1); 15 bytes of it are kept. */
export function setName(libc: Libc, name: string): void {
  comm.fill(0);
  comm.set(cString(name).subarray(0, comm.length - 1));
  check(libc, `take the name ${name}`, 'prctl', PR_SET_NAME, libc.address(comm), 0, 0, 0);
}

/** How many descriptors process `pid` may open; 0 is this process. No limit is Infinity. */
export function getNofile(libc: Libc, pid: Pid | 0): Limit {
  check(libc, `ask for the limit of ${whose(pid)}`, 'prlimit', pid, RLIMIT_NOFILE, null, limit);
  return { soft: getU64(limitView, 0), hard: getU64(limitView, 8) };
}

/**
 * Sets what `getNofile` gives.
 * @throws {SysError} `EPERM` when `hard` is above the present one, without CAP_SYS_RESOURCE.
 */
export function setNofile(libc: Libc, pid: Pid | 0, { soft, hard }: Limit): void {
  putU64(limitView, 0, soft);
  putU64(limitView, 8, hard);
  const what = `let ${whose(pid)} open ${soft} descriptors, ${hard} at most`;
  check(libc, what, 'prlimit', pid, RLIMIT_NOFILE, limit, null);
}

/** capget(2): whether this thread may raise what it lowered (CAP_SYS_RESOURCE, effective). */
export function mayRaiseLimits(libc: Libc): boolean {
  const header = memory(8);
  const sets = memory(24);
  viewOf(header).setUint32(0, LINUX_CAPABILITY_VERSION_3, true);
  check(libc, 'ask for own capabilities', 'capget', header, sets);
  return (viewOf(sets).getUint32(0, true) & (1 << CAP_SYS_RESOURCE)) !== 0;
}

/**
 * execve(2): this process becomes `path`, keeping pid, children and every descriptor that is not
 * close-on-exec. Does not return.
 * @throws {SysError} and nothing has changed: `ENOENT`, `EACCES`, `ENOEXEC`, `E2BIG`, `ETXTBSY`.
 */
export function execve(
  libc: Libc,
  path: string,
  argv: readonly string[],
  env: readonly string[],
): never {
  const packed = packProgram(libc, path, argv, env);
  check(libc, `become ${path}`, 'execve', packed.path, packed.argv, packed.envp);
  throw new TypeError(`execve of ${path} returned without an error`);
}

/** linux/wait.h. */
const WNOHANG = 1;
const WEXITED = 4;
const WNOWAIT = 0x0100_0000;
const P_ALL = 0;
/** siginfo_t of asm-generic/siginfo.h: code, pid and status of SIGCHLD on 64-bit Linux. */
const SIGINFO_BYTES = 128;
const SI_CODE = 8;
const SI_PID = 16;
const SI_STATUS = 24;
const CLD_EXITED = 1;
const CLD_DUMPED = 3;
const info = memory(SIGINFO_BYTES);
const infoView = viewOf(info);
const waitStatus = memory(4);
const waitStatusView = viewOf(waitStatus);

/** linux/prctl.h; `comm` has the TASK_COMM_LEN bytes of linux/sched.h. */
const PR_SET_NAME = 15;
const PR_SET_CHILD_SUBREAPER = 36;
const comm = memory(16);

/** asm-generic/resource.h; struct rlimit is two words, soft and hard. */
const RLIMIT_NOFILE = 7;
const limit = memory(16);
const limitView = viewOf(limit);

/** linux/capability.h: of three sets in two halves, `effective` comes first. */
const LINUX_CAPABILITY_VERSION_3 = 0x20080522;
const CAP_SYS_RESOURCE = 24;

function whose(pid: Pid | 0): string {
  return pid === 0 ? 'this process' : `process ${pid}`;
}
