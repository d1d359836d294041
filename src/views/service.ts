/**
 * Both views of one service: shows what svinit tells of it, and does what letters of clients ask.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type Act, runitActs, s6Acts } from '../core/control-letters.ts';
import type { MethodName, Params } from '../core/methods.ts';
import { loggedBy } from '../core/names.ts';
import type { ServiceView } from '../core/service-view.ts';
import { SIGCONT, SIGTERM, signalNumber } from '../core/signals.ts';
import { firstSeen, type Moved, moved, type Supervised } from '../core/supervised.ts';
import { makeAbove, removeAbove } from './above.ts';
import type { ViewKernel } from './files.ts';
import type { Answered } from './link.ts';
import type { Loop } from './loop.ts';
import { RunitView } from './runit-view.ts';
import { S6View } from './s6-view.ts';

/** Where views are made, and how svinit is asked. */
export type Ground = {
  readonly kernel: ViewKernel;
  readonly loop: Loop;
  /** The directories that hold the views, `/run/service` and `/run/sv`. */
  readonly s6: string;
  readonly runit: string;
  readonly ask: <M extends MethodName>(method: M, params: Params[M], answered: Answered) => void;
  readonly say: (message: string) => void;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Runs what may fail for a reason of the system, which is then said. */
  readonly attempt: (act: () => void) => void;
};

export class ViewedService {
  readonly #ground: Ground;
  readonly #name: string;
  readonly #s6: S6View;
  readonly #runit: RunitView;
  #service: Supervised;
  #directory: string | null = null;
  #announces: boolean | null = null;

