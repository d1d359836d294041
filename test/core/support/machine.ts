/**
 * The real core wired to a model kernel and model clients, as the supervisor wires it to real
 * ones: events go in, effects are performed, and after every event all of it is audited.
 */
import { decodeCheckpoint, encodeCheckpoint, interrupted } from '../../../src/core/checkpoint.ts';
import { succeeded } from '../../../src/core/exit.ts';
import type { MethodName } from '../../../src/core/methods.ts';
import { step } from '../../../src/core/step.ts';
import {
  type Asker,
  newSystem,
  type Outcome,
  type System,
  type SystemEffect,
  type SystemEvent,
  type SystemOptions,
  wakeAt,
} from '../../../src/core/system.ts';
import { ms, pid as toPid, unreachable } from '../../../src/core/units.ts';
import { audit, auditOutcome } from './audit.ts';
import { exitOf, optionsOf } from './builder.ts';
import { Clients } from './clients.ts';
import { type Disk, edited, NAMES, randomDisk } from './definitions.ts';
import { FakeKernel, type Happening } from './kernel.ts';
import type { Random } from './random.ts';
import { Trace } from './trace.ts';

export type Watch = (system: System, outcome: Outcome) => void;

type SpawnEffect = Extract<SystemEffect, { do: 'spawn' }>;
type Scan = { readonly prune: boolean; readonly asker: Asker | null };

/** Milliseconds from a halt until the core gives up on services that do not stop. */
export const HALT_WITHIN = 120_000;
/** More events than this in one stretch are a loop, not work. */
const EVENTS_MAX = 20_000;

export class Machine {
  readonly kernel: FakeKernel;
  readonly clients: Clients;
  readonly trace: Trace = new Trace();
  readonly options: SystemOptions;
  system: System;
  now = 1000;
  /** The core has said that services are down; what follows is the supervisor's. */
  halted = false;
  booted = false;
  readonly #random: Random;
  readonly #watch: Watch;
  #disk: Disk;
  /** What waits to be done or to be told. */
  #orders: SpawnEffect[] = [];
  #news: Happening[] = [];
  #scans: Scan[] = [{ prune: false, asker: null }];
  readonly #reexecs: Asker[] = [];
  /** Oneshots that ran to a good end and have a `down`, which has not been ordered since. */
  readonly #undone: Set<string> = new Set();

  constructor(random: Random, watch: Watch) {
    this.#random = random;
    this.#watch = watch;
    this.kernel = new FakeKernel(random);
    this.clients = new Clients(random);
    this.options = optionsOf({
      parallel: random.pick([1, 2, Infinity, Infinity]),
      main: random.chance(0.1) ? random.pick(NAMES) : null,
      haltWithin: ms(HALT_WITHIN),
      stopKind: random.pick(['poweroff', 'exit']),
    });
    this.system = newSystem(this.options, ms(this.now));
    this.#disk = randomDisk(random);
  }

  get hasOrders(): boolean {
    return this.#orders.length > 0;
  }

  get hasNews(): boolean {
    return this.#news.length + this.#scans.length + this.#reexecs.length > 0;
  }

