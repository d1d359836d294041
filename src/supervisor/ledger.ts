/**
 * The state outside the heap: a file in memory that holds a whole state and, behind it, a record of
 * all that has moved since. Whatever ends this image, the next one finds it at the same descriptor.
 *
 * Format: eight bytes of magic with a version, then records, each a length and a CRC-32 of four
 * bytes (little endian) and that many bytes of JSON. The first record is the whole state. Where a
 * record is torn or does not match its sum the file ends: what came before stands.
 */
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Passed } from './clients.ts';
import { crc32 } from './crc32.ts';
import type { Holding } from './holdings.ts';
import { letGo } from './let-go.ts';

/** What may follow the whole state. */
export type LedgerRecord =
  | { readonly k: 'turn'; readonly turn: unknown }
  | { readonly k: 'fifo'; readonly name: string; readonly fd: Fd | null }
  | { readonly k: 'notify'; readonly pid: number; readonly fd: Fd | null }
  | { readonly k: 'held'; readonly fd: Fd; readonly holding: Holding | null }
  | { readonly k: 'client'; readonly number: number; readonly client: Passed | null };

const MAGIC: Uint8Array = new TextEncoder().encode('svinit\0\x01');
const HEADER_BYTES = 8;
/** A state larger than this is not ours. */
const STATE_BYTES_MAX: number = 64 * 1024 * 1024;
/** Records are folded into a new whole state when they outgrow it, but not for less than this. */
const FOLD_BYTES_MIN: number = 256 * 1024;
/** Where descriptors of the runtime do not reach: the number stays the same for ever. */
const LEDGER_FD_MIN = 200;

export class Ledger {
  readonly #kernel: Kernel;
  #fd: Fd | null = null;
  #isTorn = false;
  #baseBytes = 0;
  #addedBytes = 0;

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
  }

  /** The next image is handed a state of its own: this one ends with this image. */
  leave(): void {
    if (this.#fd !== null) this.#kernel.setCloexec(this.#fd, true);
  }

  /** The descriptor, once `rewrite` has been called; it is not close-on-exec. */
  get fd(): Fd | null {
    return this.#fd;
  }

  /** Puts a new whole state in the place of everything there is, in one step. */
  rewrite(state: unknown): void {
    const kernel = this.#kernel;
    const bytes = encodeLedger(state);
    const fresh = kernel.scratch('svinit-ledger');
    let fd = this.#fd;
    try {
      kernel.writeAll(fresh, bytes);
      fd ??= kernel.dup(fresh, LEDGER_FD_MIN);
      // What was moved outlives an exec, a copy does not.
      kernel.moveTo(fresh, fd);
    } catch (error) {
      letGo(kernel, fresh);
      if (fd !== null && this.#fd === null) letGo(kernel, fd);
      throw error;
    }
    this.#fd = fd;
    this.#isTorn = false;
    this.#baseBytes = bytes.length;
    this.#addedBytes = 0;
  }

  /** Adds what has moved. */
  append(record: LedgerRecord): void {
    if (this.#fd === null) return;
    const bytes = encodeRecord(record);
    this.#isTorn = true;
    this.#kernel.writeAll(this.#fd, bytes);
    this.#isTorn = false;
    this.#addedBytes += bytes.length;
  }

  /**
   * A whole state is due: so much has been added that it would be shorter, or the last record is
   * torn, and nobody would read what follows it.
   */
  isDue(): boolean {
    return this.#isTorn || this.#addedBytes > Math.max(FOLD_BYTES_MIN, 2 * this.#baseBytes);
  }
}

/** A ledger that holds `state` alone. */
export function encodeLedger(state: unknown): Uint8Array {
  const record = encodeRecord(state);
  const bytes = new Uint8Array(MAGIC.length + record.length);
  bytes.set(MAGIC);
  bytes.set(record, MAGIC.length);
  return bytes;
}

/**
 * Reads a ledger: the whole state and the records behind it, unchecked.
 * @throws {SysError} when it cannot be read; {TypeError} when there is no whole state in it.
 */
export function readLedger(kernel: Kernel, fd: Fd): { state: unknown; records: unknown[] } {
  const bytes = kernel.memfdRead(fd, STATE_BYTES_MAX);
  const [state, ...records] = decodeLedger(bytes);
  if (state === undefined) throw new TypeError('The ledger left by the image before is empty');
  return { state, records };
}

/** The records of `bytes` up to the first that is torn or damaged. */
export function decodeLedger(bytes: Uint8Array): unknown[] {
  if (!MAGIC.every((byte, i) => bytes[i] === byte)) {
    throw new TypeError('The ledger left by the image before is not ours, or of another version');
  }
  const records: unknown[] = [];
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  for (let at = MAGIC.length; at + HEADER_BYTES <= bytes.length; ) {
    const length = view.getUint32(at, true);
    const body = bytes.subarray(at + HEADER_BYTES, at + HEADER_BYTES + length);
    if (body.length < length || crc32(body) !== view.getUint32(at + 4, true)) break;
    const record = parsed(body);
    if (record === undefined) break;
    records.push(record);
    at += HEADER_BYTES + length;
  }
  return records;
}

function parsed(body: Uint8Array): unknown {
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(body));
  } catch {
    return undefined;
  }
}

function encodeRecord(record: unknown): Uint8Array {
  const body = new TextEncoder().encode(JSON.stringify(record));
  const bytes = new Uint8Array(HEADER_BYTES + body.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, body.length, true);
  view.setUint32(4, crc32(body), true);
  bytes.set(body, HEADER_BYTES);
  return bytes;
}
