/**
 * A C library without a kernel: a quiet machine on which everything succeeds, until told otherwise.
 * It remembers what was asked, hands out descriptors and pids, and can fail any call of the table.
 */
import type { Pid } from '../core/units.ts';
import { answerFor } from './child.ts';
import { errnoNumber } from './errno.ts';
import type { CValue, Libc } from './libc.ts';
import { getU64, putU64, viewOf } from './memory.ts';
import { type CName, SIGNATURES } from './signatures.ts';

export type FakeCall = { readonly name: CName; readonly args: readonly CValue[] };

/** What a call gives: its result, or a failure in the way its signature says. */
export type Answer = number | { readonly errno: number };

/** Answers instead of the quiet machine's own; `k` counts the calls of that name from 1. */
export type Script = Readonly<
  Partial<Record<CName, (args: readonly CValue[], k: number) => Answer | null>>
>;

/** What `execve` of the fake throws when it succeeds: the program that ran is no more. */
export class BecameAnother extends Error {}

export interface FakeLibc extends Libc {
  readonly calls: readonly FakeCall[];
  /** Descriptors made and not closed. */
  readonly open: ReadonlySet<number>;
  /** What CLOCK_MONOTONIC shows, in milliseconds. */
  now: number;
  /** The next `waitpid` reports this. */
  exit(pid: number, status: number): void;
  /** What was written to a descriptor that is still open. */
  written(fd: number): Uint8Array;
  /** What lies at an address, and behind it. */
  memoryAt(address: number): Uint8Array;
  /** The text at an address, up to its NUL. */
  textAt(address: number): string;
  /** The texts of an argv or envp. */
  vectorAt(address: number): string[];
}

/** @param script A null answer leaves the call to the quiet machine. */
export function fakeLibc(script: Script = {}): FakeLibc {
  return new FakeMachine(script);
}

/**
 * A machine on which the `k`-th call of `name`, and no other, fails with `errno`. A call that
 * cannot fail does not.
 */
export function failing(name: CName, errno: number, k = 1, script: Script = {}): FakeLibc {
  return fakeLibc({
    ...script,
    [name]: (args: readonly CValue[], count: number) =>
      count === k ? { errno } : (script[name]?.(args, count) ?? null),
  });
}

type Behaviour = (machine: FakeMachine, args: readonly CValue[]) => Answer;

const EAGAIN: Answer = { errno: errnoNumber('EAGAIN') };
const F_DUPFD_CLOEXEC = 1030;
const FIRST_FD = 3;
const FIRST_PID = 100;
/** Blocks lie this far apart, as if each had a page table of its own. */
const BLOCK_SPACING = 2 ** 32;

class FakeMachine implements FakeLibc {
  readonly calls: FakeCall[] = [];
  readonly open: Set<number> = new Set();
  readonly exits: { pid: number; status: number }[] = [];
  readonly contents: Map<number, number[]> = new Map();
  now = 1000;
  mask = 0o022;
  nofile: { soft: number; hard: number } = { soft: 1024, hard: 4096 };
  #lastPid: number = FIRST_PID - 1;
  #errno = 0;
  readonly #script: Script;
  readonly #counts: Map<CName, number> = new Map();
  readonly #blocks: ArrayBufferLike[] = [];

  constructor(script: Script) {
    this.#script = script;
  }

  call(name: CName, ...args: readonly CValue[]): number {
    const { fails, args: types } = SIGNATURES[name];
    if (args.length !== types.length) throw new TypeError(`${name} takes ${types.length} values`);
    const k = (this.#counts.get(name) ?? 0) + 1;
    this.#counts.set(name, k);
    this.calls.push({ name, args });
    const answer = this.#script[name]?.(args, k) ?? null;
    const isUnable = typeof answer !== 'number' && fails === 'never';
    if (answer === null || isUnable) return this.#result(name, BEHAVIOURS[name]?.(this, args) ?? 0);
    if (typeof answer === 'number' || fails !== 'list') return this.#result(name, answer);
    answerFor(this.memoryAt(Number(args[0])), Number(args[0]), { call: 'clone', ...answer });
    return 0;
  }

  errno(): number {
    return this.#errno;
  }

  address(buffer: Uint8Array): number {
    let i = this.#blocks.indexOf(buffer.buffer);
    if (i < 0) i = this.#blocks.push(buffer.buffer) - 1;
    return BLOCK_SPACING * (i + 1) + buffer.byteOffset;
  }

  exit(pid: number, status: number): void {
    this.exits.push({ pid, status });
  }

  written(fd: number): Uint8Array {
    return Uint8Array.from(this.contents.get(fd) ?? []);
  }

  textAt(address: number): string {
    const bytes = this.memoryAt(address);
    return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
  }

  vectorAt(address: number): string[] {
    const view = viewOf(this.memoryAt(address));
    const texts: string[] = [];
    for (let at = getU64(view, 0); at !== 0; at = getU64(view, 8 * texts.length)) {
      texts.push(this.textAt(at));
    }
    return texts;
  }

  newFd(from = FIRST_FD): number {
    let fd = from;
    while (this.open.has(fd)) fd += 1;
    this.open.add(fd);
    return fd;
  }

  newPid(): number {
    this.#lastPid += 1;
    return this.#lastPid;
  }

  #result(name: CName, answer: Answer): number {
    if (typeof answer === 'number') return answer;
    if (SIGNATURES[name].fails === 'result') return answer.errno;
    this.#errno = answer.errno;
    return -1;
  }

