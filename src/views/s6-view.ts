/**
 * The directory of one service as s6's clients expect it below a scan directory: `supervise/` with
 * lock, control, status and death_tally, `event/`, `down` and `notification-fd`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import {
  addDeath,
  DEATHS_MAX,
  decodeS6Status,
  encodeS6Status,
  type S6Status,
} from '../core/s6-records.ts';
import { type Death, type Supervised, s6StatusOf } from '../core/supervised.ts';
import type { Fd } from '../core/units.ts';
import { ControlFifo, type OnLetter } from './control.ts';
import { codeOf } from './errors.ts';
import { Fifodir, removeFifodir } from './fifodir.ts';
import {
  contentOf,
  lockFile,
  makeDirectory,
  mark,
  remove,
  removeDirectory,
  replaceFile,
  Taken,
  type ViewKernel,
} from './files.ts';
import type { Loop } from './loop.ts';

/** s6-svscan(8) starts a supervisor that has ended again after a second. */
const AWAY_MS = 1000;

export class S6View {
  readonly #kernel: ViewKernel;
  readonly #loop: Loop;
  readonly #path: string;
  readonly #events: Fifodir;
  readonly #onLetter: OnLetter;
  /** Null as long as nobody is to seem there. */
  #lock: Fd | null;
  #control: ControlFifo | null = null;
  #last: Uint8Array | null = null;
  #deathsMax = DEATHS_MAX;
  #isDown = true;
  #isQuitting = false;
  #isClosed = false;

  /**
   * @throws {Taken} when another supervisor has the directory, or it holds a service of its own.
   */
  constructor(kernel: ViewKernel, loop: Loop, path: string, onLetter: OnLetter) {
    this.#kernel = kernel;
    this.#loop = loop;
    this.#path = path;
    this.#onLetter = onLetter;
    makeDirectory(path, 0o755);
    if (existsSync(join(path, 'run'))) throw new Taken(`Cannot use ${path}: it holds a service`);
    makeDirectory(join(path, 'supervise'), 0o700);
    const lock = lockFile(kernel, this.lockPath);
    this.#lock = lock;
    try {
      this.#events = new Fifodir(kernel, loop, join(path, 'event'));
      if (contentOf(this.#tally) === null) replaceFile(this.#tally, '');
      this.#control = this.#listen();
    } catch (error) {
      // Whoever tries again would find it taken, by us.
      kernel.close(lock);
      throw error;
    }
  }

  get lockPath(): string {
    return join(this.#path, 'supervise/lock');
  }

  get #status(): string {
    return join(this.#path, 'supervise/status');
  }

  get #tally(): string {
    return join(this.#path, 'supervise/death_tally');
  }

  /** What was shown of the service before; null: nothing. */
  kept(): S6Status | null {
    const bytes = contentOf(this.#status);
    return bytes === null ? null : decodeS6Status(bytes);
  }

  /** First the records and then the events: who hears of one reads the other. */
  show(service: Supervised, events: readonly string[], deaths: readonly Death[]): void {
    for (const { at, wstat } of deaths) {
      replaceFile(
        this.#tally,
        addDeath(contentOf(this.#tally) ?? new Uint8Array(0), at, wstat, this.#deathsMax),
      );
    }
    const status = encodeS6Status(s6StatusOf(service));
    if (this.#last === null || Buffer.compare(status, this.#last) !== 0) {
      replaceFile(this.#status, status);
      this.#last = status;
    }
    if (events.length > 0) this.#events.send(events);
    this.#isDown = service.state === 'down';
    this.#leave();
  }

  /** As a supervisor that ends once its service has: nobody is there then, and a moment later. */
  quit(): void {
    this.#isQuitting = true;
    this.#leave();
  }

  /** How many deaths are remembered from now on. */
  keepDeaths(max: number | undefined): void {
    this.#deathsMax = max ?? DEATHS_MAX;
  }

  markDown(there: boolean): void {
    mark(join(this.#path, 'down'), there);
  }

  /** s6-svc(8) asks for it before it waits for readiness; the number is of no use to it. */
  markAnnounces(there: boolean): void {
    mark(join(this.#path, 'notification-fd'), there);
  }

  /** Nobody supervises any more; what was shown stays, as after a supervisor's end. */
  close(): void {
    this.#isClosed = true;
    this.#end();
  }

  #leave(): void {
    if (!this.#isQuitting || !this.#isDown) return;
    this.#isQuitting = false;
    this.#end();
    this.#loop.after(AWAY_MS, () => this.#return());
  }

  #end(): void {
    if (this.#lock === null) return;
    this.#events.end('x');
    this.#control?.close();
    this.#kernel.close(this.#lock);
    this.#control = null;
    this.#lock = null;
  }

  #return(): void {
    if (this.#isClosed || this.#lock !== null) return;
    try {
      this.#lock = lockFile(this.#kernel, this.lockPath);
      this.#control = this.#listen();
      this.#events.send(['s']);
    } catch (error) {
      if (codeOf(error) === null) throw error;
      // Somebody else supervises there now, or the system is short of something.
      if (this.#lock !== null) this.#kernel.close(this.#lock);
      this.#lock = null;
      this.#loop.after(AWAY_MS, () => this.#return());
    }
  }

  #listen(): ControlFifo {
    const path = join(this.#path, 'supervise/control');
    return new ControlFifo(this.#kernel, this.#loop, path, this.#onLetter);
  }

  /** To be called after `close`, when there is no such service any more. */
  remove(): void {
    removeS6View(this.#path);
  }
}

/** Removes what such a view has made, and the directories where nothing else is in them. */
export function removeS6View(path: string): void {
  for (const file of FILES) remove(join(path, file));
  removeDirectory(join(path, 'supervise'));
  removeFifodir(join(path, 'event'));
  removeDirectory(path);
}

const FILES: readonly string[] = [
  ...['supervise/lock', 'supervise/control', 'supervise/status', 'supervise/death_tally'],
  ...['down', 'notification-fd'],
];
