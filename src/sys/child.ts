/**
 * What a child does between clone(2) and its exec: a list of system calls, made one after the other
 * by machine code in a page of its own. It shares our memory and our descriptors, as a child of
 * vfork(2) would, and touches neither: how many descriptors we have costs it nothing. Which calls,
 * and why, is not known here.
 */
import type { Pid } from '../core/units.ts';
import { callOf, childCode, numberOf } from './child-code.ts';
import { SIGNALS_MAX } from './constants.ts';
import { check, type Libc, SysError } from './libc.ts';
import { getU64, memory, putU64, viewOf } from './memory.ts';
import type { ChildCallName } from './signatures.ts';

/** A system call: its name, and up to four numbers or addresses. */
export type ChildCall = {
  readonly call: ChildCallName;
  readonly args: readonly number[];
  /** It may fail, and the next one is made all the same. */
  readonly isOptional?: boolean;
};

/** What the child could not do, and the error number of it. */
export type ChildFailure = { readonly call: ChildCallName; readonly errno: number };

/**
 * Makes a child that makes `calls`, the last of which is to be an exec, and waits until it has:
 * gives its pid. One that fails before has ended and been waited for, and its failure is given.
 * @throws {SysError} of clone: `EAGAIN`, `ENOMEM`; {TypeError} on another CPU.
 */
export function runChild(
  libc: Libc,
  what: string,
  calls: readonly ChildCall[],
  sharesFiles: boolean,
): Pid | ChildFailure {
  const { code, view, base } = layOut(libc, calls);
  putU64(view, FLAGS_AT, CLONE_VM | CLONE_VFORK | SIGCHLD | (sharesFiles ? CLONE_FILES : 0));
  // Of one element it is the function alone that decides: all of it that we want is its call.
  libc.call('bsearch', base, base, 1, 1, code);
  const pid = view.getInt32(PID_AT, true) as Pid;
  if (pid < 0) throw new SysError('clone', -pid, what);
  const errno = -view.getInt32(FAILED_AT, true);
  if (errno === 0) return pid;
  // It has ended, or is about to: this waits for it.
  for (let tries = 0; tries < TRIES_MAX; tries += 1) {
    if (libc.call('waitpid', pid, waitStatus, 0) === pid) break;
  }
  const index = Math.floor((getU64(view, WHERE_AT) - base - HEADER_BYTES) / CALL_BYTES) - 1;
  return { call: calls[index - RESET.length]?.call ?? 'sigaction', errno };
}

/** The calls of the list that begins with `bytes`, without those that every child makes. */
export function callsIn(bytes: Uint8Array): ChildCall[] {
  const view = viewOf(bytes);
  const calls: ChildCall[] = [];
  let at = HEADER_BYTES + RESET.length * CALL_BYTES;
  while (calls.at(-1)?.call !== 'execve') {
    const call = callOf(view.getUint32(at, true));
    if (call === null) throw new TypeError(`No call of a child has the number at ${at}`);
    const values = [0, 1, 2, 3].map((i) => getU64(view, at + 8 + 8 * i));
    calls.push({ call, args: values, isOptional: view.getUint32(at + 4, true) !== 0 });
    at += CALL_BYTES;
  }
  return calls;
}

const SIGCHLD = 17;
/** Writes to the list at `base` what the machine code would: for those that only play it. */
export function answerFor(bytes: Uint8Array, base: number, answer: Pid | ChildFailure): void {
  const view = viewOf(bytes);
  const isRefused = typeof answer !== 'number' && answer.call === 'clone';
  view.setInt32(PID_AT, isRefused ? -answer.errno : CHILD_OF_FAKES, true);
  if (typeof answer === 'number') view.setInt32(PID_AT, answer, true);
  else if (!isRefused) {
    const index = RESET.length + callsIn(bytes).findIndex(({ call }) => call === answer.call);
    view.setInt32(FAILED_AT, -answer.errno, true);
    putU64(view, WHERE_AT, base + HEADER_BYTES + (index + 1) * CALL_BYTES);
  }
}

/** linux/sched.h. */
const CLONE_VM = 0x100;
const CLONE_FILES = 0x400;
const CLONE_VFORK = 0x4000;
/** asm-generic/mman-common.h. */
const PROT_READ = 1;
const PROT_WRITE = 2;
const PROT_EXEC = 4;
const MAP_PRIVATE = 2;
const MAP_ANONYMOUS = 0x20;

