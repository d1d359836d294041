/**
 * How a process ended: the wait status of wait(2), decoded once and told in words.
 */
import { signalName } from './signals.ts';

/** Ended by itself with a code (0..255), or by a signal, perhaps leaving a core. */
export type Exit =
  | { readonly kind: 'code'; readonly code: number }
  | { readonly kind: 'signal'; readonly signal: number; readonly core: boolean };

/**
 * Decodes a status of waitpid(2) for a process that has ended (bits/waitstatus.h: the low seven
 * bits are the signal, bit 7 the core flag, bits 8..15 the code).
 */
export function decodeStatus(status: number): Exit {
  const signal = status & 0x7f;
  if (signal === 0) return { kind: 'code', code: (status >> 8) & 0xff };
  return { kind: 'signal', signal, core: (status & 0x80) !== 0 };
}

/** A status of waitpid(2) that `decodeStatus` would decode to `exit`. */
export function encodeStatus(exit: Exit): number {
  if (exit.kind === 'code') return exit.code << 8;
  return exit.signal | (exit.core ? 0x80 : 0);
}

export function succeeded(exit: Exit): boolean {
  return exit.kind === 'code' && exit.code === 0;
}

/** The code a shell would report: the code itself, or 128 + signal (sh(1), "Exit Status"). */
export function shellCode(exit: Exit): number {
  return exit.kind === 'code' ? exit.code : 128 + exit.signal;
}

/** `exit 1`, `killed by KILL`, `killed by SEGV (core dumped)`. */
export function exitWords(exit: Exit): string {
  if (exit.kind === 'code') return `exit ${exit.code}`;
  return `killed by ${signalName(exit.signal)}${exit.core ? ' (core dumped)' : ''}`;
}
