/**
 * Several logs as one, in the order of time, and how to hear that there is more. It knows neither
 * files nor how records look.
 */
import { type FSWatcher, watch } from 'node:fs';
import { join } from 'node:path';
import type { LogRecord } from '../core/logline.ts';
import type { LogReader } from './logfiles.ts';

/** The record lies in memory of its reader: it is gone with the next call of `next`. */
export type Head = { readonly name: string; readonly record: LogRecord };

/** Keeps the next record of every log, and gives the earliest. */
export class Merger {
  readonly #readers: Map<string, LogReader> = new Map();
  /** Latest first: the earliest is taken from the end. */
  readonly #heads: Head[] = [];
  /** Logs without a head. */
  readonly #empty: Set<string> = new Set();
  /** The log whose record is out: it must not be asked before the caller is done with that. */
  #given: string | null = null;

  add(reader: LogReader): void {
    this.#readers.set(reader.name, reader);
    this.#empty.add(reader.name);
    this.#advance(reader.name);
  }

  names(): ReadonlySet<string> {
    return new Set(this.#readers.keys());
  }

  /** The earliest record of all that are there; null when there is none. */
  next(): Head | null {
    if (this.#given !== null) this.#advance(this.#given);
    const head = this.#heads.pop() ?? null;
    this.#given = head?.name ?? null;
    return head;
  }

  /** From now on what has been written since counts too. */
  follow(): void {
    for (const name of [...this.#empty]) {
      this.#readers.get(name)?.follow();
      this.#advance(name);
    }
  }

  close(): void {
    for (const reader of this.#readers.values()) reader.close();
  }

  #advance(name: string): void {
    if (this.#given === name) this.#given = null;
    const record = this.#readers.get(name)?.next() ?? null;
    if (record === null) {
      this.#empty.add(name);
      return;
    }
    this.#empty.delete(name);
    this.#heads.splice(this.#placeOf(record.timeMs), 0, { name, record });
  }

  /** The first place whose record is not later: of equal times the first that came goes first. */
  #placeOf(timeMs: number): number {
    let low = 0;
    let high = this.#heads.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((this.#heads[middle]?.record.timeMs ?? 0) > timeMs) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/**
 * Rings when something changes in a directory. It may stay silent: it is for haste, not for truth.
 */
export class Bell {
  readonly #watchers: FSWatcher[] = [];
  #isRung = false;
  #wake: (() => void) | null = null;

  /** Listens to a directory too. What cannot be watched is not. */
  hang(...path: readonly string[]): void {
    try {
      const watcher = watch(join(...path), () => this.#ring());
      watcher.on('error', () => watcher.close());
      this.#watchers.push(watcher);
    } catch {}
  }

  /** Resolves when it has rung since the last time, or after `timeoutMs`. */
  async heard(timeoutMs: number): Promise<void> {
    if (!this.#isRung) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, timeoutMs);
        this.#wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
    this.#wake = null;
    this.#isRung = false;
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
  }

  #ring(): void {
    this.#isRung = true;
    this.#wake?.();
  }
}
