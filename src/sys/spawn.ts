/**
 * Starts a program from the same clean state every time: empty signal mask, default dispositions,
 * the descriptors it was given and no other, the environment it was given. What to start, and what
 * to do when that fails, is the caller's.
 *
 * It does what posix_spawn(3) would, as a list of system calls that the child makes: limit and
 * umask are set there and never ours, and how many descriptors we have does not matter, as the
 * child copies only those that it is to have.
 *
 * Once the child runs, nothing here throws: a child nobody knows of would be worse than a clean-up
 * that did not happen.
 */
import { readdirSync } from 'node:fs';
import type { Fd, Pid } from '../core/units.ts';
import { type ChildCall, type ChildFailure, runChild } from './child.ts';
import { errnoName } from './errno.ts';
import { type Libc, SysError } from './libc.ts';
import { memory, packProgram, putU64, viewOf } from './memory.ts';
import { getNofile } from './process.ts';
import { type DupAction, withSources } from './sources.ts';

export { reserveSources } from './sources.ts';

/**
 * What the program finds at its descriptor `fd`: a copy of our descriptor `dup`, or a file opened
 * in the child. There, `flags` without O_NOCTTY make a terminal the controlling one of a new
 * session.
 */
export type FileAction =
  | { readonly fd: number; readonly dup: Fd }
  | { readonly fd: number; readonly open: string; readonly flags: number; readonly mode: number };

export type Program = {
  /** Relative to `cwd`; PATH is not searched. */
  readonly path: string;
  /** With the name it is called by. */
  readonly argv: readonly string[];
  /** `KEY=value`; the program sees exactly this. */
  readonly env: readonly string[];
  /** Null leaves it where we are. */
  readonly cwd: string | null;
  /** One for each descriptor it shall have; all others are closed. Give 0, 1 and 2. */
  readonly files: readonly FileAction[];
  /** Whether it leads a session, and so a process group, of its own: setsid(2). */
  readonly session: boolean;
  /** How many descriptors it may open; null for what we may. A null `hard` is ours. */
  readonly nofile: { readonly soft: number; readonly hard: number | null } | null;
  /** Its umask; without it, ours. */
  readonly umask?: number;
};

/**
 * Runs the program and returns when its exec has succeeded.
 * @throws {SysError} of clone: `EAGAIN`, `ENOMEM`. Or of what failed in the child: execve with
 * `ENOENT` (also for a missing interpreter), `EACCES`, `ENOEXEC`, `E2BIG`; chdir; open; prlimit
 * with `EPERM` when `hard` is more than we have and may have, `EINVAL` when `soft` is above it.
 * @throws {TypeError} when two actions name the same `fd`.
 */
export function spawn(libc: Libc, program: Program): Pid {
  const { dups, opens } = sorted(program.files);
  const what = `start ${program.path}`;
  return withSources(libc, dups, (moved) => {
    const run = (): Pid | ChildFailure =>
      runChild(libc, what, callsOf(libc, program, moved, opens), !closesEach);
    let ran = run();
    if (typeof ran !== 'number' && isUnknown(ran)) {
      closesEach = true;
      ran = run();
    }
    if (typeof ran !== 'number') throw new SysError(ran.call, ran.errno, what);
    return ran;
  });
}

type OpenAction = Extract<FileAction, { open: string }>;

/** linux/close_range.h; what it takes is unsigned. */
const CLOSE_RANGE_UNSHARE = 2;
const FD_MAX = 0xffffffff;
/** linux/fcntl.h, asm-generic/fcntl.h. */
const AT_FDCWD = -100;
const F_SETFD = 2;
/** asm-generic/signal-defs.h; the kernel's sigset_t has 64 bits. */
const SIG_SETMASK = 2;
const SIGSET_WORD = 8;
/** asm-generic/resource.h; struct rlimit is two words, soft and hard. */
const RLIMIT_NOFILE = 7;
const limit = memory(16);
const noSignals = memory(SIGSET_WORD);

/** Whether descriptors have to be closed one by one: Linux before 5.9, or a filter like that. */
let closesEach = false;

const isUnknown = ({ call, errno }: ChildFailure): boolean =>
  call === 'close_range' && !closesEach && ['ENOSYS', 'EPERM', 'EINVAL'].includes(errnoName(errno));

