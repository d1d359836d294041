/**
 * Verbs on the dispositions and the mask of signals of this process. `kill` is in process.ts;
 * listening is the runtime's (`process.on`).
 */
import { SIGNALS_MAX } from './constants.ts';
import { check, type Libc } from './libc.ts';
import { memory, putU64, viewOf } from './memory.ts';

/** sizeof(sigset_t) of glibc, bits/types/__sigset_t.h: 1024 bits, of which the kernel has 64. */
export const SIGSET_BYTES = 128;

/**
 * SIG_DFL for each: sigaction(2). As PID 1 the kernel then drops the deadly ones sent by others,
 * where a runtime's own crash handler would end the machine. Undoes `process.on` for them too.
 * @throws {SysError} `EINVAL` for SIGKILL, SIGSTOP, and glibc's own 32 and 33.
 */
export function sigDefault(libc: Libc, signals: readonly number[]): void {
  for (const signal of signals) dispose(libc, signal, SIG_DFL);
}

/**
 * SIG_IGN for each. A program started by `spawn` does not inherit it.
 * @returns what takes it back: each gets the disposition, and the handler, that it had.
 */
export function sigIgnore(libc: Libc, signals: readonly number[]): () => void {
  const before = signals.map((signal) => [signal, dispose(libc, signal, SIG_IGN)] as const);
  return () => {
    for (const [signal, action] of before) setAction(libc, signal, action, 'restore');
  };
}

/**
 * pthread_sigmask(3): holds the signals back from the calling thread. Threads of the runtime may
 * still take what is sent to the process.
 */
export function sigBlock(libc: Libc, signals: readonly number[]): void {
  mask(libc, SIG_BLOCK, signals);
}

/** Lets them through again; what was held back arrives. */
export function sigUnblock(libc: Libc, signals: readonly number[]): void {
  mask(libc, SIG_UNBLOCK, signals);
}

/** Exactly `signals` are blocked in the calling thread. A mask survives `execve`. */
export function sigSetMask(libc: Libc, signals: readonly number[]): void {
  mask(libc, SIG_SETMASK, signals);
}

/** asm-generic/signal-defs.h. */
const SIG_DFL = 0;
const SIG_IGN = 1;
const SIG_BLOCK = 0;
const SIG_UNBLOCK = 1;
const SIG_SETMASK = 2;

/** struct sigaction of glibc, bits/sigaction.h: handler, mask, flags, restorer. */
const SIGACTION_BYTES = 152;

/** Gives the action that `signal` had. */
function dispose(libc: Libc, signal: number, handler: number): Uint8Array {
  const action = memory(SIGACTION_BYTES);
  putU64(viewOf(action), 0, handler);
  return setAction(libc, signal, action, handler === SIG_IGN ? 'ignore' : 'reset');
}

function setAction(libc: Libc, signal: number, action: Uint8Array, act: string): Uint8Array {
  const before = memory(SIGACTION_BYTES);
  check(libc, `${act} signal ${signal}`, 'sigaction', signal, action, before);
  return before;
}

function mask(libc: Libc, how: number, signals: readonly number[]): void {
  check(libc, 'set the signal mask', 'pthread_sigmask', how, signalSet(signals), null);
}

/** Signal n is bit n - 1. */
function signalSet(signals: readonly number[]): Uint8Array {
  const set = memory(SIGSET_BYTES);
  for (const signal of signals) {
    if (!Number.isInteger(signal) || signal < 1 || signal > SIGNALS_MAX) {
      throw new TypeError(`No signal has the number ${signal}`);
    }
    const byte = (signal - 1) >> 3;
    set[byte] = (set[byte] ?? 0) | (1 << ((signal - 1) & 7));
  }
  return set;
}
