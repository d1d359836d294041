/**
 * The loop: events in, effects out. Callbacks only post; the work is done here, one event at a
 * time, and there is one timer in the whole supervisor.
 */
import { step } from '../core/step.ts';
import {
  type Change,
  type Outcome,
  type System,
  type SystemEffect,
  type SystemEvent,
  wakeAt,
} from '../core/system.ts';
import type { Millis } from '../core/units.ts';

export type SpawnEffect = Extract<SystemEffect, { do: 'spawn' }>;
export type OtherEffect = Exclude<SystemEffect, SpawnEffect>;
/** What a client is told. */
export type Telling = Extract<SystemEffect, { do: 'reply' | 'refuse' | 'notify' }>;

export type Moved = Pick<Outcome, 'touched' | 'jobs' | 'whole'>;

export type LoopPorts = {
  readonly now: () => Millis;
  /** Starts a process and gives the event that tells of it. */
  readonly spawn: (effect: SpawnEffect) => SystemEvent;
  readonly perform: (effect: OtherEffect) => void;
  /** What `act` tells clients goes out together. */
  readonly together: (act: () => void) => void;
  /** Acts on what has moved, before anything else is done about it. */
  readonly changed: (changes: readonly Change[]) => void;
  /** Tells people what has moved. It comes after what is urgent: signals, and what starts. */
  readonly told: (changes: readonly Change[]) => void;
  /** Nothing more to do for now; these services and jobs are not as they were the last time. */
  readonly settled: (moved: Moved) => void;
  /** Definitions are others than before. What is new has not been started yet. */
  readonly redefined: () => void;
  /** Looks at the world without being told: reap, sweep, time-outs. Once a second at least. */
  readonly reconcile: () => void;
  readonly failed: (what: string, error: unknown) => void;
};

/** A signal is a hint and may be lost, so the world is looked at this often, in milliseconds. */
const RECONCILE_MS = 1000;
/** Spawning gives way to the runtime's loop (clients, signals) after this long. */
const SPAWN_BURST_MS = 3;

export class Loop {
  readonly #system: System;
  readonly #ports: LoopPorts;
  readonly #inbox: SystemEvent[] = [];
  readonly #spawns: SpawnEffect[] = [];
  /** What has come of starts, looked at when no more are due: those that wait go first. */
  readonly #started: SystemEvent[] = [];
  readonly #changes: Change[] = [];
  /** What was answered has happened for good: it is noted before it is told. */
  readonly #tellings: Telling[] = [];
  #moved = nothing();
  #draining = false;
  /** More is about to be posted: what it leads to waits for the last of it. */
  #gathering = false;
  /** Starts wait for the others' turn, however many events come until then. */
  #resting = false;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #timerAt = Infinity;
  #stopped = false;

  constructor(system: System, ports: LoopPorts) {
    this.#system = system;
    this.#ports = ports;
  }