  memoryAt(address: number): Uint8Array {
    const block = this.#blocks[Math.floor(address / BLOCK_SPACING) - 1];
    if (block === undefined) throw new TypeError(`Nothing lies at ${address}`);
    return new Uint8Array(block, address % BLOCK_SPACING);
  }
}

const makesFd: Behaviour = (machine) => machine.newFd();

/** Where doing nothing and answering 0 would not do. */
const BEHAVIOURS: Readonly<Partial<Record<CName, Behaviour>>> = {
  ...{ open: makesFd, socket: makesFd, memfd_create: makesFd },
  ...{ epoll_create1: makesFd, inotify_init1: makesFd },
  inotify_add_watch: () => 1,
  ...{ accept4: () => EAGAIN, read: () => EAGAIN },
  ...{ recvfrom: () => EAGAIN, recvmsg: () => EAGAIN },
  getpid: () => 1,
  setsid: () => 1,
  umask: (machine, [mode]) => {
    const before = machine.mask;
    machine.mask = Number(mode);
    return before;
  },
  pipe2: (machine, [ends]) => {
    const view = viewOf(blockOf(ends));
    view.setInt32(0, machine.newFd(), true);
    view.setInt32(4, machine.newFd(), true);
    return 0;
  },
  fcntl: (machine, [, command, min]) =>
    command === F_DUPFD_CLOEXEC ? machine.newFd(Number(min)) : 0,
  close: (machine, [fd]) => {
    machine.open.delete(Number(fd));
    machine.contents.delete(Number(fd));
    return 0;
  },
  write: (machine, [fd, bytes, length]) => {
    const content = machine.contents.get(Number(fd)) ?? [];
    machine.contents.set(Number(fd), [...content, ...blockOf(bytes)]);
    return Number(length);
  },
  pread: (machine, [fd, buffer, length, offset]) => {
    const from = Number(offset);
    const content = machine.contents.get(Number(fd)) ?? [];
    const part = content.slice(from, from + Number(length));
    blockOf(buffer).set(part);
    return part.length;
  },
  bsearch: (machine, [list]) => {
    answerFor(machine.memoryAt(Number(list)), Number(list), machine.newPid() as Pid);
    return 0;
  },
  waitid: (machine, [, , info]) => {
    const [exit] = machine.exits;
    if (exit === undefined) return 0;
    const signal = exit.status & 0x7f;
    // siginfo_t of asm-generic/siginfo.h: CLD_EXITED, CLD_KILLED or CLD_DUMPED, pid, status.
    const code = signal === 0 ? 1 : (exit.status & 0x80) === 0 ? 2 : 3;
    const fields = [code, 0, exit.pid, 0, signal === 0 ? exit.status >> 8 : signal];
    const view = viewOf(blockOf(info));
    for (const [i, field] of fields.entries()) view.setInt32(8 + 4 * i, field, true);
    return 0;
  },
  waitpid: (machine, [pid, status]) => {
    const index = machine.exits.findIndex((exit) => pid === -1 || exit.pid === pid);
    const [exit] = index < 0 ? [] : machine.exits.splice(index, 1);
    if (exit === undefined) return 0;
    viewOf(blockOf(status)).setInt32(0, exit.status, true);
    return exit.pid;
  },
  execve: (machine, [path]) => {
    throw new BecameAnother(`Became ${machine.textAt(Number(path))}`);
  },
  prlimit: (machine, [pid, , wanted, before]) => {
    if (before instanceof Uint8Array) {
      putU64(viewOf(before), 0, machine.nofile.soft);
      putU64(viewOf(before), 8, machine.nofile.hard);
    }
    if (wanted instanceof Uint8Array && pid === 0) {
      machine.nofile = { soft: getU64(viewOf(wanted), 0), hard: getU64(viewOf(wanted), 8) };
    }
    return 0;
  },
  capget: (_machine, [, sets]) => {
    blockOf(sets).fill(0xff);
    return 0;
  },
  clock_gettime: (machine, [, timespec]) => {
    const view = viewOf(blockOf(timespec));
    putU64(view, 0, Math.floor(machine.now / 1e3));
    putU64(view, 8, Math.round((machine.now % 1e3) * 1e6));
    return 0;
  },
};

function blockOf(value: CValue | undefined): Uint8Array {
  if (value instanceof Uint8Array) return value;
  throw new TypeError('A call of the fake got no buffer where it fills or reads one');
}