  /** @throws {Error} with a `code`, when the directories cannot be made or are somebody else's. */
  constructor(ground: Ground, view: ServiceView) {
    const { kernel, loop } = ground;
    this.#ground = ground;
    this.#name = view.name;
    if (this.#isLogger) for (const root of [ground.s6, ground.runit]) makeAbove(root, view.name);
    const s6 = join(ground.s6, view.name);
    const isNew = !existsSync(join(s6, 'supervise/status'));
    this.#s6 = new S6View(kernel, loop, s6, this.#reader('s6', s6Acts));
    try {
      const runit = join(ground.runit, view.name);
      const reader = this.#reader('runit', runitActs);
      this.#runit = new RunitView(kernel, loop, runit, this.#s6.lockPath, reader);
    } catch (error) {
      this.#s6.close();
      throw error;
    }
    try {
      this.#service = firstSeen(view, this.#s6.kept(), ground.now());
      const directory = directoryOf(view);
      // Clients may have made or removed it since.
      if (isNew) this.#s6.markDown(directory !== null && existsSync(join(directory, 'down')));
      this.#define(view);
      this.#show({ next: this.#service, events: ['s'], deaths: [] });
    } catch (error) {
      this.close();
      throw error;
    }
  }

  move(view: ServiceView): void {
    this.#define(view);
    this.#show(moved(this.#service, view, this.#ground.now()));
  }

  /** Nobody looks after the views any more. */
  close(): void {
    this.#ground.attempt(() => this.#s6.close());
    this.#runit.close();
  }

  /** There is no such service any more. */
  remove(): void {
    this.close();
    this.#ground.attempt(() => this.#s6.remove());
    this.#ground.attempt(() => this.#runit.remove());
    const { s6, runit } = this.#ground;
    if (this.#isLogger) for (const root of [s6, runit]) removeAbove(root, this.#name);
  }

  get #isLogger(): boolean {
    return loggedBy(this.#name) !== null;
  }

  #define(view: ServiceView): void {
    const directory = directoryOf(view);
    this.#s6.keepDeaths(view.deathTally);
    if (view.announces !== this.#announces) this.#s6.markAnnounces(view.announces);
    if (directory !== this.#directory || this.#announces === null) this.#runit.define(directory);
    this.#announces = view.announces;
    this.#directory = directory;
  }

  #show({ next, events, deaths }: Moved): void {
    this.#service = next;
    this.#runit.show(next);
    this.#s6.show(next, events, deaths);
  }

  /** What we did ourselves and svinit does not tell: it is true of this process only. */
  #note(change: Partial<Pick<Supervised, 'paused' | 'gotTerm'>>): void {
    if (this.#service.state !== 'run') return;
    const next = { ...this.#service, ...change };
    this.#ground.attempt(() => this.#show({ next, events: [], deaths: [] }));
  }

  #reader(
    family: string,
    actsOf: (letter: string) => readonly Act[],
  ): (letter: string, done: () => void) => void {
    return (letter, done) => {
      // runsv(8) ends its logger with itself, and heeds nobody who would end that alone.
      const isHeeded = family !== 'runit' || letter !== 'x' || !this.#isLogger;
      const rest = isHeeded ? [...actsOf(letter)] : [];
      const next = (refused: string | null): void => {
        const act = rest.shift();
        if (refused !== null) {
          this.#ground.say(`Cannot do '${letter}' of ${family} for ${this.#name}: ${refused}`);
        }
        if (act === undefined || refused !== null) done();
        else this.#act(act, next);
      };
      next(null);
    };
  }

  #act(act: Act, done: Answered): void {
    const { state, wantUp } = this.#service;
    const runs = state === 'run';
    switch (act.do) {
      case 'start':
        return this.#start(false, done);
      case 'once':
        return this.#start(true, done);
      case 'stop':
        return this.#stop(done);
      case 'leave':
        return state === 'down' ? this.#stop(done) : this.#start(true, done);
      case 'cycle':
        if (!runs) return done(null);
        if (wantUp) return this.#ground.ask('restart', waitless(this.#name), done);
        return this.#signal(SIGTERM, false, done);
      case 'signal':
        return runs ? this.#signal(act.signal, act.group, done) : done(null);
      case 'pause':
        return runs ? this.#signal(SIGSTOP, false, done, { paused: true }) : done(null);
      case 'continue':
        return runs ? this.#signal(SIGCONT, false, done, { paused: false }) : done(null);
      case 'terminate':
        return runs
          ? this.#signal(SIGTERM, false, done, { gotTerm: !this.#asks('t') })
          : done(null);
      case 'reload':
        if (!runs) return done(null);
        return this.#ground.ask('reload', waitless(this.#name), done);
      case 'quit':
        if (act.of === 's6') this.#ground.attempt(() => this.#s6.quit());
        else this.#runit.quit();
        return done(null);
      case 'markDown':
        this.#ground.attempt(() => this.#s6.markDown(act.there));
        return done(null);
    }
  }

  #start(once: boolean, done: Answered): void {
    this.#ground.ask('start', { ...waitless(this.#name), once }, done);
  }

  /** What cannot be without it is stopped first: s6 and runit know of no such thing. */
  #stop(done: Answered): void {
    const params = { ...waitless(this.#name), cascade: true, force: false };
    this.#ground.ask('stop', params, done);
  }

  /** A program is asked first, and may do it itself: whether it did is not told to us. */
  #asks(letter: string): boolean {
    return this.#directory !== null && existsSync(join(this.#directory, 'control', letter));
  }

  #signal(
    signal: number,
    group: boolean,
    done: Answered,
    noted: Partial<Pick<Supervised, 'paused' | 'gotTerm'>> = {},
  ): void {
    this.#ground.ask('signal', { names: [this.#name], signal, group }, (refused) => {
      if (refused === null) this.#note(noted);
      done(refused);
    });
  }
}

const SIGSTOP = signalNumber('STOP') ?? 0;

const waitless = (name: string): { names: string[]; wait: boolean; timeoutMs: null } => ({
  names: [name],
  wait: false,
  timeoutMs: null,
});

/** Null when it is in another root, where we do not look. */
function directoryOf({ directory }: ServiceView): string | null {
  return directory.startsWith('/') ? directory : null;
}
