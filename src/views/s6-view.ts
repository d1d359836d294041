/**
 * The directory of one service as s6's clients expect it below a scan directory: `supervise/` with
 * lock, control, status and death_tally, `event/`, `down` and `notification-fd`.
 */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { addDeath, decodeS6Status, encodeS6Status, type S6Status } from '../core/s6-records.ts';
import { type Death, type Supervised, s6StatusOf } from '../core/supervised.ts';
import type { Fd } from '../core/units.ts';
import { ControlFifo, type OnLetter } from './control.ts';
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

export class S6View {
  readonly #kernel: ViewKernel;
  readonly #path: string;
  readonly #events: Fifodir;
  readonly #lock: Fd;
  readonly #control: ControlFifo;
  #last: Uint8Array | null = null;

  /**
   * @throws {Taken} when another supervisor has the directory, or it holds a service of its own.
   */
  constructor(kernel: ViewKernel, loop: Loop, path: string, onLetter: OnLetter) {
    this.#kernel = kernel;
    this.#path = path;
    makeDirectory(path, 0o755);
    if (existsSync(join(path, 'run'))) throw new Taken(`Cannot use ${path}: it holds a service`);
    makeDirectory(join(path, 'supervise'), 0o700);
    this.#lock = lockFile(kernel, this.lockPath);
    try {
      this.#events = new Fifodir(kernel, loop, join(path, 'event'));
      if (contentOf(this.#tally) === null) replaceFile(this.#tally, '');
      this.#control = new ControlFifo(kernel, loop, join(path, 'supervise/control'), onLetter);
    } catch (error) {
      // Whoever tries again would find it taken, by us.
      kernel.close(this.#lock);
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
      replaceFile(this.#tally, addDeath(contentOf(this.#tally) ?? new Uint8Array(0), at, wstat));
    }
    const status = encodeS6Status(s6StatusOf(service));
    if (this.#last === null || Buffer.compare(status, this.#last) !== 0) {
      replaceFile(this.#status, status);
      this.#last = status;
    }
    if (events.length > 0) this.#events.send(events);
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
    this.#events.end('x');
    this.#control.close();
    this.#kernel.close(this.#lock);
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
