/**
 * Records that could not be written: a bounded queue, and the count of those that did not fit.
 * Why writing failed and when it is tried again is the caller's.
 */

/** What one service may hold in memory. */
export const BACKLOG_BYTES_MAX: number = 256 * 1024;

/** What all services together may hold: one full disk must not become full memory. */
export const BACKLOG_TOTAL_BYTES_MAX: number = 32 * 1024 * 1024;

/** Bytes that all backlogs together may still take. */
export type Budget = { left: number };

/** Makes the record that stands in the place of `count` records that are missing. */
export type Gap = (count: number) => Uint8Array;

/** The oldest records are kept and the newest dropped, so that what is missing is one piece. */
export class Backlog {
  readonly #budget: Budget;
  readonly #chunks: Uint8Array[] = [];
  #bytes = 0;
  #dropped = 0;

  constructor(budget: Budget) {
    this.#budget = budget;
  }

  /** Records dropped after the last one that is kept. */
  get dropped(): number {
    return this.#dropped;
  }

  /** Records kept and dropped. */
  get count(): number {
    return this.#chunks.reduce((sum, chunk) => sum + countRecords(chunk), this.#dropped);
  }

  /** Takes a copy of what fits and counts the rest; `gap` stands between what was missed and it. */
  keep(records: Uint8Array, gap: Gap): void {
    if (this.#dropped > 0) {
      const remark = gap(this.#dropped);
      const first = records.indexOf(NEWLINE) + 1;
      if (remark.length + first > this.#room()) {
        this.#dropped += countRecords(records);
        return;
      }
      this.#push(remark);
      this.#dropped = 0;
    }
    const room = this.#room();
    const fits = records.length <= room ? records.length : wholeRecords(records, room);
    // Not slice(): of a Buffer that is no copy, and the caller fills its buffer again.
    if (fits > 0) this.#push(Uint8Array.from(records.subarray(0, fits)));
    this.#dropped += countRecords(records.subarray(fits));
  }

  /** The oldest records kept, or null. */
  first(): Uint8Array | null {
    return this.#chunks[0] ?? null;
  }

  /** Forgets `bytes` of `first`. */
  shift(bytes: number): void {
    const chunk = this.#chunks.shift();
    if (chunk === undefined) return;
    if (bytes < chunk.length) this.#chunks.unshift(chunk.subarray(bytes));
    this.#bytes -= bytes;
    this.#budget.left += bytes;
  }

  /** The missing ones have been told of elsewhere. */
  forgive(): void {
    this.#dropped = 0;
  }

  #room(): number {
    return Math.min(BACKLOG_BYTES_MAX - this.#bytes, this.#budget.left);
  }

  #push(records: Uint8Array): void {
    this.#chunks.push(records);
    this.#bytes += records.length;
    this.#budget.left -= records.length;
  }
}

/** How many of the first `bytes` are whole records. */
export function wholeRecords(records: Uint8Array, bytes: number): number {
  return bytes > 0 ? records.lastIndexOf(NEWLINE, bytes - 1) + 1 : 0;
}

export function countRecords(records: Uint8Array): number {
  let count = 0;
  for (let at = records.indexOf(NEWLINE); at >= 0; at = records.indexOf(NEWLINE, at + 1))
    count += 1;
  return count;
}

const NEWLINE = 0x0a;
