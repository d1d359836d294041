/**
 * The real core wired to a model kernel and model clients, as the supervisor wires it to real
 * ones: events go in, effects are performed, and after every event all of it is audited.
 */
import { decodeCheckpoint, encodeCheckpoint, interrupted } from '../../../src/core/checkpoint.ts';
import { succeeded } from '../../../src/core/exit.ts';
import type { Look } from '../../../src/core/halt.ts';
import { isListening } from '../../../src/core/lazy.ts';
import type { MethodName } from '../../../src/core/methods.ts';
import type { Spec } from '../../../src/core/spec.ts';
import type { step } from '../../../src/core/step.ts';
import { recognise, type Survivor } from '../../../src/core/survivors.ts';
import {
  type Asker,
  isSkipped,
  newSystem,
  type Outcome,
  type System,
  type SystemEffect,
  type SystemEvent,
  type SystemOptions,
  wakeAt,
} from '../../../src/core/system.ts';
import { ms, type Pid, pid as toPid, unreachable } from '../../../src/core/units.ts';
import { audit, auditOutcome, type Reality, roleOf } from './audit.ts';
import { exitOf, optionsOf } from './builder.ts';
import { canonical } from './canonical.ts';
import { Clients } from './clients.ts';
import { type Disk, edited, NAMES, randomDisk } from './definitions.ts';
import { LedgerModel } from './images.ts';
import { FakeKernel, type Happening } from './kernel.ts';
import type { Random } from './random.ts';
import { Trace } from './trace.ts';

export type Watch = (system: System, outcome: Outcome) => void;

export type MachineOptions = {
  readonly random: Random;
  readonly watch: Watch;
  /** Definitions that are left out, to make a failure smaller. */
  readonly omit: ReadonlySet<string>;
  /** The core; another one to see whether a mistake in it would be found. */
  readonly step: typeof step;
};

type SpawnEffect = Extract<SystemEffect, { do: 'spawn' }>;
type Telling = Extract<SystemEffect, { do: 'reply' | 'refuse' }>;
type Scan = {
  readonly prune: boolean;
  readonly asker: Asker | null;
};

/** Milliseconds from a halt until the core gives up on services that do not stop. */
export const HALT_WITHIN = 120_000;
/** More events than this in one stretch are a loop, not work. */
const EVENTS_MAX = 20_000;
/** s6-supervise(8) waits so long before it starts a service again. */
const S6_PAUSE = 999;
/** Events that nobody asked for. */
const OF_ITSELF: ReadonlySet<SystemEvent['type']> = new Set([
  ...(['tick', 'spawned', 'spawnFailed', 'exited', 'ready'] as const),
]);
/** So many deaths within so long are a crash loop. */
const DEATHS_MAX = 5;
const DEATHS_WITHIN = 60_000;

export class Machine {
  readonly kernel: FakeKernel;
  readonly clients: Clients;
  readonly trace: Trace = new Trace();
  options: SystemOptions;
  system: System;
  now = 1000;
  /** The core has said that services are down; what follows is the supervisor's. */
  halted = false;
  booted = false;
  readonly #random: Random;
  readonly #given: MachineOptions;
  readonly #ledger = new LedgerModel();
  #deaths: number[] = [];
  #disk: Disk;
  /** What waits to be done or to be told. */
  #orders: SpawnEffect[] = [];
  #news: Happening[] = [];
  /** When each main process of a service last ended, and when somebody last asked for anything. */
  readonly #endedAt = new Map<string, number>();
  #askedAt = 0;
  /** Spawns that were ordered from an image before. */
  #open: readonly string[] = [];
  /** Answers that wait until what they answer is noted. */
  #tellings: Telling[] = [];
  #scans: Scan[] = [{ prune: false, asker: null }];
  readonly #reexecs: Asker[] = [];
  /** What is looked at before the way down may begin; an image that ends forgets it. */
  #looks: Look[] = [];
  /** Oneshots that ran to a good end and have a `down`, which has not been ordered since. */
  readonly #undone: Set<string> = new Set();

  constructor(given: MachineOptions) {
    const { random } = given;
    this.#random = random;
    this.#given = given;
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
    this.#ledger.rewrite(this.system);
  }

  get hasOrders(): boolean {
    return this.#orders.length > 0;
  }

  get hasNews(): boolean {
    const asked = this.#scans.length + this.#reexecs.length + this.#looks.length;
    return this.#news.length + asked > 0;
  }

