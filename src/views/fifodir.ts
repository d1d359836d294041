/**
 * A fifodir, where s6's clients hear of events: each listener makes a FIFO in it and we write
 * letters into all of them (s6-ftrig-notify(8)). Listeners that have gone away leave their FIFOs
 * behind, which are removed; one that does not read misses what it has no room for.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { O } from '../sys/constants.ts';
import { codeOf, unlessRefused } from './errors.ts';
import { makeDirectory, remove, removeDirectory, type ViewKernel } from './files.ts';
import type { Loop } from './loop.ts';

/**
 * A client that waits for a restart looks for the end first and then for the start, and loses what
 * comes with the end (s6_svlisten_loop). s6-supervise is slow enough for it: it waits a second.
 */
export const GAP_MS = 200;

export class Fifodir {
  readonly #kernel: ViewKernel;
  readonly #loop: Loop;
  readonly #path: string;
  /** What waits for the gap, or behind what does. */
  readonly #held: string[] = [];
  #isWaiting = false;
  #endedAt = Number.NEGATIVE_INFINITY;

  constructor(kernel: ViewKernel, loop: Loop, path: string) {
    this.#kernel = kernel;
    this.#loop = loop;
    this.#path = path;
    makeDirectory(path, MODE);
    // Those without a reader go when they are opened.
    this.#write('');
  }

  /** Each text is one write, so that a listener sees it whole; the last ones perhaps later. */
  send(events: readonly string[]): void {
    this.#held.push(...events);
    if (!this.#isWaiting) this.#release();
  }

  /** The last event there will be, after all that still waits. */
  end(event: string): void {
    for (const last of [...this.#held.splice(0), event]) this.#write(last);
  }

  #release(): void {
    for (let event = this.#held[0]; event !== undefined; event = this.#held[0]) {
      if (/^[uO]/.test(event) && performance.now() - this.#endedAt < GAP_MS) return this.#wait();
      this.#held.shift();
      this.#write(event);
      if (/[dD]/.test(event)) this.#endedAt = performance.now();
    }
  }

  #wait(): void {
    this.#isWaiting = true;
    this.#loop.after(GAP_MS, () => {
      this.#isWaiting = false;
      this.#release();
    });
  }

  #write(event: string): void {
    for (const name of listeners(this.#path)) this.#tell(join(this.#path, name), event);
  }

  /** A listener that cannot be told for whatever reason is none. */
  #tell(path: string, event: string): void {
    const kernel = this.#kernel;
    try {
      const fd = kernel.open(path, O.WRONLY | O.NONBLOCK | O.NOFOLLOW);
      try {
        if (event !== '') kernel.write(fd, Buffer.from(event));
      } finally {
        kernel.close(fd);
      }
    } catch (error) {
      const code = codeOf(error);
      if (code === null) throw error;
      if (STALE.includes(code)) remove(path);
    }
  }
}

/** Removes the directory with all that listeners have left in it. */
export function removeFifodir(path: string): void {
  for (const name of listeners(path)) remove(join(path, name));
  removeDirectory(path);
}

function listeners(path: string): readonly string[] {
  let names: readonly string[] = [];
  unlessRefused(['ENOENT', 'ENOTDIR'], () => {
    names = readdirSync(path);
  });
  return names.filter((name) => LISTENER.test(name));
}

/** s6-mkfifodir(1): the owner's group may make listeners, and each remove only its own. */
const MODE = 0o3730;

/** `ftrig1:`, a TAI64N label and six characters: ftrigr_subscribe of s6. */
const LISTENER = /^ftrig1:@[0-9a-f]{24}:.{6}$/;

/** fifo(7): nobody reads, or not any more. */
const STALE: readonly string[] = ['ENXIO', 'EPIPE'];
