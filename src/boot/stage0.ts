/**
 * The first life of svinit: it makes itself a clean process and becomes itself again. What a kernel
 * or a container left in descriptors, signals and environment ends here. A life that was given
 * nothing that outlives its beginning goes on as the second, where the runtime needs no environment
 * of its own. A failure is told and the first life goes on as well: PID 1 may not die.
 */
import { BOOTED, type Environment, isHarmless, stage0Environment } from '../core/environment.ts';
import type { Fd } from '../core/units.ts';
import { MAGIC, O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { type BootFiles, realFiles } from './files.ts';
import { inFirstNamespace } from './observe.ts';
import { blockedSignals, ignoredSignals } from './signals.ts';

/** What the runtime knows of this life. */
export type Life = {
  /** What stands before svinit's own arguments: argv0, the runtime's options, the script. */
  readonly program: readonly string[];
  readonly execPath: string;
  readonly env: Environment;
  readonly cwd: string;
  readonly files: Pick<BootFiles, 'read' | 'readlink'>;
  readonly chdir: (path: string) => void;
  /**
   * Takes an environment and the path of the program as if it had begun with them. Absent where a
   * runtime needs them from its very beginning.
   */
  readonly adopt?: (env: readonly string[], execPath: string) => void;
};

/** Returns when this life goes on: it is clean, or exec failed and the reason has been told. */
export function stage0(kernel: Kernel, argv: readonly string[], life: Life = thisLife()): void {
  const pid1 = kernel.getpid() === 1;
  const attempt = (act: () => void) => {
    try {
      act();
    } catch (error) {
      tell(kernel, pid1, error);
    }
  };
  kernel.umask(0o077);
  if (pid1) attempt(() => mountProc(kernel));
  if (pid1) attempt(() => life.chdir('/'));
  for (const fd of [0, 1, 2] as Fd[]) attempt(() => keepOpen(kernel, fd));
  const status = life.files.read('/proc/self/status');
  const ignored = ignoredSignals(status);
  const adopt = isClean(life.env, ignored, status) ? life.adopt : undefined;
  // What a runtime that goes on ignores and blocks by itself, it must go on to.
  if (adopt === undefined) attempt(() => kernel.sigDefault(ignored));
  if (adopt === undefined) attempt(() => kernel.sigSetMask([]));
  const machine = pid1 && inFirstNamespace(life.files);
  if (machine) attempt(() => raiseNofile(kernel, adopt !== undefined));
  const meminfo = life.files.read('/proc/meminfo');
  const env = stage0Environment(life.env, { machine, cwd: life.cwd, meminfo });
  const path = life.files.readlink('/proc/self/exe') ?? life.execPath;
  if (adopt !== undefined) return adopt(env, path);
  attempt(() => kernel.execve(path, [...life.program, BOOTED, ...argv], env));
  attempt(() => kernel.sigIgnore(ignored));
}

/** Nothing was given that only an exec ends. */
function isClean(env: Environment, ignored: readonly number[], status: string | null): boolean {
  const only = (own: readonly number[]) => (signal: number) => own.includes(signal);
  const blocked = blockedSignals(status);
  return isHarmless(env) && ignored.every(only(IGNORED)) && blocked?.every(only(BLOCKED)) === true;
}

/** SIGPIPE and SIGXFSZ (asm-generic/signal.h): Node ignores them by itself. */
const IGNORED: readonly number[] = [13, 25];
/** SIGUSR1: Node blocks it with --disable-sigusr1. */
const BLOCKED: readonly number[] = [10];

/**
 * What an image that was exec'd needs before it looks around: without /proc it would take a machine
 * for a container.
 */
export function keepProc(kernel: Kernel): void {
  const pid1 = kernel.getpid() === 1;
  try {
    if (pid1) mountProc(kernel);
  } catch (error) {
    tell(kernel, pid1, error);
  }
}

export function thisLife(): Life {
  const { argv0, chdir, env, execArgv, execPath } = process;
  const script = process.argv[1] ?? '';
  // A single executable names its own inside instead of a script: Bun a path of its virtual
  // filesystem, Node argv0 again. Its options are inside as well.
  const single = script.startsWith('/$bunfs/') || script === argv0;
  const program = single ? [argv0] : [argv0, ...execArgv, script];
  const life = { program, execPath, env, cwd: process.cwd(), files: realFiles, chdir };
  // Bun's options are variables that it reads before any of our code runs.
  return process.versions['bun'] === undefined ? { ...life, adopt } : life;
}

function adopt(env: readonly string[], execPath: string): void {
  for (const name of Object.keys(process.env)) delete process.env[name];
  for (const word of env) {
    const at = word.indexOf('=');
    process.env[word.slice(0, at)] = word.slice(at + 1);
  }
  // Without /proc a runtime knows only what it was called.
  process.execPath = execPath;
}

/**
 * The image has a regular file proc/self/maps, which is all Bun needs to start: glibc looks there
 * for the main thread's stack, whose address has 47 bits on x86-64 and 48 on arm64, so one range
 * holds all of both. This covers it.
 */
function mountProc(kernel: Kernel): void {
  if (kernel.statfsMagic('/proc') === MAGIC.proc) return;
  const flags = ['nosuid', 'nodev', 'noexec'] as const;
  kernel.mount({ source: 'proc', target: '/proc', type: 'proc', flags, data: '' });
}

/**
 * The kernel gives PID 1 4,096 (INR_OPEN_MAX of linux/fs.h), which is too few for the FIFOs of very
 * many services. Half a million is what systemd gives, and so what services are used to.
 */
function raiseNofile(kernel: Kernel, isBoth: boolean): void {
  const { soft, hard } = kernel.getNofile(0);
  // A runtime that begins takes for itself what it may have; one that goes on does not.
  if (hard < NOFILE_HARD)
    kernel.setNofile(0, { soft: isBoth ? NOFILE_HARD : soft, hard: NOFILE_HARD });
}

/** HIGH_RLIMIT_NOFILE of systemd: 512 Ki. */
const NOFILE_HARD: number = 512 * 1024;

/** A closed descriptor would become the first file opened; a runtime may have marked it. */
function keepOpen(kernel: Kernel, fd: Fd): void {
  try {
    kernel.setCloexec(fd, false);
  } catch (error) {
    // Opened from 0 upwards, so the lowest free number is this one, if it is free.
    const opened = openFirst(kernel, ['/dev/console', '/dev/null']);
    if (opened === fd) kernel.setCloexec(fd, false);
    else if (opened !== null) {
      kernel.close(opened);
      throw error;
    }
  }
}

/** To the kernel's log on a machine, where there may be no console yet; otherwise to stderr. */
function tell(kernel: Kernel, pid1: boolean, error: unknown): void {
  try {
    const kmsg = pid1 ? openFirst(kernel, ['/dev/kmsg', '/dev/console']) : null;
    const message = error instanceof Error ? error.message : String(error);
    kernel.write(kmsg ?? (2 as Fd), new TextEncoder().encode(`<3>svinit: ${message}\n`));
    if (kmsg !== null) kernel.close(kmsg);
  } catch {
    // There is nowhere to say it.
  }
}

function openFirst(kernel: Kernel, paths: readonly string[]): Fd | null {
  for (const path of paths) {
    try {
      return kernel.open(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
    } catch {}
  }
  return null;
}
