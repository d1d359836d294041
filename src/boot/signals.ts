/**
 * Signals that would end PID 1 although nothing is wrong with it, made harmless. Which signals mean
 * something to svinit is decided elsewhere.
 */
import type { Kernel } from '../sys/kernel.ts';

/**
 * SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV and SIGSYS (asm-generic/signal.h): runtimes
 * install crash handlers for them, so that one sent by any root process would end the machine. With
 * the default disposition the kernel drops what is sent to PID 1; a real fault still ends it.
 */
const CRASHES: readonly number[] = [4, 5, 6, 7, 8, 11, 31];

/**
 * To be called once the runtime has started. Ctrl-Alt-Del becomes SIGINT to PID 1; only on a
 * machine, for elsewhere the kernel refuses.
 * @returns what failed, a sentence each.
 */
export function tameSignals(
  kernel: Pick<Kernel, 'setCtrlAltDel' | 'sigDefault'>,
  machine: boolean,
): string[] {
  const acts = CRASHES.map((signal) => () => kernel.sigDefault([signal]));
  if (machine) acts.push(() => kernel.setCtrlAltDel(false));
  return acts.flatMap((act) => {
    try {
      act();
      return [];
    } catch (error) {
      return [error instanceof Error ? error.message : String(error)];
    }
  });
}

/**
 * Signals this process ignores, from the text of /proc/self/status (proc_pid_status(5), SigIgn).
 * What ignores them outlives execve(2); a handler does not.
 */
export function ignoredSignals(status: string | null): number[] {
  return signalsIn(/^SigIgn:\s*([0-9a-f]{1,16})$/m.exec(status ?? '')?.[1] ?? '0');
}

/** Signals its first thread blocks, from the same text (SigBlk); null when that does not say. */
export function blockedSignals(status: string | null): number[] | null {
  const mask = /^SigBlk:\s*([0-9a-f]{1,16})$/m.exec(status ?? '')?.[1];
  return mask === undefined ? null : signalsIn(mask);
}

function signalsIn(hexadecimal: string): number[] {
  const mask = BigInt(`0x${hexadecimal}`);
  // 32 and 33 are glibc's own (SIGCANCEL, SIGSETXID), and its sigaction(3) refuses them.
  const all = Array.from({ length: 64 }, (_, i) => i + 1).filter((n) => n !== 32 && n !== 33);
  return all.filter((signal) => ((mask >> BigInt(signal - 1)) & 1n) === 1n);
}