/**
 * A list: what failed, as minus its error, and the address behind that call; the pid of the child,
 * or minus the error of clone; the signal mask before; one with all signals; the flags of clone;
 * the end of the stack. Then the calls, each four bytes of its number, four that are not 0 when it
 * may fail, and its arguments.
 */
const FAILED_AT = 0;
const WHERE_AT = 8;
const PID_AT = 16;
const ALL_SIGNALS_AT = 32;
const FLAGS_AT = 40;
const STACK_AT = 48;
const HEADER_BYTES = 56;
const ARGUMENTS = 4;
const CALL_BYTES: number = 8 * (1 + ARGUMENTS);

const PAGE_BYTES = 4096;
/** The code needs none; the kernel puts nothing there as long as no signal can come. */
const STACK_BYTES = 4096;
/** A signal of ours may interrupt the wait. */
const TRIES_MAX = 100;
const CALLS_MIN = 128;
/** Nobody looks at it: it has ended. */
const CHILD_OF_FAKES = 2 ** 22;
/** struct sigaction of the kernel: handler, flags, restorer, mask; and the size of that mask. */
const SIGACTION_BYTES = 32;
const SIGSET_WORD = 8;
/** All but SIGKILL and SIGSTOP, which have no other: first of all, while no signal can come. */
const RESET: readonly number[] = Array.from({ length: SIGNALS_MAX }, (_, i) => i + 1).filter(
  (signal) => signal !== 9 && signal !== 19,
);

const stack = memory(STACK_BYTES);
const byDefault = memory(SIGACTION_BYTES);
const waitStatus = memory(4);

type List = {
  readonly code: number;
  readonly base: number;
  readonly block: Uint8Array;
  readonly view: DataView;
  readonly words: Uint32Array;
};
const lists = new WeakMap<Libc, List>();

/** The list of `calls`, in memory that stays until the next one. */
function layOut(libc: Libc, calls: readonly ChildCall[]): List {
  const bytes = HEADER_BYTES + (RESET.length + calls.length) * CALL_BYTES;
  const known = lists.get(libc);
  const list = known !== undefined && known.block.length >= bytes ? known : newList(libc, bytes);
  putU64(list.view, FAILED_AT, 0);
  put(list.words, RESET.length, calls);
  return list;
}

function newList(libc: Libc, bytes: number): List {
  const code = lists.get(libc)?.code ?? mapCode(libc);
  const block = memory(Math.max(2 * bytes, CALLS_MIN * CALL_BYTES));
  const [view, words] = [viewOf(block), new Uint32Array(block.buffer)];
  putU64(view, ALL_SIGNALS_AT, Number.POSITIVE_INFINITY);
  // Both CPUs want it in whole sixteens.
  putU64(view, STACK_AT, Math.floor((libc.address(stack) + STACK_BYTES) / 16) * 16);
  const action = libc.address(byDefault);
  const reset = RESET.map(
    (signal): ChildCall => ({ call: 'sigaction', args: [signal, action, 0, SIGSET_WORD] }),
  );
  put(words, 0, reset);
  const list = { code, base: libc.address(block), block, view, words };
  lists.set(libc, list);
  return list;
}

/** Writes `calls` to the places from `index` on. */
function put(words: Uint32Array, index: number, calls: readonly ChildCall[]): void {
  let at = (HEADER_BYTES + index * CALL_BYTES) / 4;
  for (const { call, args, isOptional } of calls) {
    words[at] = numberOf(call);
    words[at + 1] = isOptional === true ? 1 : 0;
    for (let i = 0; i < ARGUMENTS; i += 1) {
      const value = args[i] ?? 0;
      words[at + 2 + 2 * i] = value;
      words[at + 3 + 2 * i] = Math.floor(value / 2 ** 32);
    }
    at += CALL_BYTES / 4;
  }
}

/** Written first, executable after: the page is never both. */
function mapCode(libc: Libc): number {
  const code = childCode();
  const anonymous = MAP_PRIVATE | MAP_ANONYMOUS;
  const what = 'prepare to start programs';
  const access = PROT_READ | PROT_WRITE;
  const page = check(libc, what, 'mmap', null, PAGE_BYTES, access, anonymous, -1, 0);
  libc.call('memcpy', page, code, code.length);
  check(libc, what, 'mprotect', page, PAGE_BYTES, PROT_READ | PROT_EXEC);
  return page;
}
