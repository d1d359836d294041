/**
 * The stored log of one service: `current`, its rotation, and what happens when the disk refuses.
 * Records come in whole and are stored whole, in order, or counted; it never looks into them.
 */
import { fstatSync, ftruncateSync, mkdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { MARKS, STAMP_CHARS } from '../core/logline.ts';
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { archive, CURRENT } from './archive.ts';
import { Backlog, type Budget, wholeRecords } from './backlog.ts';
import { codeOf, reason } from './failure.ts';
import type { Stamper } from './stamp.ts';

/** Size at which `current` becomes an archive; it ends with the record that reaches it. */
export const ROTATE_BYTES: number = 1024 * 1024;

/** Permission bits of what is made; the owner is svlog's user. */
export const DIRECTORY_MODE = 0o750;
export const FILE_MODE = 0o640;

/** What all logs share. */
export type LogContext = {
  readonly kernel: Pick<Kernel, 'close' | 'open' | 'write'>;
  readonly stamper: Stamper;
  readonly budget: Budget;
  /** Closes another log, because descriptors are scarce; false when none is open. */
  readonly makeRoom: () => boolean;
  /** Told when writing begins to fail: `write failed with ENOSPC`. */
  readonly onFailing: (log: LogFile, why: string) => void;
  /** Told of what went wrong without endangering a record. */
  readonly onProblem: (message: string) => void;
};

export class LogFile {
  readonly name: string;
  readonly #dir: string;
  readonly #context: LogContext;
  readonly #backlog: Backlog;
  #fd: Fd | null = null;
  #size = 0;
  #rotateAt = ROTATE_BYTES;
  /** Why the last attempt to write failed; null when it did not. */
  #why: string | null = null;

  /** @param dir Made with the first record. */
  constructor(name: string, dir: string, context: LogContext) {
    this.name = name;
    this.#dir = dir;
    this.#context = context;
    this.#backlog = new Backlog(context.budget);
  }

  /** Records kept or dropped, and not yet told of in the log itself. */
  get unstored(): number {
    return this.#backlog.count;
  }

  /** Stores whole records, or keeps them, or counts them. */
  append(records: Uint8Array): void {
    const stored = this.#why === null ? this.#store(records) : 0;
    if (stored === records.length) return;
    this.#backlog.keep(records.subarray(stored), (count) => this.#gap(count));
  }

  /** Writes what could not be written before; whether nothing is left of it. */
  retry(): boolean {
    if (this.#why === null) return true;
    for (let chunk = this.#backlog.first(); chunk !== null; chunk = this.#backlog.first()) {
      const stored = this.#store(chunk);
      this.#backlog.shift(stored);
      if (stored < chunk.length) return false;
    }
    if (this.#backlog.dropped > 0) {
      const gap = this.#gap(this.#backlog.dropped);
      if (this.#store(gap) < gap.length) return false;
      this.#backlog.forgive();
    }
    this.#why = null;
    return true;
  }

  /** Makes an archive of `current`, if there is anything in it; the next record opens a new one. */
  rotate(): void {
    let size = 0;
    try {
      if (this.#fd === null) this.#open();
      size = this.#size;
      this.close();
      if (size > 0) archive(this.#dir, this.#context.stamper.tick());
      this.#rotateAt = ROTATE_BYTES;
    } catch (error) {
      // The file grows until the next attempt; records matter more than its size.
      this.#rotateAt = size + ROTATE_BYTES;
      this.#context.onProblem(`Cannot rotate the log of ${this.name}: ${reason(error)}`);
    }
  }

  get isOpen(): boolean {
    return this.#fd !== null;
  }

  /** Until the next record. */
  close(): void {
    const fd = this.#fd;
    this.#fd = null;
    this.#size = 0;
    try {
      if (fd !== null) this.#context.kernel.close(fd);
    } catch (error) {
      this.#context.onProblem(`Cannot close the log of ${this.name}: ${reason(error)}`);
    }
  }

  /** Stores from the beginning of `records`; gives the bytes of the records stored. */
  #store(records: Uint8Array): number {
    let stored = 0;
    try {
      while (stored < records.length) {
        const fd = this.#fd ?? this.#open();
        const end = endOfPart(records, stored, this.#rotateAt - this.#size);
        const part = records.subarray(stored, end);
        const taken = this.#write(fd, part);
        stored += taken;
        if (taken < part.length) break;
        if (this.#size >= this.#rotateAt) this.rotate();
      }
    } catch (error) {
      this.#fail(reason(error));
    }
    return stored;
  }

  /** Writes all of `part` or its first records; then the file ends with them and is closed. */
  #write(fd: Fd, part: Uint8Array): number {
    let taken = 0;
    try {
      while (taken < part.length) {
        taken += this.#context.kernel.write(fd, taken === 0 ? part : part.subarray(taken)) ?? 0;
      }
      this.#size += taken;
      return taken;
    } catch (error) {
      const whole = wholeRecords(part, taken);
      if (whole < taken) this.#cut(fd, this.#size + whole);
      this.#fail(reason(error));
      return whole;
    }
  }

  /** Half a record would end a line where none ended. */
  #cut(fd: Fd, size: number): void {
    try {
      ftruncateSync(fd, size);
    } catch (error) {
      this.#context.onProblem(`Cannot shorten the log of ${this.name}: ${reason(error)}`);
    }
  }

  /** The next attempt opens the file anew: it may have been replaced, or its filesystem. */
  #fail(why: string): void {
    const isNew = this.#why === null;
    this.#why = why;
    this.close();
    if (isNew) this.#context.onFailing(this, why);
  }

  #open(): Fd {
    const fd = this.#openCurrent();
    this.#fd = fd;
    this.#size = fstatSync(fd).size;
    if (this.#size > 0 && lastByte(fd, this.#size) !== NEWLINE) {
      // Its writer was killed, or the machine stopped: what is cut off ends here.
      this.#size += this.#context.kernel.write(fd, Uint8Array.of(NEWLINE)) ?? 0;
    }
    return fd;
  }

  #openCurrent(): Fd {
    const flags = O.RDWR | O.APPEND | O.CREAT | O.NOFOLLOW;
    try {
      return this.#context.kernel.open(join(this.#dir, CURRENT), flags, FILE_MODE);
    } catch (error) {
      if (codeOf(error) === 'ENOENT') this.#makeDirectory(error);
      else if (codeOf(error) !== 'EMFILE' || !this.#context.makeRoom()) throw error;
      return this.#openCurrent();
    }
  }

  /** @throws `cause` when the directory is there, so that no second attempt is the last again. */
  #makeDirectory(cause: unknown): void {
    const made = mkdirSync(this.#dir, { recursive: true, mode: DIRECTORY_MODE });
    if (made === undefined) throw cause;
  }

  /** The record that stands for those that are missing. */
  #gap(count: number): Uint8Array {
    const { stamper } = this.#context;
    stamper.tick();
    const lines = count === 1 ? 'line' : 'lines';
    const text = `svlog: ${count} ${lines} dropped: ${this.#why ?? 'out of memory'}\n`;
    const record = Buffer.concat([stamper.head, Buffer.from(text)]);
    record.write(MARKS.remark, STAMP_CHARS);
    return record;
  }
}

const NEWLINE = 0x0a;

/** Where the record ends that reaches `limit` bytes after `from`. */
function endOfPart(records: Uint8Array, from: number, limit: number): number {
  if (records.length - from <= limit) return records.length;
  return records.indexOf(NEWLINE, from + Math.max(limit - 1, 0)) + 1;
}

function lastByte(fd: Fd, size: number): number | undefined {
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, size - 1);
  return byte[0];
}
