/**
 * Runs for ever: wires the loop to the kernel, the sockets, the scan and the journal. Every
 * callback here only posts, or performs one effect that the core has decided on.
 */
import type { Asker, Change, System, SystemEvent } from '../core/system.ts';
import { unreachable } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { openBell } from './bell.ts';
import { Control } from './control.ts';
import { type Definitions, readDefinitions } from './definitions.ts';
import { Fifos } from './fifos.ts';
import { goDown } from './halt.ts';
import { Handover } from './handover.ts';
import { type Journal, openJournal } from './journal.ts';
import { Loop, type OtherEffect } from './loop.ts';
import type { SupervisorOptions } from './options.ts';
import { reap } from './reap.ts';
import { scanLimits } from './scan.ts';
import { Spawner } from './spawn.ts';
import { Teller } from './teller.ts';
import { Watch } from './watch.ts';

/** The log of PID 1 itself; no service can have this name. */
const OWN_LOG = 'svinit';

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #kernel: Kernel;
  readonly #system: System;
  readonly #loop: Loop;
  readonly #watch: Watch;
  readonly #fifos: Fifos;
  readonly #spawner: Spawner;
  readonly #control: Control;
  readonly #teller: Teller;
  readonly #handover: Handover;
  readonly journal: Journal;

  constructor(options: SupervisorOptions) {
    const { kernel, paths, system, legacy } = options;
    this.#options = options;
    this.#kernel = kernel;
    this.#system = system;
    this.#fifos = new Fifos(kernel, paths.fifos);
    for (const [name, fd] of legacy?.fifos ?? []) this.#fifos.adopt(name, fd);
    this.journal = openJournal(kernel, this.#fifos.hold(OWN_LOG));
    this.#teller = new Teller(system, this.journal, options);
    this.#watch = new Watch(kernel);
    this.#loop = new Loop(system, {
      now: kernel.monotonic,
      spawn: (effect) => this.#spawner.start(effect),
      perform: (effect) => this.#perform(effect),
      changed: (changes) => this.#changed(changes),
      reconcile: () => this.reconcile(),
      failed: (what, error) => this.#failed(what, error),
    });
    this.#spawner = new Spawner({
      kernel,
      fifos: this.#fifos,
      watch: this.#watch,
      environment: options.environment,
      console: options.console,
      ready: (pid) => this.#loop.post({ type: 'ready', pid }),
    });
    this.#control = new Control({
      kernel,
      now: kernel.monotonic,
      post: (event) => this.#loop.post(event),
      warn: (text) => this.journal.warn(text),
    });
    this.#handover = new Handover({
      kernel,
      system,
      self: options.self,
      journal: this.journal,
      loop: this.#loop,
      fifos: this.#fifos,
      spawner: this.#spawner,
      control: this.#control,
    });
  }

  /** Opens the sockets and begins, or goes on where the image before left off. */
  start(): void {
    const { paths, legacy } = this.#options;
    const inherited = (path: string) =>
      legacy?.listeners.find((listener) => listener.path === path)?.fd ?? null;
    try {
      this.#control.listen(paths.control, false, inherited(paths.control));
      this.#control.listen(paths.status, true, inherited(paths.status));
    } catch (error) {
      this.#failed('open the sockets', error);
      // PID 1 lives on without them; anyone else would only be in the way of the one that is.
      if (this.#kernel.getpid() !== 1) return this.#options.exit(1);
    }
    for (const [pid, fd] of legacy?.notifications ?? []) this.#spawner.adopt(pid, fd);
    if (legacy === null) this.rescan();
    else this.#guard('go on', () => this.#handover.complete(legacy));
    if (legacy !== null && this.#system.booting.size === 0) this.#hangBell();
    this.reconcile();
    this.#loop.start();
  }

  post(event: SystemEvent): void {
    this.#loop.post(event);
  }

  /** Reads the definitions again, as `svctl scan` does. */
  rescan(): void {
    this.#loop.post({ type: 'scanned', ...this.#read(), prune: false, asker: null });
    this.#teller.problems();
  }

  /** Looks at the world without being told: what is readable, who has ended, who is too slow. */
  reconcile(): void {
    // Readiness first: a service may say it and end before anyone looks.
    this.#watch.sweep();
    this.#reapAll();
    this.#control.expire();
  }

  sweep(): void {
    this.#watch.sweep();
  }

  /** Someone removed or replaced the socket files. */
  rebuildSockets(): void {
    const { control, status } = this.#options.paths;
    this.#guard('rebuild the sockets', () =>
      this.#control.rebuild([
        { path: control, readOnly: false },
        { path: status, readOnly: true },
      ]),
    );
  }

  /** Replaces this image by a fresh one. Returns when that failed, or cannot be done yet. */
  reexec(asker: Asker | null): void {
    this.#handover.begin(asker);
  }

  /** The runtime is ending: there is no later, and what is half done is taken over as it is. */
  reexecNow(): void {
    this.#guard('re-exec', () => this.#handover.now());
  }

  /** Not before boot has settled: until then there are better things to load and to do. */
  #hangBell(): void {
    const paths = this.#options.roots.map(({ path }) => path);
    void openBell(
      paths,
      () => this.#guard('scan', () => this.rescan()),
      (reason) => this.journal.warn(reason),
    );
  }

  #read(): Definitions {
    const { roots, builtins, console } = this.#options;
    const { main } = this.#system.options;
    const limits = scanLimits(this.#kernel.geteuid());
    return readDefinitions({ roots, limits, builtins, main, hasConsole: console !== null });
  }

  #perform(effect: OtherEffect): void {
    switch (effect.do) {
      case 'signal': {
        const { pid, signal, group } = effect;
        this.#kernel.kill((group ? -pid : pid) as typeof pid, signal);
        return;
      }
      case 'reply':
        return this.#control.reply(effect.asker, effect.result);
      case 'refuse':
        return this.#control.refuse(effect.asker, effect.error);
      case 'notify':
        return this.#control.notify(effect.client, effect.method, effect.params);
      case 'scan': {
        const { prune, asker } = effect;
        return this.#loop.post({ type: 'scanned', ...this.#read(), prune, asker });
      }
      case 'reexec':
        // After this turn: what else it decided is performed by the image that decided it.
        setImmediate(() => this.reexec(effect.asker));
        return;
      case 'booted':
        this.#teller.booted();
        this.#hangBell();
        return;
      case 'halt':
        return this.#goDown(effect);
      default:
        return unreachable(effect);
    }
  }

  #goDown({ kind, code }: Extract<OtherEffect, { do: 'halt' }>): void {
    this.#teller.down();
    this.#loop.stop();
    const { machine, environment, exit, say } = this.#options;
    const reapAll = (): void => this.#reapAll();
    void goDown(
      { kernel: this.#kernel, machine, environment, exit, say, reap: reapAll },
      kind,
      code,
    );
  }

  #changed(changes: readonly Change[]): void {
    this.#teller.changed(changes);
    // A service that is no longer defined and has come to rest is forgotten, and so is its FIFO.
    const gone = changes.filter(({ name }) => !this.#system.units.has(name));
    for (const { name } of gone) this.#fifos.release(name);
  }

  #reapAll(): void {
    const more = reap(this.#kernel, (pid, exit) => {
      this.#spawner.forget(pid);
      this.#loop.post({ type: 'exited', pid, exit });
    });
    if (more) setImmediate(() => this.#reapAll());
  }

  #guard(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#failed(what, error);
    }
  }

  #failed(what: string, error: unknown): void {
    const reason = error instanceof Error ? (error.stack ?? error.message) : String(error);
    this.journal.error(`Cannot ${what}: ${reason}`);
    this.#options.say(`svinit: cannot ${what}: ${reason.split('\n')[0] ?? ''}`);
  }
}