  /** One event, what follows from it, and the audit. */
  post(event: SystemEvent): void {
    this.trace.begin(this.now, event);
    const wasHalting = this.system.halt !== null;
    const outcome = step(this.system, event, ms(this.now));
    this.trace.end(outcome);
    auditOutcome(this.system, outcome, { ...this.#reality(), wasHalting });
    for (const effect of outcome.effects) this.#perform(effect);
    const underWay = this.#scans.flatMap(({ asker }) => (asker === null ? [] : [asker]));
    this.clients.check(this.system, [...underWay, ...this.#reexecs]);
    audit(this.system, this.#reality());
    this.#watch(this.system, outcome);
  }

  request(method: MethodName, params: unknown): void {
    this.post({ type: 'request', ...this.clients.askFor(method, params) });
  }

  /** Time passes until something is due, at the latest until `limit`; the timer may be late. */
  advance(limit: number): void {
    const late = this.#random.chance(0.1) ? this.#random.next() * 300 : 0;
    const due = Math.min(wakeAt(this.system) ?? Infinity, this.kernel.nextAt(), limit);
    this.now = Math.max(this.now, due) + late;
    for (const news of this.kernel.pass(this.now)) this.#news.push(news);
    if ((wakeAt(this.system) ?? Infinity) <= this.now) this.post({ type: 'tick' });
  }

  /** Runs all that comes of itself, in the order in which the supervisor would. */
  runFor(duration: number): void {
    const until = this.now + duration;
    for (let events = 0; this.now < until && !this.halted; events += 1) {
      if (events > EVENTS_MAX) throw new Error('events without end');
      if (this.hasOrders) this.spawnNext();
      else if (this.hasNews) this.deliver();
      else this.advance(until);
    }
  }

  spawnNext(): void {
    const order = this.#orders.shift();
    if (order === undefined) return;
    const { ok, ...result } = this.kernel.spawn(order, this.now);
    this.post({ type: ok ? 'spawned' : 'spawnFailed', name: order.name, ...result } as SystemEvent);
  }

  /** Tells the system one thing that it does not know yet. */
  deliver(): void {
    const scan = this.#scans.shift();
    if (scan !== undefined) {
      return this.post({ type: 'scanned', ...this.#disk, notices: [], ...scan });
    }
    if (this.#reexecs.length > 0) return this.reexec();
    const [news] = this.#news.splice(this.#random.below(this.#news.length), 1);
    if (news === undefined) return;
    const { what, pid } = news;
    if (what === 'ready') return this.post({ type: 'ready', pid });
    // The pipe is closed with the process: nothing of it is read under the pid of another.
    this.#news = this.#news.filter((other) => other.pid !== pid);
    const { ended, ...process } = this.kernel.reap(pid);
    const { name, role, spec, signalled } = process;
    const isDone = role === 'start' && spec.type === 'oneshot' && succeeded(ended) && !signalled;
    if (isDone && spec.down !== null) this.#undone.add(name);
    this.post({ type: 'exited', pid, exit: ended });
  }

  /** Someone edits the scan path, and the bell rings. */
  edit(): void {
    this.#disk = edited(this.#random, this.#disk);
    this.#scans.push({ prune: false, asker: null });
  }

  /** A child of somebody else ends, or says something late: none of our business. */
  strange(): void {
    const pid = toPid(1000 + this.#random.below(100));
    if (this.#random.chance(0.5)) this.post({ type: 'ready', pid });
    else this.post({ type: 'exited', pid, exit: exitOf(0) });
  }

  /** The next image goes on from the text of this one; spawns not yet tried are lost. */
  reexec(): void {
    this.trace.note(this.now, 're-exec');
    const text = encodeCheckpoint(this.system);
    const decoded = decodeCheckpoint(text, this.options);
    if (!decoded.ok) throw new Error(decoded.reason);
    this.system = decoded.system;
    this.system.image -= 1;
    const again = encodeCheckpoint(this.system);
    if (again !== text) throw new Error(`decoded as\n${again}\nnot\n${text}`);
    this.system.image += 1;
    // Connections go on, and whoever asked for the new image hears of it.
    for (const asker of this.#reexecs.splice(0)) this.clients.answered(asker);
    for (const event of interrupted(this.system)) {
      this.#orders = this.#orders.filter(({ name }) => name !== event.name);
      this.post(event);
    }
    this.post({ type: 'tick' });
  }

  #perform(effect: SystemEffect): void {
    switch (effect.do) {
      case 'spawn':
        if (effect.role === 'down') this.#undone.delete(effect.name);
        if (effect.role === 'start' && this.#undone.has(effect.name)) {
          throw new Error(`${effect.name} is done again without being undone`);
        }
        this.#orders.push(effect);
        return;
      case 'signal':
        this.kernel.signal(effect.pid, effect.signal, this.now);
        return;
      case 'reply':
      case 'refuse':
        this.clients.answered(effect.asker);
        return;
      case 'scan':
        this.#scans.push({ prune: effect.prune, asker: effect.asker });
        return;
      case 'reexec':
        this.#reexecs.push(effect.asker);
        return;
      case 'halt':
        if (this.halted) throw new Error('halted twice');
        if (this.now < (this.system.halt?.by ?? 0) && this.#undone.size > 0) {
          throw new Error(`${[...this.#undone].join(', ')} is never undone`);
        }
        this.halted = true;
        return;
      case 'booted':
        if (this.booted) throw new Error('booted twice');
        this.booted = true;
        return;
      case 'notify':
      case 'fault':
        return;
      default:
        unreachable(effect);
    }
  }

  #reality(): { processes: FakeKernel['processes']; ordered: readonly SpawnEffect[] } {
    return { processes: this.kernel.processes, ordered: this.#orders };
  }
}
