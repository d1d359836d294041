/**
 * Runs for ever: begins, or goes on where the image before left off, and performs what core orders.
 * Every callback here only posts, or performs one effect.
 */
import type { Asker, Change, System, SystemEvent } from '../core/system.ts';
import { type Fd, unreachable } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { openBell } from './bell.ts';
import { type Definitions, readDefinitions } from './definitions.ts';
import { commit } from './faults.ts';
import { goDown } from './halt.ts';
import type { Journal } from './journal.ts';
import { takeLeftovers } from './leftovers.ts';
import { wordsOf } from './let-go.ts';
import type { OtherEffect } from './loop.ts';
import type { SupervisorOptions } from './options.ts';
import { buildParts, type Parts } from './parts.ts';
import { reap } from './reap.ts';
import { scanLimits } from './scan.ts';

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #kernel: Kernel;
  readonly #system: System;
  readonly #parts: Parts;
  /** Listening descriptors of the image before that have not been taken over yet. */
  readonly #inherited: Map<string, Fd>;
  /** Whoever else listens where we do was ourselves. */
  #isOurs: boolean;
  /** Why the sockets are not open, so that each reason is told once. */
  readonly #troubles = new Set<string>();

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#kernel = options.kernel;
    this.#system = options.system;
    const listeners = options.legacy?.listeners ?? [];
    this.#inherited = new Map(listeners.map(({ path, fd }) => [path, fd]));
    this.#isOurs = options.legacy !== null || options.lost;
    this.#parts = buildParts(options, {
      perform: (effect) => this.#perform(effect),
      changed: (changes) => this.#changed(changes),
      reconcile: () => this.reconcile(),
      failed: (what, error) => this.#failed(what, error),
    });
  }

  get journal(): Journal {
    return this.#parts.journal;
  }

  /** Opens the sockets and begins, or goes on where the image before left off. */
  start(): void {
    const { legacy, death } = this.#options;
    const { fifos, handover, lifeline, loop, spawner, watchdog } = this.#parts;
    const take = (): void => takeLeftovers(this.#kernel, fifos, this.#options.paths.fifos);
    if (this.#options.lost) this.#guard('see what is open', take);
    this.#listen();
    // PID 1 lives on without them; anyone else would only be in the way of the one that is.
    if (this.#troubles.size > 0 && this.#kernel.getpid() !== 1) this.#options.exit(1);
    for (const [pid, fd] of legacy?.notifications ?? []) spawner.adopt(pid, fd);
    lifeline.hold();
    if (legacy !== null) this.#guard('go on', () => handover.complete(legacy, death));
    if (this.#system.boot === 'unscanned') this.rescan();
    if (this.#system.boot === 'settled') this.#hangBell();
    if (this.#options.watchdog > 0) watchdog.open(this.#options.watchdog);
    this.reconcile();
    loop.start();
  }

  post(event: SystemEvent): void {
    this.#parts.loop.post(event);
  }

  /** Reads the definitions again, as `svctl scan` does. */
  rescan(): void {
    const { handover, loop, teller } = this.#parts;
    this.#guard('scan', () => {
      const read = this.#read();
      // It is an image's first scan, and there was an image before: something may be running.
      const isLost = this.#isOurs && this.#system.boot === 'unscanned';
      const survivors = isLost ? handover.survivors(read.specs) : [];
      loop.post({ type: 'scanned', ...read, prune: false, asker: null, survivors });
      teller.problems();
    });
  }

  /** Looks at the world without being told: what is readable, who has ended, who is too slow. */
  reconcile(): void {
    const { control, lifeline, memory, proc, teller, trial, watchdog } = this.#parts;
    lifeline.putOff();
    if (this.#options.machine) this.#guard('mount /proc again', () => proc.look());
    // Readiness first: a service may say it and end before anyone looks.
    const isWell = this.sweep() && this.#guard('reap', () => this.#reapAll());
    this.#guard('look after the clients', () => control.clients.expire());
    this.#guard('look after a self-test', () => trial.expire());
    this.#listen();
    this.#guard('look at memory', () => memory.look());
    this.#guard('tell who is waited for', () => teller.waiting());
    if (isWell) this.#guard('feed the watchdog', () => watchdog.feed());
  }

  /** Whether that was possible. */
  sweep(): boolean {
    return this.#guard('see who is ready', () => this.#parts.watch.sweep());
  }

  /** Someone removed or replaced the socket files. */
  rebuildSockets(): void {
    this.#isOurs = true;
    this.#guard('close the sockets', () => this.#parts.control.close());
    this.#listen();
  }

  /** Replaces this image by a fresh one. Returns when that failed, or cannot be done yet. */
  reexec(asker: Asker | null, binary: string | null): void {
    this.#parts.handover.begin(asker, binary);
  }

  /** The runtime is ending: the next image begins as if this one had died. Returns on failure. */
  revive(): void {
    this.#guard('start a fresh image', () => this.#parts.lifeline.revive());
  }

  /** Opens the sockets that are not open. What fails is tried again with every look. */
  #listen(): void {
    const { control, lifeline } = this.#parts;
    const { paths } = this.#options;
    for (const path of [paths.control, paths.status]) {
      if (control.serves(path)) continue;
      try {
        this.#listenOn(path, path === paths.status);
        this.#troubles.clear();
        lifeline.redefined();
      } catch (error) {
        const reason = wordsOf(error);
        if (!this.#troubles.has(reason)) this.#failed(`listen on ${path}`, error);
        this.#troubles.add(reason);
      }
    }
  }

  #listenOn(path: string, readOnly: boolean, { control } = this.#parts): void {
    const inherited = this.#inherited.get(path) ?? null;
    this.#inherited.delete(path);
    if (inherited === null && this.#isOurs) control.bind(path, readOnly);
    else control.listen(path, readOnly, inherited);
  }

  /** Not before boot has settled: until then there are better things to load and to do. */
  #hangBell(): void {
    const paths = this.#options.roots.map(({ path }) => path);
    void openBell(
      paths,
      () => this.#guard('scan', () => this.rescan()),
      (reason) => this.#parts.journal.warn(reason),
    );
  }

  #read(): Definitions {
    const { roots, builtins, console } = this.#options;
    const { main } = this.#system.options;
    const limits = scanLimits(this.#kernel.geteuid());
    return readDefinitions({ roots, limits, builtins, main, hasConsole: console !== null });
  }

  #perform(effect: OtherEffect): void {
    const { control, loop, teller } = this.#parts;
    switch (effect.do) {
      case 'signal': {
        const { pid, signal, group } = effect;
        this.#kernel.kill((group ? -pid : pid) as typeof pid, signal);
        return;
      }
      case 'reply':
        return control.reply(effect.asker, effect.result);
      case 'refuse':
        return control.refuse(effect.asker, effect.error);
      case 'notify':
        return control.notify(effect.client, effect.method, effect.params);
      case 'scan': {
        const { prune, asker } = effect;
        return loop.post({ type: 'scanned', ...this.#read(), prune, asker });
      }
      case 'reexec':
        // After this turn: what else it decided is performed by the image that decided it.
        setImmediate(() => this.reexec(effect.asker, effect.binary));
        return;
      case 'fault':
        // After this turn, so that its answer is on its way.
        setTimeout(() => commit(effect.kind, this.#kernel), 50);
        return;
      case 'wall':
        return teller.wall(effect.text);
      case 'booted':
        teller.booted();
        this.#hangBell();
        return;
      case 'halt':
        return this.#goDown(effect);
      default:
        return unreachable(effect);
    }
  }

  #goDown({ kind, code }: Extract<OtherEffect, { do: 'halt' }>): void {
    const { lifeline, loop, teller, watchdog } = this.#parts;
    teller.down();
    loop.stop();
    watchdog.goDown();
    lifeline.release();
    const ports = { ...this.#options, reap: () => this.#reapAll() };
    goDown(ports, kind, code).catch((error: unknown) => this.#failed(kind, error));
  }

  #changed(changes: readonly Change[]): void {
    const { fifos, teller } = this.#parts;
    teller.changed(changes);
    // A service that is no longer defined and has come to rest is forgotten, and so is its FIFO.
    const gone = changes.filter(({ name }) => !this.#system.units.has(name));
    for (const { name } of gone)
      this.#guard(`let go of the log of ${name}`, () => fifos.release(name));
  }

  #reapAll(): void {
    const { loop, spawner, trial } = this.#parts;
    const more = reap(this.#kernel, (pid, exit) => {
      if (trial.ended(pid, exit)) return;
      spawner.forget(pid);
      loop.post({ type: 'exited', pid, exit });
    });
    if (more) setImmediate(() => this.#reapAll());
  }

  #guard(what: string, act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      this.#failed(what, error);
      return false;
    }
  }

  #failed(what: string, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.#parts.journal.error(`Cannot ${what}: ${reason}`);
    this.#options.say(`svinit: cannot ${what}: ${reason.split('\n')[0] ?? ''}`);
  }
}
