/**
 * Runs for ever: begins, or goes on where the image before left off, and performs what core orders.
 * Every callback here only posts, or performs one effect.
 */
import { codeOf, hasMainEnded } from '../core/shutdown.ts';
import type { Asker, Change, System, SystemEvent } from '../core/system.ts';
import { unreachable } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { Bell } from './bell.ts';
import { type Definitions, readDefinitions } from './definitions.ts';
import { Doors } from './doors.ts';
import { commit } from './faults.ts';
import type { Performed } from './grouped.ts';
import { goDown } from './halt.ts';
import type { Journal } from './journal.ts';
import { takeLeftovers } from './leftovers.ts';
import type { SupervisorOptions } from './options.ts';
import { meantBy } from './own-pids.ts';
import { buildParts, type Parts } from './parts.ts';
import { holdInput, releaseUnused } from './pipes.ts';
import { Reaper } from './reap.ts';
import { scanLimits } from './scan.ts';

export class Supervisor {
  readonly #options: SupervisorOptions;
  readonly #kernel: Kernel;
  readonly #system: System;
  readonly #parts: Parts;
  readonly #doors: Doors;
  readonly #reaper: Reaper;
  #bell: Bell | null = null;

  constructor(options: SupervisorOptions) {
    this.#options = options;
    this.#kernel = options.kernel;
    this.#system = options.system;
    this.#parts = buildParts(options, {
      perform: (effect) => this.#perform(effect),
      changed: (changes) => this.#changed(changes),
      reconcile: () => this.reconcile(),
      failed: (what, error) => this.#failed(what, error),
    });
    const { control, notify, lifeline } = this.#parts;
    this.#reaper = new Reaper({ kernel: this.#kernel, system: this.#system, ...this.#parts });
    this.#doors = new Doors(
      {
        ...{ control, notify, paths: options.paths },
        inherited: options.legacy?.listeners ?? [],
        opened: () => lifeline.redefined(),
        failed: (what, error) => this.#failed(what, error),
      },
      options.legacy !== null || options.lost,
    );
  }

  get journal(): Journal {
    return this.#parts.journal;
  }

  /** Opens the sockets and begins, or goes on where the image before left off. */
  start(): void {
    const { legacy, death } = this.#options;
    const { fifos, handover, lifeline, listeners, loop, spawner, store, watchdog } = this.#parts;
    const take = (): void => takeLeftovers(this.#kernel, fifos);
    if (this.#options.lost) this.#guard('see what is open', take);
    this.#doors.open();
    // PID 1 lives on without them; anyone else would only be in the way of the one that is.
    if (this.#doors.isInTrouble && this.#kernel.getpid() !== 1) this.#options.exit(1);
    for (const [pid, fd] of legacy?.notifications ?? []) spawner.adopt(pid, fd);
    store.resume();
    lifeline.hold();
    if (legacy !== null) this.#guard('go on', () => handover.complete(legacy, death));
    if (this.#system.boot === 'unscanned') this.rescan();
    listeners.lookAtAll();
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
      const isLost = this.#doors.isOurs && this.#system.boot === 'unscanned';
      const survivors = isLost ? handover.survivors(read.specs) : [];
      loop.post({ type: 'scanned', ...read, prune: false, asker: null, survivors });
      teller.problems();
    });
  }

  /** Looks at the world without being told: what is readable, who has ended, who is too slow. */
  reconcile(): void {
    const { control, looker, memory, notify, proc, store, teller, trial, watchdog } = this.#parts;
    this.#parts.lifeline.putOff();
    if (this.#options.machine) this.#guard('mount /proc again', () => proc.look());
    const isWell = this.attend();
    this.#guard('look after the clients', () => control.clients.expire());
    this.#guard('look after a self-test', () => trial.expire());
    this.#guard('look after a look', () => looker.expire());
    this.#guard('look at what services have left', () => store.expire());
    this.#guard('look for ends', () => notify.lookForEnds());
    this.#doors.open();
    this.#guard('look at memory', () => memory.look());
    this.#guard('tell who is waited for', () => teller.waiting());
    if (isWell) this.#guard('feed the watchdog', () => watchdog.feed());
  }

  childEnded(): void {
    if (this.#parts.lifeline.isLate) this.reconcile();
    else this.attend();
  }

  /** Hears who is ready, and then who has ended: a service may do both. Whether it could. */
  attend(): boolean {
    const look = (): boolean => this.sweep() && this.#guard('reap', () => this.#reapAll());
    return this.#parts.loop.gather(look);
  }

  /** Whether that was possible. */
  sweep(): boolean {
    return this.#guard('see who is ready', () => this.#parts.watch.sweep());
  }

  /** Someone removed or replaced the socket files. */
  rebuildSockets(): void {
    this.#guard('close the sockets', () => this.#doors.rebuild());
    this.#doors.open();
  }

  /** Replaces this image by a fresh one. Returns when that failed, or cannot be done yet. */
  reexec(asker: Asker | null, binary: string | null): void {
    this.#parts.handover.begin(asker, binary);
  }

  /** The runtime is ending: the next image begins as if this one had died. Returns on failure. */
  revive(): void {
    this.#guard('start a fresh image', () => this.#parts.lifeline.revive());
  }

  /** Not before boot has settled: until then there are better things to do. */
  #hangBell(): void {
    if (this.#bell !== null) return;
    const bell = new Bell({
      kernel: this.#kernel,
      watch: this.#parts.watch,
      roots: this.#options.roots.map(({ path }) => path),
      ring: () => this.rescan(),
      failed: (reason) => this.#parts.journal.warn(reason),
    });
    this.#bell = bell;
    this.#guard('watch the definitions', () => bell.open());
  }

  #read(): Definitions {
    const limits = scanLimits(this.#kernel.geteuid(), Boolean(this.#options.overlay));
    return readDefinitions({ ...this.#options, limits, main: this.#system.options.main });
  }

  #perform(effect: Performed): void {
    const { control, looker, loop, memory, teller } = this.#parts;
    switch (effect.do) {
      case 'signal':
        return void this.#kernel.kill(meantBy(this.#system, effect), effect.signal);
      case 'pipe':
        return holdInput(this.#parts.fifos, effect.name, effect.hold);
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
      case 'look':
        return looker.begin(effect);
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
        memory.booted();
        this.#hangBell();
        return;
      case 'halt':
        return this.#goDown(effect);
      default:
        return unreachable(effect);
    }
  }

  #goDown(order: Extract<Performed, { do: 'halt' }>): void {
    const { lifeline, loop, teller, watchdog } = this.#parts;
    teller.down();
    loop.stop();
    watchdog.goDown();
    lifeline.release();
    const act = { reap: () => this.#reapAll(), disarm: () => watchdog.disarm() };
    const own = [this.#options.paths.run];
    const code = this.#options.overlay?.exitCode() ?? order.code;
    goDown({ ...this.#options, ...act, own }, { ...order, code }).catch((error: unknown) =>
      this.#failed(order.kind, error),
    );
  }

  #changed(changes: readonly Change[]): void {
    const { fifos } = this.#parts;
    if (hasMainEnded(this.#system, changes)) this.#options.overlay?.ended(codeOf(this.#system));
    // A service that is no longer defined and has come to rest is forgotten, and so is its FIFO.
    const gone = changes.filter(({ name }) => !this.#system.units.has(name));
    for (const { name } of gone)
      this.#guard(`let go of the log of ${name}`, () => fifos.release(name));
    this.#guard('let go of pipes', () => releaseUnused(fifos, this.#system, changes));
  }

  #reapAll(): void {
    this.#reaper.reap();
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
