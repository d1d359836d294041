/**
 * The kernel of a model world: processes that become ready, end or ignore signals as a seed says,
 * on a clock that is only a number. It refuses what a real kernel would refuse us, loudly.
 */
import type { Exit } from '../../../src/core/exit.ts';
import type { Role } from '../../../src/core/phase.ts';
import { SIGCONT, SIGKILL } from '../../../src/core/signals.ts';
import type { Spec } from '../../../src/core/spec.ts';
import { type Pid, pid as toPid } from '../../../src/core/units.ts';
import { exitOf } from './builder.ts';
import type { Random } from './random.ts';

export type Process = {
  readonly pid: Pid;
  readonly name: string;
  readonly role: Role;
  readonly spec: Spec;
  /** When it will say that it is ready; Infinity: never. */
  readyAt: number;
  saidReady: boolean;
  /** When and how it will end, unless a signal comes first; Infinity: never. */
  endsAt: number;
  endsWith: Exit;
  /** Meant to run until it is told to stop. */
  readonly lives: boolean;
  /** It was told to end, whether it heeded or not. */
  signalled: boolean;
  /** Heeds nothing but KILL. */
  deaf: boolean;
  /** How it ended; it stays in the table, as a zombie, until it is reaped. */
  ended: Exit | null;
};

type Fate = Pick<Process, 'readyAt' | 'endsAt' | 'endsWith' | 'lives' | 'deaf'>;

export type Order = { readonly name: string; readonly role: Role; readonly spec: Spec };

export type Spawned =
  | { readonly ok: true; readonly pid: Pid }
  | { readonly ok: false; readonly reason: string; readonly transient: boolean };

export type Happening = { readonly what: 'ready' | 'ended'; readonly pid: Pid };

/** Pids are few, so that they are used again soon. */
const PIDS = 40;
/** Milliseconds that a program takes at most for what it does at all; the second when healed. */
const SLOW = 2000;
const PROMPT = 200;
const LIFE = 20_000;

export class FakeKernel {
  readonly #random: Random;
  readonly #processes = new Map<Pid, Process>();
  #lastPid = 1;
  /** Whether things go wrong at all. */
  faulty = true;

  constructor(random: Random) {
    this.#random = random;
  }

  /** All that were spawned and not yet reaped. */
  get processes(): ReadonlyMap<Pid, Process> {
    return this.#processes;
  }

  spawn(order: Order, now: number): Spawned {
    if (this.#fault(0.06)) return { ok: false, reason: 'EAGAIN', transient: true };
    if (this.#fault(0.04)) return { ok: false, reason: 'ENOENT', transient: false };
    const pid = this.#freePid();
    const { name, role, spec } = order;
    const fresh = { saidReady: false, signalled: false, ended: null };
    this.#processes.set(pid, { pid, name, role, spec, ...fresh, ...this.#fate(order, now) });
    return { ok: true, pid };
  }

  /** kill(2). A zombie takes every signal and heeds none. */
  signal(pid: Pid, signal: number, now: number): void {
    const process = this.#processes.get(pid);
    if (process === undefined) throw new Error(`signal ${signal} to ${pid}, which is nobody's`);
    if (signal === SIGCONT) return;
    process.signalled = true;
    if (process.ended !== null) return;
    if (process.deaf && signal !== SIGKILL) return;
    const endsAt = now + this.#random.next() * 50;
    if (endsAt >= process.endsAt) return;
    process.endsAt = endsAt;
    process.endsWith = { kind: 'signal', signal, core: false };
  }

  /** When something happens by itself at the earliest; Infinity: never. */
  nextAt(): number {
    let next = Infinity;
    for (const { ended, readyAt, endsAt } of this.#processes.values()) {
      if (ended === null) next = Math.min(next, readyAt, endsAt);
    }
    return next;
  }

  /** Lets happen what is due: some say that they are ready, some end, some do both. */
  pass(now: number): Happening[] {
    const happened: Happening[] = [];
    for (const process of this.#processes.values()) {
      const { pid } = process;
      if (process.ended !== null) continue;
      if (process.readyAt <= Math.min(now, process.endsAt)) {
        happened.push({ what: 'ready', pid });
        process.readyAt = Infinity;
        process.saidReady = true;
      }
      if (process.endsAt > now) continue;
      process.ended = process.endsWith;
      happened.push({ what: 'ended', pid });
    }
    return happened;
  }

  /** waitpid(2) for a zombie: from here on its pid may be another's. */
  reap(pid: Pid): Process & { readonly ended: Exit } {
    const process = this.#processes.get(pid);
    if (process === undefined || process.ended === null) throw new Error(`${pid} is no zombie`);
    this.#processes.delete(pid);
    return { ...process, ended: process.ended };
  }

  /** From now on all goes well, also for what is already running. */
  heal(now: number): void {
    this.faulty = false;
    for (const process of this.#processes.values()) {
      if (process.ended !== null) continue;
      if (process.deaf) process.endsAt = Math.min(process.endsAt, now + PROMPT);
      process.deaf = false;
      if (process.lives) process.readyAt = Math.min(process.readyAt, now + PROMPT);
      else process.endsAt = Math.min(process.endsAt, now + PROMPT);
    }
  }

  #fault(probability: number): boolean {
    return this.faulty && this.#random.chance(probability);
  }

  #fate({ role, spec }: Order, now: number): Fate {
    const soon = now + this.#random.next() * (this.faulty ? SLOW : PROMPT);
    const deaf = this.#fault(0.15);
    if (role === 'start' && spec.type === 'longrun') {
      return {
        readyAt: spec.ready.by === 'spawn' || this.#fault(0.1) ? Infinity : soon,
        endsAt: this.#fault(0.6) ? now + this.#random.next() ** 3 * LIFE : Infinity,
        endsWith: this.#random.pick([exitOf(0), exitOf(1), exitOf('SEGV')]),
        lives: true,
        deaf,
      };
    }
    const code = role === 'finish' && this.#fault(0.1) ? 125 : this.#fault(0.2) ? 1 : 0;
    return {
      readyAt: Infinity,
      endsAt: this.#fault(0.1) ? Infinity : soon,
      endsWith: exitOf(code),
      lives: false,
      deaf,
    };
  }

  #freePid(): Pid {
    do this.#lastPid = this.#lastPid >= PIDS ? 2 : this.#lastPid + 1;
    while (this.#processes.has(toPid(this.#lastPid)));
    return toPid(this.#lastPid);
  }
}
