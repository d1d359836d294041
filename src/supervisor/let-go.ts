/**
 * Closing what is not needed any more. Whatever close(2) reports, the descriptor is gone (Linux),
 * and of a pipe, a FIFO or a file in memory nothing is lost: nobody could do anything about it.
 */
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

export function letGo(kernel: Pick<Kernel, 'close'>, fd: Fd): void {
  try {
    kernel.close(fd);
  } catch {
    // It is gone all the same.
  }
}

/** What an error says to people. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
