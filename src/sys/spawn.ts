/**
 * Starts a program with posix_spawn(3), from the same clean state every time: empty signal mask,
 * default dispositions, the descriptors it was given and no other, the environment it was given.
 * What to start, and what to do when that fails, is the caller's.
 *
 * Once the child runs, nothing here throws: a child nobody knows of would be worse than a clean-up
 * that did not happen.
 */
import type { Fd, Pid } from '../core/units.ts';
import { dup } from './descriptors.ts';
import { errnoNumber } from './errno.ts';
import { umask } from './files.ts';
import { check, type Libc, SysError } from './libc.ts';
import { memory, packProgram, viewOf } from './memory.ts';
import { getNofile, type Limit, mayRaiseLimits, setNofile } from './process.ts';
import { SIGSET_BYTES } from './signals.ts';

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
 * posix_spawn(3): runs the program and returns when its exec has succeeded.
 *
 * Without CAP_SYS_RESOURCE we could not raise our own hard limit again, so then a lower `hard` is
 * set on the child right after its start; `soft` always holds from its first instruction.
 * @throws {SysError} of posix_spawn, with the error of its exec or of a file action: `ENOENT` (also
 * for `cwd` and a missing interpreter), `EACCES`, `ENOEXEC`, `E2BIG`, `EAGAIN`, `ENOMEM`. Or of
 * prlimit: `EPERM` when `hard` is more than we have and may have, `EINVAL` when `soft` is above it.
 * @throws {TypeError} when two actions name the same `fd`.
 */
export function spawn(libc: Libc, program: Program): Pid {
  const what = `start ${program.path}`;
  const dups = movedClear(libc, sorted(program.files).dups);
  try {
    prepareActions(libc, what, program, dups.moved);
    try {
      return withUmask(libc, program, () =>
        withNofile(libc, program, () => launch(libc, what, program)),
      );
    } finally {
      quietly(() => libc.call('posix_spawn_file_actions_destroy', actions));
    }
  } finally {
    closeQuietly(libc, dups.spares);
  }
}

type DupAction = Extract<FileAction, { dup: Fd }>;
type OpenAction = Extract<FileAction, { open: string }>;
type Attributes = { readonly session: Uint8Array; readonly plain: Uint8Array };

/** spawn.h: 336 and 80 bytes on 64-bit glibc 2.36; later ones keep the size, for the ABI's sake. */
const ATTRIBUTES_BYTES = 336;
const FILE_ACTIONS_BYTES = 80;
const POSIX_SPAWN_SETSIGDEF = 0x04;
const POSIX_SPAWN_SETSIGMASK = 0x08;
const POSIX_SPAWN_SETSID = 0x80;

const actions = memory(FILE_ACTIONS_BYTES);
const pidBlock = memory(4);
const pidView = viewOf(pidBlock);
const noSignals = memory(SIGSET_BYTES);
/** Every bit, glibc's own 32 and 33 too: sigfillset(3) would leave those, and they stay ignored. */
const allSignals = memory(SIGSET_BYTES).fill(0xff);
const attributesOf = new WeakMap<Libc, Attributes>();
const owed = new WeakMap<Libc, Limit>();

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
 * A source that is also another's target would be overwritten before it is copied. Such sources get
 * a spare above all targets, here in the parent.
 */
function movedClear(libc: Libc, dups: readonly DupAction[]): { moved: DupAction[]; spares: Fd[] } {
  const spares: Fd[] = [];
  const above = firstAbove(dups);
  const clashes = ({ fd, dup }: DupAction) => fd !== dup && dups.some((other) => other.fd === dup);
  try {
    const moved = dups.map((action) => {
      if (!clashes(action)) return action;
      const spare = dup(libc, action.dup, above);
      spares.push(spare);
      return { fd: action.fd, dup: spare };
    });
    return { moved, spares };
  } catch (error) {
    closeQuietly(libc, spares);
    throw error;
  }
}

function firstAbove(dups: readonly DupAction[]): number {
  return dups.reduce((above, { fd }) => Math.max(above, fd + 1), 0);
}

function closeQuietly(libc: Libc, fds: readonly Fd[]): void {
  for (const fd of fds) libc.call('close', fd);
}

