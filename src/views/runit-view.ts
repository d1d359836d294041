/**
 * The directory of one service as sv(8) expects it below $SVDIR: `supervise/` with ok, control,
 * status, stat, pid and lock, and `down` and `check` of the definition.
 */
import { existsSync, linkSync } from 'node:fs';
import { join } from 'node:path';
import { encodeRunitStatus, pidText, statText } from '../core/runit-records.ts';
import { runitStatusOf, type Supervised } from '../core/supervised.ts';
import { ControlFifo, type OnLetter } from './control.ts';
import type { ViewKernel } from './files.ts';
import { link, makeDirectory, remove, removeDirectory, replaceFile, Taken } from './files.ts';
import type { Loop } from './loop.ts';

/** sv(8) looks every 420 ms; runsvdir(8) starts another runsv within five seconds. */
const AWAY_MS = 2000;

export class RunitView {
  readonly #path: string;
  readonly #loop: Loop;
  readonly #listen: () => ControlFifo;
  /** Null as long as nobody is to seem there. */
  #control: ControlFifo | null;
  #isQuitting = false;
  #isClosed = false;
  #last: Uint8Array | null = null;
  #state: Supervised['state'] = 'down';

  /**
   * @param lockPath The lock of the other view of the service, which is that of this one too.
   * @throws {Taken} when the directory holds a service of its own.
   */
  constructor(kernel: ViewKernel, loop: Loop, path: string, lockPath: string, onLetter: OnLetter) {
    this.#path = path;
    this.#loop = loop;
    makeDirectory(path, 0o755);
    if (existsSync(join(path, 'run'))) throw new Taken(`Cannot use ${path}: it holds a service`);
    makeDirectory(join(path, 'supervise'), 0o700);
    link(join(path, 'supervise/lock'), lockPath);
    const control = join(path, 'supervise/control');
    this.#listen = () => new ControlFifo(kernel, loop, control, onLetter);
    this.#control = this.#listen();
    // Whether somebody reads `ok` tells sv that there is a supervisor: the same FIFO, one reader.
    const ok = join(path, 'supervise/ok');
    try {
      remove(ok);
      linkSync(control, ok);
    } catch (error) {
      this.close();
      throw error;
    }
  }

  show(service: Supervised): void {
    this.#state = service.state;
    this.#leave();
    const status = runitStatusOf(service);
    const bytes = encodeRunitStatus(status);
    if (this.#last !== null && Buffer.compare(bytes, this.#last) === 0) return;
    this.#last = bytes;
    replaceFile(join(this.#path, 'supervise/pid'), pidText(status));
    replaceFile(join(this.#path, 'supervise/stat'), statText(status));
    replaceFile(join(this.#path, 'supervise/status'), bytes);
  }

  /** @param directory Of the definition; null: where it is cannot be seen from here. */
  define(directory: string | null): void {
    for (const name of ['down', 'check']) {
      const target = directory === null ? null : join(directory, name);
      link(join(this.#path, name), target !== null && existsSync(target) ? target : null);
    }
  }

  /** sv(8) waits after `exit` until nobody is there: so it is for a moment once all has ended. */
  quit(): void {
    this.#isQuitting = true;
    this.#leave();
  }

  /** What was shown stays, as after the end of runsv. */
  close(): void {
    this.#isClosed = true;
    this.#control?.close();
    this.#control = null;
  }

  #leave(): void {
    if (!this.#isQuitting || this.#state !== 'down') return;
    this.#isQuitting = false;
    this.#control?.close();
    this.#control = null;
    this.#loop.after(AWAY_MS, () => {
      if (!this.#isClosed) this.#control ??= this.#listen();
    });
  }

  /** To be called after `close`, when there is no such service any more. */
  remove(): void {
    removeRunitView(this.#path);
  }
}

/** Removes what such a view has made, and the directories where nothing else is in them. */
export function removeRunitView(path: string): void {
  for (const file of FILES) remove(join(path, file));
  removeDirectory(join(path, 'supervise'));
  removeDirectory(path);
}

const FILES: readonly string[] = [
  ...['supervise/lock', 'supervise/control', 'supervise/ok', 'supervise/status'],
  ...['supervise/stat', 'supervise/pid', 'down', 'check'],
];