  /** The only way in: the event is worked on at once, or after the one under way. */
  post(event: SystemEvent): void {
    this.#inbox.push(event);
    if (this.#draining) return;
    if (!this.#gathering) this.#drain();
    else if (this.#whileRunning(() => this.#decide())) this.#note();
  }

  /**
   * What `act` posts is decided and noted at once, each event by itself: its cause may be gone
   * then. What is to be started and told for it waits until there is no more.
   */
  gather<T>(act: () => T): T {
    if (this.#draining || this.#gathering) return act();
    this.#gathering = true;
    try {
      return act();
    } finally {
      this.#gathering = false;
      this.#drain();
    }
  }

  /** Starts the timer; from here on the loop keeps itself alive. */
  start(): void {
    this.#arm();
  }

  /** Ends the timer, so that nothing is decided any more: a halt or a re-exec is under way. */
  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
  }

  /** Goes on after a re-exec that failed. */
  resume(): void {
    this.#stopped = false;
    this.#timerAt = Infinity;
    this.#resume();
  }

  #resume(): void {
    this.#resting = false;
    this.#drain();
  }

  /** Nothing is waiting to be worked on: the state is whole and can be handed over. */
  isQuiet(): boolean {
    return this.#inbox.length + this.#spawns.length + this.#started.length === 0;
  }

  #drain(): void {
    if (!this.#whileRunning(() => this.#work())) return;
    this.#note();
    this.#tell();
    this.#reply();
    const isMore = this.#spawns.length > 0;
    if (isMore && !this.#resting) setImmediate(() => this.#resume());
    this.#resting = isMore;
    this.#arm();
  }

  /** Whether nobody else is at it, and it has not been stopped before. */
  #whileRunning(act: () => void): boolean {
    if (this.#draining || this.#stopped) return false;
    this.#draining = true;
    try {
      act();
    } finally {
      this.#draining = false;
    }
    return true;
  }

  /** Until nothing is left, or the time for starting is over. */
  #work(): void {
    const until = this.#resting ? 0 : this.#ports.now() + SPAWN_BURST_MS;
    while (!this.#stopped) {
      this.#decide();
      const order = this.#ports.now() < until ? this.#spawns.shift() : undefined;
      if (order !== undefined) this.#start(order);
      else if (this.#started.length > 0) this.#inbox.push(...this.#started.splice(0));
      else return;
    }
  }

  #decide(): void {
    while (!this.#stopped) {
      const event = this.#inbox.shift();
      if (event === undefined) return;
      this.#handle(event);
    }
  }

  #start(order: SpawnEffect): void {
    // An image that dies now leaves a process that the next one knows only if it was expected.
    if (this.#moved.touched.has(order.name)) this.#note();
    this.#guard(`start ${order.name}`, () => this.#started.push(this.#ports.spawn(order)));
  }

  #note(): void {
    const moved: Moved = this.#moved;
    this.#moved = nothing();
    this.#guard('note what moved', () => this.#ports.settled(moved));
  }

  #tell(): void {
    if (this.#changes.length === 0) return;
    this.#guard('tell of changes', () => this.#ports.told(this.#changes.splice(0)));
  }

  #reply(): void {
    this.#ports.together(() => {
      for (const telling of this.#tellings.splice(0)) {
        this.#guard(telling.do, () => this.#ports.perform(telling));
      }
    });
  }

  #handle(event: SystemEvent): void {
    this.#guard(`handle ${event.type}`, () => {
      const { effects, changes, touched, jobs, whole } = step(
        this.#system,
        event,
        this.#ports.now(),
      );
      this.#moved.whole ||= whole;
      for (const name of touched) this.#moved.touched.add(name);
      for (const number of jobs) this.#moved.jobs.add(number);
      if (changes.length > 0) this.#guard('follow changes', () => this.#ports.changed(changes));
      for (const change of changes) this.#changes.push(change);
      for (const effect of effects) {
        // Spawns may wait their turn; a signal may not: its pid is known to be ours only now.
        if (effect.do === 'spawn') this.#spawns.push(effect);
        else if (isTelling(effect)) this.#tellings.push(effect);
        else {
          // What is said of an end or a beginning is said of what has led to it.
          if (effect.do !== 'signal') this.#tell();
          this.#guard(effect.do, () => this.#ports.perform(effect));
        }
      }
      if (event.type === 'scanned') this.#ports.redefined();
    });
  }

  /** An error of ours costs the effect it happened in, never the loop. */
  #guard(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#ports.failed(what, error);
    }
  }

  #arm(): void {
    if (this.#stopped) return;
    const now = this.#ports.now();
    const due = Math.min(wakeAt(this.#system) ?? Infinity, now + RECONCILE_MS);
    // An armed timer that is early enough is left alone: it is cheaper than arming a new one.
    if (this.#timer !== null && this.#timerAt <= due) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAt = due;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(due - now)));
  }

  #tick(): void {
    this.#timer = null;
    this.#timerAt = Infinity;
    this.#guard('reconcile', () => this.#ports.reconcile());
    this.post({ type: 'tick' });
  }
}

const isTelling = (effect: OtherEffect): effect is Telling =>
  effect.do === 'reply' || effect.do === 'refuse' || effect.do === 'notify';

const nothing = () => ({ touched: new Set<string>(), jobs: new Set<number>(), whole: false });
