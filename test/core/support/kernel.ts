/**
 * The kernel of a model world: processes that become ready, end or ignore signals as a seed says,
 * on a clock that is only a number. It refuses what a real kernel would refuse us, loudly.
 */
import type { Exit } from '../../../src/core/exit.ts';
import type { ErrandRole, Role } from '../../../src/core/phase.ts';
import { SIGCONT, SIGHUP, SIGKILL } from '../../../src/core/signals.ts';
import type { Spec } from '../../../src/core/spec.ts';
import { type Pid, pid as toPid } from '../../../src/core/units.ts';
import { exitOf } from './builder.ts';
import type { Random } from './random.ts';

export type Process = {
  readonly pid: Pid;
  readonly name: string;
  role: Role | ErrandRole;
  spec: Spec;
  readonly startedAt: number;
  /** When it will say that it is ready; Infinity: never. */
  readyAt: number;
  saidReady: boolean;
  /** When and how it will end, unless a signal comes first; Infinity: never. */
  endsAt: number;
  endsWith: Exit;
  /** Meant to run until it is told to stop. */
  lives: boolean;
  /** It was told to end, whether it heeded or not. */
  signalled: boolean;
  /** When it was first told to stop, and when it has to be killed at the latest. */
  killBy: number;
  /** Heeds nothing but KILL. */
  deaf: boolean;
  /** How it ended; it stays in the table, as a zombie, until it is reaped. */
  ended: Exit | null;
};

type Fate = Pick<Process, 'readyAt' | 'endsAt' | 'endsWith' | 'lives' | 'deaf'>;

export type Order = {
  readonly name: string;
  readonly role: Role | ErrandRole;
  readonly spec: Spec;
};

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
/** So late may a KILL be: a machine may have stood still, and a definition may have changed. */
const LATE = 130_000;

export class FakeKernel {
  readonly #random: Random;
  readonly #processes = new Map<Pid, Process>();
  /** Children that no image knows any more; they are reaped all the same. */
  readonly #strangers = new Map<Pid, Process>();
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
    const fresh = { startedAt: now, saidReady: false, signalled: false, ended: null };
    const killBy = Infinity;
    this.#processes.set(pid, {
      pid,
      name,
      role,
      spec,
      killBy,
      ...fresh,
      ...this.#fate(order, now),
    });
    return { ok: true, pid };
  }

  /** kill(2). A zombie takes every signal and heeds none. */
  signal(pid: Pid, signal: number, now: number): void {
    const process = this.#processes.get(pid);
    if (process === undefined) throw new Error(`signal ${signal} to ${pid}, which is nobody's`);
    // Everybody here reads its configuration again when it gets a HUP.
    if (signal === SIGCONT || signal === SIGHUP) return;
    process.signalled = true;
    if (signal === SIGKILL) process.killBy = Infinity;
    else
      process.killBy = Math.min(process.killBy, now + (process.spec.stopWithin ?? Infinity) + LATE);
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
    for (const { ended, readyAt, endsAt } of this.children()) {
      if (ended === null) next = Math.min(next, readyAt, endsAt);
    }
    return next;
  }

  /** Lets happen what is due: some say that they are ready, some end, some do both. */
  pass(now: number): Happening[] {
    const happened: Happening[] = [];
    for (const process of this.children()) {
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

  /** The image that knew it is gone, and the next one does not. */
  disown(pid: Pid): void {
    const process = this.#processes.get(pid);
    if (process === undefined) return;
    this.#processes.delete(pid);
    this.#strangers.set(pid, process);
  }

  /** The next image knows of it again. */
  own(pid: Pid): void {
    const process = this.#strangers.get(pid);
    if (process === undefined) return;
    this.#strangers.delete(pid);
    this.#processes.set(pid, process);
  }

  /** All children, those that nobody knows as well. */
  children(): readonly Process[] {
    return [...this.#processes.values(), ...this.#strangers.values()];
  }

  /** An image that knows nothing takes it for the main process of its service. */
  mistake(pid: Pid, role: Role, isReady: boolean, spec: Spec): void {
    const process = this.#processes.get(pid);
    if (process === undefined) return;
    process.role = role;
    process.killBy = Infinity;
    process.spec = spec;
    process.lives = role === 'start' && spec.type === 'longrun';
    if (isReady) process.saidReady = true;
  }

  /** Everything stands still for so long: a full pipe, a stopped machine. */
  freeze(duration: number): void {
    for (const process of this.#processes.values()) {
      process.readyAt += duration;
      if (process.ended === null) process.endsAt += duration;
    }
  }

  /** @throws {Error} when one that does not stop has not been killed although its time is up. */
  insistKilled(now: number): void {
    for (const { pid, name, ended, killBy } of this.#processes.values()) {
      if (ended === null && now > killBy) throw new Error(`${pid} of ${name} is never killed`);
    }
  }

  /** waitid(2) with WNOWAIT. */
  peek(pid: Pid): (Process & { readonly ended: Exit }) | null {
    const process = this.#processes.get(pid) ?? this.#strangers.get(pid);
    if (process === undefined) return null;
    if (process.ended === null) throw new Error(`${pid} is no zombie`);
    return { ...process, ended: process.ended };
  }

  /** waitpid(2) for a zombie: from here on its pid may be another's. */
  reap(pid: Pid): void {
    if (this.peek(pid) === null) throw new Error(`${pid} is reaped twice`);
    if (!this.#processes.delete(pid)) this.#strangers.delete(pid);
  }

  /** Those that have ended and that nobody has reaped. */
  ended(): readonly Process[] {
    return this.children().filter(({ ended }) => ended !== null);
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
    const code = role === 'control' ? this.#controlCode(spec) : this.#code(role);
    return {
      readyAt: Infinity,
      endsAt: this.#fault(0.1) ? Infinity : soon,
      endsWith: exitOf(code),
      lives: false,
      deaf,
    };
  }

  #code(role: Order['role']): number {
    return role === 'finish' && this.#fault(0.1) ? 125 : this.#fault(0.2) ? 1 : 0;
  }

  /** With 0 it takes the signal away; then only the clock ends what does not end by itself. */
  #controlCode({ stopWithin }: Spec): number {
    return stopWithin !== null && this.#fault(0.5) ? 0 : 1;
  }

  #freePid(): Pid {
    do this.#lastPid = this.#lastPid >= PIDS ? 2 : this.#lastPid + 1;
    while (this.#isTaken(toPid(this.#lastPid)));
    return toPid(this.#lastPid);
  }

  #isTaken(pid: Pid): boolean {
    return this.#processes.has(pid) || this.#strangers.has(pid);
  }
}
