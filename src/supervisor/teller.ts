/**
 * Tells of what moves: to the journal always, to people on the console while the machine comes up
 * and goes down. What is said is decided here, so that the supervisor only acts.
 */
import { isWaitedFor, waitingWords } from '../core/blockers.ts';
import { bootWords, tellBootAt } from '../core/boot-waits.ts';
import { pidOf } from '../core/phase.ts';
import type { Change, System } from '../core/system.ts';
import { durationWords, type Millis } from '../core/units.ts';
import { noteOf, stateOf } from '../core/views.ts';
import { isTarget } from '../core/wants.ts';
import type { Journal } from './journal.ts';
import { wall } from './wall.ts';

export type TellerOptions = {
  readonly say: (line: string) => void;
  readonly quiet: boolean;
  readonly beganAt: number;
  readonly kernel: { readonly monotonic: () => Millis };
};

/** How often the console is told who is waited for on the way down, in milliseconds. */
const WAITING_EVERY_MS = 5000;

export class Teller {
  readonly #system: System;
  readonly #journal: Journal;
  readonly #options: TellerOptions;
  /** What the console has been told during this boot. */
  readonly #shown = new Set<string>();
  #booting: boolean;
  /** When the console was last told who is waited for; null: not yet. */
  #toldAt: Millis | null = null;

  constructor(system: System, journal: Journal, options: TellerOptions) {
    this.#system = system;
    this.#journal = journal;
    this.#options = options;
    this.#booting = system.image === 1;
  }

  changed(changes: readonly Change[]): void {
    this.#journal.together(() => this.#each(changes));
  }

  #each(changes: readonly Change[]): void {
    for (const { name, service, spec, from } of changes) {
      // Only its details changed, as when the pid of a `down` becomes known.
      if (from.at === service.phase.at) continue;
      const state = stateOf(service);
      // On the way to somewhere: what counts is where it gets to.
      if (state === 'starting' || state === 'waiting' || state === 'finishing') continue;
      const note = noteOf(this.#system, name, { service, spec }, service.since as never);
      const failing = state === 'backoff' || state === 'failed';
      const fields = { service: name, state, cause: service.cause };
      const text = note === '' ? `${name} is ${state}` : `${name} is ${state}: ${note}`;
      if (failing) this.#journal.warn(text, fields);
      else this.#journal.info(text, fields);
      this.#show(name, state, failing ? note : '', failing);
    }
  }

  /** Everything wanted has had its chance. */
  booted(): void {
    this.#booting = false;
    const { units, startedAt } = this.#system;
    const states = [...units.values()].map(({ service }) => stateOf(service));
    const up = states.filter((state) => state === 'up' || state === 'done').length;
    const bad = states.filter((state) => state === 'backoff' || state === 'failed').length;
    const now = this.#options.kernel.monotonic();
    const took = durationWords(now - startedAt);
    const failing = bad === 0 ? '' : `, ${bad} failing (svctl tells which)`;
    const text = `${up} services up in ${took}${failing}`;
    // Instants of one clock, so that what lies between them can be told: see scripts/figures.ts.
    const { beganAt } = this.#options;
    this.#journal.info(text, { up, bad, stage0AtMs: beganAt, stage1AtMs: startedAt, upAtMs: now });
    this.#options.say(`svinit: ${text}`);
    const { target } = this.#system.options;
    if (isTarget(target, this.#system.definitions)) return;
    const missing = `there is no target ${target}: early services are up, and what always is`;
    this.#journal.warn(missing);
    this.#options.say(`svinit: ${missing}`);
  }

  /** What the last scan refused, each reason once. */
  problems(): void {
    for (const { name, file, line, reason } of this.#system.problems) {
      const where = [file, line].filter((part) => part !== null).join(':');
      const text = `${name} is refused: ${where === '' ? '' : `${where}: `}${reason}`;
      if (this.#shown.has(text)) continue;
      this.#shown.add(text);
      this.#journal.warn(text, { service: name });
      if (this.#booting) this.#options.say(`[!!] ${text}`);
    }
  }

  /** Called again and again: on the way up and down it says now and then who is waited for. */
  waiting(): void {
    if (this.#system.halt === null) return this.#waitingForBoot();
    const now = this.#options.kernel.monotonic();
    this.#toldAt ??= now;
    if (now < this.#toldAt + WAITING_EVERY_MS) return;
    this.#toldAt = now;
    const text = waitingWords(this.#system, now);
    if (text === null) return;
    this.#journal.info(text);
    this.#options.say(`svinit: ${text}`);
  }

  #waitingForBoot(): void {
    const now = this.#options.kernel.monotonic();
    if (this.#system.boot === 'settled') this.#toldAt = null;
    if (this.#system.boot !== 'settling' || now < tellBootAt(this.#system, this.#toldAt)) return;
    this.#toldAt = now;
    const text = bootWords(this.#system, now);
    if (text === null) return;
    this.#journal.info(text);
    if (!this.#options.quiet) this.#options.say(`svinit: ${text}`);
  }

  /** A line for everybody at a terminal. */
  wall(text: string): void {
    this.#journal.info(text);
    const { say } = this.#options;
    const warn = (what: string): void => this.#journal.warn(what);
    wall({ say, warn, terminals: () => this.#terminals() }, text);
  }

  /** Nothing is left but what is no service, or the time is up. */
  down(): void {
    const left = [...this.#system.units.keys()].filter((name) => isWaitedFor(this.#system, name));
    const words = left.length === 0 ? 'all services are down' : `not down yet: ${left.join(', ')}`;
    this.#options.say(`svinit: ${words}`);
  }

  /** Terminals of services that run; the console itself is told by `say`. */
  #terminals(): string[] {
    return [...this.#system.units.values()].flatMap(({ service, spec }) =>
      pidOf(service.phase) !== null && spec.tty?.startsWith('/dev/') === true ? [spec.tty] : [],
    );
  }

  #show(name: string, state: string, note: string, failing: boolean): void {
    const halting = this.#system.halt !== null;
    if (!this.#booting && !halting) return;
    if (this.#options.quiet && !failing) return;
    // A crash-looper comes up and fails again and again: each is news only once.
    const news = `${name} ${failing ? 'failing' : state}`;
    if (!halting && this.#shown.has(news)) return;
    this.#shown.add(news);
    const mark = failing ? '!!' : state === 'down' ? '--' : 'ok';
    this.#options.say(`[${mark}] ${name} ${state}${note === '' ? '' : `: ${note}`}`);
  }
}
