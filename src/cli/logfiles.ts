/**
 * Reads the stored log of one service in order: archives, then `current`, and on through rotations,
 * without a record lost or seen twice. Files are told apart by inode, because their names change.
 * What is done with the records is the caller's.
 */
import { closeSync, existsSync, fstatSync, readdirSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { type LogRecord, parseRecord } from '../core/logline.ts';
import { fileNameOf, nameOfFile } from '../core/names.ts';
import { isCurrent, type OpenFile, openChain } from './logchain.ts';
import { fallbacks } from './sockets.ts';

/** Where svlog stores logs (see src/svlog.ts). */
export function logDirectory(): string {
  const { SVINIT_LOG: said, SVINIT_RUN: run } = process.env;
  if (said !== undefined) return said;
  // Where svinit could not write to /run, its logs are in its run directory.
  const runs = run === undefined ? fallbacks(process.getuid?.() ?? 0) : [run];
  const places = ['/run/log/svinit', ...runs.map((path) => join(path, 'logs'))];
  return places.find((path) => existsSync(path)) ?? '/run/log/svinit';
}

/** Names that have a log in `dir`, sorted. @throws the error of node:fs when it cannot be read. */
export function logNames(dir: string): string[] {
  return readdirSync(dir, { withFileTypes: true })
    .filter((entry) => entry.isDirectory() && !entry.name.startsWith('.'))
    .map((entry) => nameOfFile(entry.name))
    .sort();
}

export class LogReader {
  readonly name: string;
  readonly #dir: string;
  readonly #buffer: Buffer = Buffer.allocUnsafeSlow(BUFFER_BYTES);
  #from = 0;
  #to = 0;
  #file: OpenFile | null = null;
  /** Where in the file the buffer ends. */
  #offset = 0;
  /** Where to stop: at this size of this file, or nowhere. */
  #limit: { readonly inode: number; readonly size: number } | null = null;
  #last: Pick<LogRecord, 'stampText' | 'timeMs'> = { stampText: UNKNOWN_STAMP, timeMs: 0 };

  /** @param dir Directory of all logs. */
  constructor(dir: string, name: string) {
    this.name = name;
    this.#dir = join(dir, fileNameOf(name));
  }

  /**
   * Opens the log at its last `count` records, or at its beginning with null. Until `follow` it
   * ends where it ends now, so that a service that never stops writing does not make it endless.
   */
  begin(count: number | null): void {
    const chain = openChain(this.#dir);
    const last = chain.at(-1);
    this.#limit = { inode: last?.inode ?? 0, size: last === undefined ? 0 : sizeOf(last.fd) };
    let missing = count ?? Number.POSITIVE_INFINITY;
    for (let file = chain.pop(); file !== undefined; file = chain.pop()) {
      this.close();
      this.#file = file;
      const { start, found } = lastRecords(file.fd, missing);
      this.#offset = start;
      missing -= found;
      if (missing <= 0) break;
    }
    for (const { fd } of chain) closeSync(fd);
  }

  /** No end any more: what is written from now on is read too. */
  follow(): void {
    this.#limit = null;
  }

  /** The next record, or null when there is none yet. It is overwritten by the one after it. */
  next(): LogRecord | null {
    for (;;) {
      const newline = this.#buffer.subarray(0, this.#to).indexOf(NEWLINE, this.#from);
      if (newline >= 0) {
        const record = this.#parse(this.#buffer.subarray(this.#from, newline));
        this.#from = newline + 1;
        return record;
      }
      if (this.#to - this.#from === BUFFER_BYTES) return this.#remains();
      if (this.#fill()) continue;
      const step = this.#nextFile();
      if (step === 'end') return null;
      if (step === 'torn') return this.#remains();
      if (step === 'gap') return { ...this.#last, kind: 'remark', text: GAP };
    }
  }

  close(): void {
    if (this.#file !== null) closeSync(this.#file.fd);
    this.#file = null;
    this.#offset = 0;
    this.#from = 0;
    this.#to = 0;
  }

  /** What svlog did not write is shown at the time of what stands before it. */
  #parse(bytes: Uint8Array): LogRecord {
    const record = parseRecord(bytes);
    if (record === null) return { ...this.#last, kind: 'line', text: bytes };
    this.#last = record;
    return record;
  }

  /** A line longer than any of svlog's, as far as it has been read, or one that never ended. */
  #remains(): LogRecord {
    const record = this.#parse(this.#buffer.subarray(this.#from, this.#to));
    this.#from = this.#to;
    return record;
  }

  #fill(): boolean {
    if (this.#file === null) return false;
    this.#buffer.copyWithin(0, this.#from, this.#to);
    this.#to -= this.#from;
    this.#from = 0;
    const room = Math.min(BUFFER_BYTES - this.#to, this.#leftOf(this.#file));
    if (room <= 0) return false;
    const count = readSync(this.#file.fd, this.#buffer, this.#to, room, this.#offset);
    this.#to += count;
    this.#offset += count;
    return count > 0;
  }

  /** How much of `file` may be read. */
  #leftOf({ inode }: OpenFile): number {
    const limit = this.#limit;
    return limit?.inode === inode ? limit.size - this.#offset : Number.POSITIVE_INFINITY;
  }

  /**
   * Goes on to the file after this one, if this one is complete. svlog writes nothing to an
   * archive, so the end that it has once it is one is its last.
   */
  #nextFile(): 'same' | 'torn' | 'next' | 'gap' | 'end' {
    const file = this.#file;
    if (file !== null) {
      if (this.#leftOf(file) <= 0 || isCurrent(this.#dir, file.inode)) return 'end';
      if (this.#fill()) return 'same';
      if (this.#to > this.#from) return 'torn';
    }
    const chain = openChain(this.#dir);
    const place = chain.findIndex(({ inode }) => inode === file?.inode);
    // When this file has been removed meanwhile, -1 + 1 is the oldest that is left.
    const next = chain[place + 1];
    const isWithin =
      this.#limit === null || chain.some(({ inode }) => inode === this.#limit?.inode);
    for (const { fd } of chain) if (fd !== next?.fd || !isWithin) closeSync(fd);
    if (next === undefined || !isWithin) return 'end';
    this.close();
    this.#file = next;
    return file !== null && place < 0 ? 'gap' : 'next';
  }
}

const NEWLINE = 0x0a;
const UNKNOWN_STAMP = '-';
const GAP: Uint8Array = Buffer.from('svctl: lines were removed before they could be read');

/** Several of the longest records of svlog. */
const BUFFER_BYTES = 65536;

function sizeOf(fd: number): number {
  return fstatSync(fd).size;
}

/** Where the last `count` records of a file begin, and how many there are if they are fewer. */
function lastRecords(fd: number, count: number): { start: number; found: number } {
  const block = Buffer.allocUnsafe(BUFFER_BYTES);
  let found = 0;
  if (count === Number.POSITIVE_INFINITY) return { start: 0, found };
  let end = sizeOf(fd);
  // A record under way counts from its newline on; the first byte looked at is the last newline.
  for (let start = end; start > 0; end = start) {
    start = Math.max(0, end - BUFFER_BYTES);
    const length = readSync(fd, block, 0, end - start, start);
    for (let at = length; at > 0; ) {
      at = block.subarray(0, at).lastIndexOf(NEWLINE);
      if (at < 0) break;
      if (found === count) return { start: start + at + 1, found };
      found += 1;
    }
  }
  return { start: 0, found };
}