/**
 * Directory first, so that nothing is made where the program cannot go; copies; close what is not
 * one (glibc ignores EBADF there); then open, where nothing is left to be clobbered. A copy onto
 * itself loses close-on-exec (glibc ≥ 2.29).
 */
function prepareActions(
  libc: Libc,
  what: string,
  { cwd, files }: Program,
  dups: readonly DupAction[],
): void {
  check(libc, what, 'posix_spawn_file_actions_init', actions);
  try {
    if (cwd !== null) check(libc, what, 'posix_spawn_file_actions_addchdir_np', actions, cwd);
    for (const { fd, dup } of dups) {
      check(libc, what, 'posix_spawn_file_actions_adddup2', actions, dup, fd);
    }
    const above = firstAbove(dups);
    for (let fd = 0; fd < above; fd += 1) {
      if (dups.some((action) => action.fd === fd)) continue;
      check(libc, what, 'posix_spawn_file_actions_addclose', actions, fd);
    }
    check(libc, what, 'posix_spawn_file_actions_addclosefrom_np', actions, above);
    for (const { fd, open, flags, mode } of sorted(files).opens) {
      check(libc, what, 'posix_spawn_file_actions_addopen', actions, fd, open, flags, mode);
    }
  } catch (error) {
    libc.call('posix_spawn_file_actions_destroy', actions);
    throw error;
  }
}

function launch(libc: Libc, what: string, { path, argv, env, session }: Program): Pid {
  const attributes = attributesFor(libc);
  const packed = packProgram(libc, path, argv, env);
  check(
    libc,
    what,
    'posix_spawn',
    pidBlock,
    packed.path,
    actions,
    session ? attributes.session : attributes.plain,
    packed.argv,
    packed.envp,
  );
  return pidView.getInt32(0, true) as Pid;
}

function attributesFor(libc: Libc): Attributes {
  const known = attributesOf.get(libc);
  if (known !== undefined) return known;
  const clean = POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSIGMASK;
  const made = {
    session: makeAttributes(libc, clean | POSIX_SPAWN_SETSID),
    plain: makeAttributes(libc, clean),
  };
  attributesOf.set(libc, made);
  return made;
}

function makeAttributes(libc: Libc, flags: number): Uint8Array {
  const what = 'prepare to start programs';
  const attributes = memory(ATTRIBUTES_BYTES);
  check(libc, what, 'posix_spawnattr_init', attributes);
  check(libc, what, 'posix_spawnattr_setflags', attributes, flags);
  check(libc, what, 'posix_spawnattr_setsigmask', attributes, noSignals);
  check(libc, what, 'posix_spawnattr_setsigdefault', attributes, allSignals);
  return attributes;
}

function withUmask(libc: Libc, program: Program, start: () => Pid): Pid {
  if (program.umask === undefined) return start();
  const before = umask(libc, program.umask);
  try {
    return start();
  } finally {
    umask(libc, before);
  }
}

/** A child takes its limit from us, so ours is what it shall have while it starts. */
function withNofile(libc: Libc, { path, nofile }: Program, start: () => Pid): Pid {
  if (nofile === null) return start();
  const ours = owed.get(libc) ?? getNofile(libc, 0);
  const hard = nofile.hard ?? ours.hard;
  if (nofile.soft > hard) {
    throw new SysError('prlimit', errnoNumber('EINVAL'), `start ${path} with such a limit`);
  }
  const late = hard < ours.hard && !mayRaiseLimits(libc);
  setNofile(libc, 0, { soft: nofile.soft, hard: late ? ours.hard : hard });
  let pid: Pid;
  try {
    pid = start();
  } finally {
    giveBack(libc, ours);
  }
  if (late) quietly(() => setNofile(libc, pid, { soft: nofile.soft, hard }));
  return pid;
}

/** Our own limit again. When that fails it is owed, and the next start gives it back. */
function giveBack(libc: Libc, ours: Limit): void {
  owed.set(libc, ours);
  quietly(() => {
    setNofile(libc, 0, ours);
    owed.delete(libc);
  });
}

function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // The child runs already; see the top of this file.
  }
}