  /** One event, what follows from it, and the audit. */
  post(event: SystemEvent, afterwards: () => void = () => {}): void {
    this.trace.begin(this.now, event);
    if (!OF_ITSELF.has(event.type)) this.#askedAt = this.now;
    const wasHalting = this.system.halt !== null;
    const outcome = this.#given.step(this.system, event, ms(this.now));
    this.trace.end(outcome);
    afterwards();
    auditOutcome(this.system, outcome, { ...this.#reality(), wasHalting });
    this.#ledger.moved(outcome);
    for (const effect of outcome.effects) this.#perform(effect);
    const scans = this.#scans.flatMap(({ asker }) => (asker === null ? [] : [asker]));
    const told = this.#tellings.map(({ asker }) => asker);
    const looks = this.#looks.map(({ asker }) => asker);
    this.clients.check(this.system, [...scans, ...told, ...this.#reexecs, ...looks]);
    this.#disownErrands();
    audit(this.system, this.#reality());
    this.kernel.insistKilled(this.now);
    this.#given.watch(this.system, outcome);
  }

  /** The supervisor has nothing more to do for now: what moved is noted, then told. */
  settle(): void {
    this.#ledger.note(this.system);
    for (const { asker } of this.#tellings.splice(0)) this.clients.answered(asker);
  }

  request(method: MethodName, params: unknown): void {
    this.settle();
    this.post({ type: 'request', ...this.clients.askFor(method, params) });
  }

  /** Time passes until something is due, at the latest until `limit`; the timer may be late. */
  advance(limit: number): void {
    this.settle();
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
    const spawned = this.kernel.spawn(order, this.now);
    const { ok, ...result } = spawned;
    const isOver = spawned.ok || !spawned.transient;
    if (isOver && order.role === 'down') this.#undone.delete(order.name);
    if (this.kernel.faulty && this.#random.chance(0.01)) return this.die('before it knew the pid');
    const errand = isErrand(order) ? { errand: order.role } : {};
    const type = ok ? 'spawned' : 'spawnFailed';
    this.post({ type, name: order.name, ...result, ...errand } as SystemEvent);
  }

  /** Tells the system one thing that it does not know yet. */
  deliver(): void {
    this.settle();
    const scan = this.#scans.shift();
    if (scan !== undefined) {
      const { problems } = this.#disk;
      return this.post({ type: 'scanned', specs: this.#specs(), problems, notices: [], ...scan });
    }
    if (this.#reexecs.length > 0) return this.reexec();
    const look = this.#looks.shift();
    if (look !== undefined) {
      const problem = this.#random.chance(0.5) ? 'it is not there' : null;
      return this.post({ type: 'looked', ...look, problem });
    }
    const [news] = this.#news.splice(this.#random.below(this.#news.length), 1);
    if (news === undefined) return;
    const { what, pid } = news;
    if (what === 'ready') return this.post({ type: 'ready', pid });
    this.#ended(pid);
  }

  /** The end of a child is told, and only then the kernel forgets it. */
  #ended(pid: Pid): void {
    // The pipe is closed with the process: nothing of it is read under the pid of another.
    this.#news = this.#news.filter((other) => other.pid !== pid);
    const process = this.kernel.peek(pid);
    if (process === null) throw new Error(`${pid} has ended and is not there`);
    const { ended, name, role, spec, signalled } = process;
    const at = this.system.units.get(name)?.service.phase.at;
    // One whose `control/t` kept the signal from it was told to stop all the same.
    const isTold = signalled || at === 'stopping';
    const isDone = role === 'start' && spec.type === 'oneshot' && succeeded(ended) && !isTold;
    const mustBeUndone = isDone && spec.down !== null && this.system.pids.has(pid);
    const isDeath = role === 'start' && (at === 'up' || at === 'starting') && !signalled;
    // One that had said that it is ready has had its second then.
    const isReady = at === 'up' && spec.ready.by !== 'spawn';
    if (isDeath && spec.dialect === 's6' && !isReady) this.#endedAt.set(name, this.now);
    else this.#endedAt.delete(name);
    const isLast = this.kernel.faulty && this.#random.chance(0.01);
    this.kernel.disown(pid);
    this.post({ type: 'exited', pid, exit: ended });
    if (isLast) {
      if (this.#random.chance(0.5)) return this.die('before it had noted an end');
      this.settle();
      if (mustBeUndone) this.#undone.add(name);
      return this.die('before it had reaped');
    }
    if (mustBeUndone) this.#undone.add(name);
    this.settle();
    this.kernel.reap(pid);
  }

  /** Someone edits the scan path, and the bell rings. */
  edit(): void {
    this.settle();
    this.#disk = edited(this.#random, this.#disk);
    this.#scans.push({ prune: false, asker: null });
  }

  /** Nothing runs for so long, svinit neither: a stopped machine, or a starved one. */
  pause(duration: number): void {
    if (this.#random.chance(0.5)) this.kernel.freeze(duration);
    this.now += duration;
    for (const news of this.kernel.pass(this.now)) this.#news.push(news);
    this.post({ type: 'tick' });
  }

  /** What is left is killed and reaped by the supervisor; nobody stays a zombie. */
  reapRest(): void {
    for (const { pid } of this.kernel.ended()) this.kernel.reap(pid);
    if (this.kernel.ended().length > 0) throw new Error('zombies stay');
  }

  /** A child of somebody else ends, or says something late: none of our business. */
  strange(): void {
    const lazy = [...this.system.units.keys()].filter((name) => isListening(this.system, name));
    if (lazy.length > 0 && this.#random.chance(0.5)) {
      const name = this.#random.pick(lazy);
      return this.post({ type: 'called', name, cause: 'a connection' });
    }
    const pid = toPid(1000 + this.#random.below(100));
    if (this.#random.chance(0.5)) this.post({ type: 'ready', pid });
    else this.post({ type: 'exited', pid, exit: exitOf(0) });
  }

  /** The next image goes on from the text of this one; spawns not yet tried are lost. */
  reexec(): void {
    this.settle();
    this.trace.note(this.now, 're-exec');
    const text = encodeCheckpoint(this.system);
    this.options = { ...this.options, safe: false };
    this.#deaths = [];
    const decoded = decodeCheckpoint(text, this.options);
    if (!decoded.ok) throw new Error(decoded.reason);
    this.system = decoded.system;
    this.system.image -= 1;
    const again = encodeCheckpoint(this.system);
    if (canonical(again) !== canonical(text)) throw new Error(`decoded as\n${again}\nnot\n${text}`);
    this.system.image += 1;
    this.#ledger.rewrite(this.system);
    // Connections go on, and whoever asked for the new image hears of it.
    for (const asker of this.#reexecs.splice(0)) this.clients.answered(asker);
    // Who asked for a look is refused, for nobody is left to finish it.
    for (const { asker } of this.#looks.splice(0)) this.clients.answered(asker);
    this.#goOn(interrupted(this.system));
  }

  /** The image dies: the next one goes on from what was noted, and from what it finds running. */
  die(when: string): void {
    this.trace.note(this.now, `svinit dies ${when}`);
    const known = this.#ledger.isBehind(this.system) ? null : encodeCheckpoint(this.system);
    this.#deaths = [...this.#deaths.filter((at) => this.now - at < DEATHS_WITHIN), this.now];
    this.options = { ...this.options, safe: this.#deaths.length >= DEATHS_MAX };
    this.system = this.#ledger.read(this.options);
    // It died between its first look at the definitions and the note of it: nothing is known.
    if (this.system.boot === 'unscanned') return this.lose();
    if (known !== null) this.#insistSame(known);
    this.#forget();
    const events = recognise(this.system, this.#survivors(), false);
    this.#takeOver();
    if (this.system.boot !== 'settled') this.booted = false;
    this.#ledger.rewrite(this.system);
    const gone = this.clients.partOfThemGo(this.system);
    this.#goOn([...events, ...interrupted(this.system)]);
    for (const client of gone) {
      this.post({ type: 'hangup', client });
      this.clients.heard(client);
    }
  }

  /** It dies, and what it left cannot be read: the next one knows only what runs. */
  lose(): void {
    this.trace.note(this.now, 'svinit dies and its ledger is lost');
    this.options = { ...this.options, safe: false };
    this.system = newSystem(this.options, ms(this.now));
    this.booted = false;
    this.#forget();
    this.clients.allGone();
    this.#undone.clear();
    this.#scans = [];
    this.#ledger.rewrite(this.system);
    const survivors = this.#survivors().map((survivor) => ({ ...survivor, isHeard: false }));
    const scan = { specs: this.#specs(), problems: this.#disk.problems, notices: [] };
    const event = { type: 'scanned', ...scan, prune: false, asker: null, survivors } as const;
    this.post(event, () => this.#takeOver());
  }

  #specs(): readonly Spec[] {
    return this.#disk.specs.filter(({ name }) => !this.#given.omit.has(name));
  }

  #insistSame(known: string): void {
    const [is, was] = [encodeCheckpoint(this.system), known].map((text) => {
      const { image: _, units, jobs, intents, booting, ...rest } = JSON.parse(canonical(text));
      const lists = [units, jobs, intents, booting].map((list: unknown[]) =>
        list.map((item) => JSON.stringify(item)).sort(),
      );
      return JSON.stringify([rest, lists]);
    });
    if (is !== was) throw new Error(`what was noted is\n${is}\nnot\n${was}`);
  }

  /** What an image had in its head only. */
  #forget(): void {
    this.#orders = [];
    this.#tellings = [];
    this.#reexecs.splice(0);
    this.#looks = [];
    this.#scans = this.#scans.map(({ prune }) => ({ prune, asker: null }));
    // Ends that were not reaped will be found again; readiness stands in the pipe.
    for (const { pid } of this.kernel.ended()) {
      if (this.#news.every((news) => news.pid !== pid)) this.#news.push({ what: 'ended', pid });
    }
  }

  #survivors(): Survivor[] {
    // Errands lead no session, so nobody takes one for the main process of something.
    const leaders = this.kernel.children().filter((child) => !isErrand(child));
    return leaders.map(({ pid, startedAt, name, ended }) => ({
      pid,
      startedAt: ms(startedAt),
      name: ended === null ? name : null,
      isHeard: true,
    }));
  }

  /** What nobody knows any more is nobody's; what was taken for another is that now. */
  #takeOver(): void {
    for (const { pid, name } of this.kernel.children()) {
      const phase = this.system.units.get(name)?.service.phase;
      if (this.system.errands.get(pid) === name) {
        this.kernel.own(pid);
        continue;
      }
      if (this.system.pids.get(pid) !== name || phase === undefined) this.kernel.disown(pid);
      else {
        this.kernel.own(pid);
        const { spec } = this.system.units.get(name) ?? { spec: null };
        // Nothing tells them apart: what was ordered last may be taken for what came before.
        const role = roleOf(phase.at) ?? 'start';
        if (spec !== null) this.kernel.mistake(pid, role, phase.at !== 'starting', spec);
      }
    }
  }

  /** The next image's first events. A spawn that it will not hear of is open until it is told. */
  #goOn(events: readonly SystemEvent[]): void {
    const lost = events.filter((event) => event.type === 'spawnFailed').map(({ name }) => name);
    this.#orders = this.#orders.filter((order) => !lost.includes(order.name) && !isErrand(order));
    this.#open = lost;
    this.post({ type: 'resumed' });
    for (const event of events) {
      if (event.type === 'spawnFailed')
        this.#open = this.#open.filter((name) => name !== event.name);
      this.post(event);
    }
  }

  /** Those that were given up, or whose service is gone, are nobody's. */
  #disownErrands(): void {
    for (const { pid, name, ...process } of [...this.kernel.processes.values()]) {
      const isKnown = this.system.errands.get(pid) === name;
      if (isErrand(process) && !isKnown) this.kernel.disown(pid);
    }
  }

  #halt(): void {
    if (this.halted) throw new Error('halted twice');
    const undone = [...this.#undone].filter((name) => !isSkipped(this.system, name));
    if (this.now < (this.system.halt?.by ?? 0) && undone.length > 0) {
      throw new Error(`${undone.join(', ')} is never undone`);
    }
    this.halted = true;
  }

  #perform(effect: SystemEffect): void {
    switch (effect.do) {
      case 'spawn':
        if (effect.role === 'start' && this.#undone.has(effect.name)) {
          throw new Error(`${effect.name} is done again without being undone`);
        }
        this.#insistPaced(effect);
        this.#orders.push(effect);
        return;
      case 'signal':
        this.kernel.signal(effect.pid, effect.signal, this.now);
        return;
      case 'reply':
      case 'refuse':
        this.#tellings.push(effect);
        return;
      case 'scan':
        this.#scans.push({ prune: effect.prune, asker: effect.asker });
        return;
      case 'reexec':
        this.#reexecs.push(effect.asker);
        return;
      case 'look':
        this.#looks.push(effect);
        return;
      case 'halt':
        return this.#halt();
      case 'booted':
        if (this.booted) throw new Error('booted twice');
        this.booted = true;
        return;
      case 'notify':
      case 'pipe':
      case 'examine':
      case 'probes':
      case 'fault':
      case 'wall':
        return;
      default:
        unreachable(effect);
    }
  }

  /** Nobody asked, so one that has just died is not started again at once (s6-supervise(8)). */
  #insistPaced({ name, role, spec }: SpawnEffect): void {
    const endedAt = this.#endedAt.get(name) ?? -Infinity;
    if (role !== 'start' || spec.dialect !== 's6' || this.#askedAt >= endedAt) return;
    if (spec.type === 'longrun' && this.now - endedAt < S6_PAUSE) {
      throw new Error(`${name} is started ${this.now - endedAt} ms after it died`);
    }
  }

  #reality(): Reality {
    const { processes } = this.kernel;
    return { processes, ordered: this.#orders, open: new Set(this.#open) };
  }
}

const isErrand = ({ role }: Pick<SpawnEffect, 'role'>): boolean =>
  role === 'control' || role === 'reload';
