/**
 * The last act of svinit as PID 1: all that it, its runtime and stage 0 did to this process is
 * undone, so that the next program begins as one that the kernel started (init/main.c).
 */
import { constants, readdirSync } from 'node:fs';
import type { NextInit } from '../core/halt.ts';
import { type Fd, fd as toFd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo } from './let-go.ts';

/** envp_init of init/main.c. */
const ENVIRONMENT: readonly string[] = ['HOME=/', 'TERM=linux'];
/** INIT_RLIMITS of asm-generic/resource.h and the fs_struct of fs/fs_struct.c. */
const NOFILE = { soft: 1024, hard: 4096 };
const UMASK = 0o022;
const SIGNALS_MAX = 64;
/** SIGKILL and SIGSTOP have no disposition; 32 and 33 are glibc's own, which an exec resets. */
const FIXED: ReadonlySet<number> = new Set([9, 19, 32, 33]);

/**
 * Does not return.
 * @throws {SysError} when the exec failed; what is undone by then stays so.
 */
export function becomeInit(kernel: Kernel, { init, arguments: given }: NextInit): never {
  process.chdir('/');
  takeConsole(kernel);
  const undo: readonly (() => void)[] = [
    // The alarm that would start svinit anew outlives an exec (setitimer(2)).
    () => kernel.putOffAlarm(0),
    () => kernel.sigDefault(SIGNALS),
    () => kernel.sigSetMask([]),
    () => kernel.setNofile(0, NOFILE),
    () => kernel.setCtrlAltDel(true),
    () => kernel.umask(UMASK),
  ];
  for (const act of undo) quietly(act);
  for (const name of readdirSync('/proc/self/fd')) {
    if (Number(name) > 2) quietly(() => kernel.setCloexec(toFd(Number(name)), true));
  }
  return kernel.execve(init, [init, ...given], ENVIRONMENT);
}

const SIGNALS: readonly number[] = Array.from({ length: SIGNALS_MAX }, (_, i) => i + 1).filter(
  (signal) => !FIXED.has(signal),
);

/** Descriptors 0 to 2 are the console, as the kernel opens it: blocking, and nobody's terminal. */
function takeConsole(kernel: Kernel): void {
  quietly(() => {
    const console: Fd = kernel.open('/dev/console', constants.O_RDWR | constants.O_NOCTTY);
    for (const fd of [0, 1, 2]) kernel.moveTo(kernel.dup(console, 3), toFd(fd));
    letGo(kernel, console);
  });
}

/** A next init with one thing amiss is more than none. */
function quietly(act: () => void): void {
  try {
    act();
  } catch {
    // Nothing could be done about it, and nobody is left to be told.
  }
}
