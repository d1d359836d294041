/**
 * Every child that has ended, own or adopted, is waited for here and nowhere else. SIGCHLD is
 * only a hint: the reconcile tick calls this too.
 */
import { decodeStatus, type Exit } from '../core/exit.ts';
import type { Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

/** Reaped in one go before the loop gets its turn again. */
const BURST_MAX = 1000;

/**
 * Reports each child that has ended, and lets the kernel forget it only then: should this image die
 * in between, the next one is told the same.
 * @returns whether there may be more: the caller comes back after serving the others.
 */
export function reap(kernel: Kernel, report: (pid: Pid, exit: Exit) => void): boolean {
  for (let count = 0; count < BURST_MAX; count += 1) {
    const ended = kernel.peekAny();
    if (ended === null) return false;
    let isGone = false;
    try {
      report(ended.pid, decodeStatus(ended.status));
    } finally {
      isGone = kernel.reap(ended.pid);
    }
    // It would be found again at once, and again: it has time until the next look.
    if (!isGone) return false;
  }
  return true;
}