function sorted(files: readonly FileAction[]): { dups: DupAction[]; opens: OpenAction[] } {
  const targets = new Set(files.map(({ fd }) => fd));
  if (targets.size < files.length) {
    throw new TypeError(`Two file actions for one of the descriptors ${[...targets].join(', ')}`);
  }
  return {
    dups: files.filter((action) => 'dup' in action),
    opens: files.filter((action) => 'open' in action),
  };
}

/**
 * Directory before files, so that nothing is made where the program cannot go; the limit when all
 * descriptors are there, which may be above it.
 */
function callsOf(
  libc: Libc,
  { path, argv, env, cwd, session, nofile, umask }: Program,
  dups: readonly DupAction[],
  opens: readonly OpenAction[],
): ChildCall[] {
  const others = [cwd ?? '', ...opens.map(({ open }) => open)];
  const packed = packProgram(libc, path, argv, env, others);
  const [directory = 0, ...files] = packed.texts;
  const calls: ChildCall[] = closesEach ? [] : [unsharing(dups)];
  if (umask !== undefined) calls.push({ call: 'umask', args: [umask] });
  if (session) calls.push({ call: 'setsid', args: [] });
  if (cwd !== null) calls.push({ call: 'chdir', args: [directory] });
  // A copy onto itself only loses close-on-exec.
  for (const { fd, dup } of dups) {
    if (fd === dup) calls.push({ call: 'fcntl', args: [fd, F_SETFD, 0] });
    else calls.push({ call: 'dup3', args: [dup, fd, 0] });
  }
  calls.push(...(closesEach ? closings(dups) : gaps(dups)));
  calls.push(...openings(dups, opens, files));
  if (nofile !== null) {
    const hard = nofile.hard ?? getNofile(libc, 0).hard;
    putU64(viewOf(limit), 0, nofile.soft);
    putU64(viewOf(limit), 8, hard);
    calls.push({ call: 'prlimit', args: [0, RLIMIT_NOFILE, libc.address(limit), 0] });
  }
  const mask = [SIG_SETMASK, libc.address(noSignals), 0, SIGSET_WORD];
  calls.push({ call: 'pthread_sigmask', args: mask });
  calls.push({ call: 'execve', args: [packed.path, packed.argv, packed.envp] });
  return calls;
}

/** Descriptors of its own from here on, and of ours only those below what it has no use for. */
function unsharing(dups: readonly DupAction[]): ChildCall {
  return { call: 'close_range', args: [endOf(dups), FD_MAX, CLOSE_RANGE_UNSHARE] };
}

function endOf(dups: readonly DupAction[]): number {
  return dups.reduce((end, { fd, dup }) => Math.max(end, fd + 1, dup + 1), 0);
}

/** Closes what is between the copies, and behind the last of them. */
function gaps(dups: readonly DupAction[]): ChildCall[] {
  const kept = [...dups.map(({ fd }) => fd), endOf(dups)].sort((a, b) => a - b);
  return kept.flatMap((fd, i): ChildCall[] => {
    const from = (kept[i - 1] ?? -1) + 1;
    return from < fd ? [{ call: 'close_range', args: [from, fd - 1, 0] }] : [];
  });
}

/** Closes all that is no copy: the directory that is read here, which is closed by then, too. */
function closings(dups: readonly DupAction[]): ChildCall[] {
  const kept = new Set<number>(dups.map(({ fd }) => fd));
  const open = readdirSync('/proc/self/fd').map(Number);
  return open
    .filter((fd) => !kept.has(fd))
    .map((fd) => ({ call: 'close', args: [fd], isOptional: true }));
}

/** The kernel gives the lowest number that is free, which is known here. */
function openings(
  dups: readonly DupAction[],
  opens: readonly OpenAction[],
  paths: readonly number[],
): ChildCall[] {
  const taken = new Set<number>(dups.map(({ fd }) => fd));
  return opens.flatMap(({ fd, flags, mode }, i): ChildCall[] => {
    const opened: ChildCall = { call: 'open', args: [AT_FDCWD, paths[i] ?? 0, flags, mode] };
    let free = 0;
    while (taken.has(free)) free += 1;
    taken.add(fd);
    if (free === fd) return [opened];
    return [opened, { call: 'dup3', args: [free, fd, 0] }, { call: 'close', args: [free] }];
  });
}
