/**
 * Bytes as they come out of a pipe become records (core/logline.ts): cut at newlines, stamped,
 * long lines in parts. Nothing is decoded and nothing allocated for a line; where the bytes came
 * from and where the records go is the caller's.
 *
 * Where a line is cut depends on the line alone, never on how the pipe delivered it.
 */
import { MARKS, STAMP_CHARS } from '../core/logline.ts';

/** Text of one record at most; a longer line becomes several. As s6-log -l. */
export const LINE_BYTES_MAX = 8192;

/** What one turn of one pipe reads at most: all that a pipe holds by default (pipe(7)). */
export const READ_BYTES_MAX = 65536;

/** The beginning of a line whose newline has not come yet: at most LINE_BYTES_MAX bytes. */
export type Tail = { bytes: Buffer; length: number };

/** Takes whole records. They lie in memory that is used again: keep a copy, not the view. */
export type Sink = { append(records: Uint8Array): void };

export function emptyTail(): Tail {
  return { bytes: NO_BYTES, length: 0 };
}

/** Of all who have not kept a line yet: most never do, and there are thousands. */
const NO_BYTES: Buffer = Buffer.alloc(0);

/** One input and one output buffer, used by all pipes in turn. */
export class Composer {
  /** Where the bytes are to be read to, from its beginning, before `take`. */
  readonly area: Uint8Array;
  readonly #input: Buffer = Buffer.allocUnsafeSlow(LINE_BYTES_MAX + READ_BYTES_MAX + 1);
  readonly #output: Buffer = Buffer.allocUnsafeSlow(OUTPUT_BYTES);
  readonly #head: Buffer;
  #used = 0;

  /** @param head Stamp and mark of a whole line; its bytes may change between calls. */
  constructor(head: Buffer) {
    this.#head = head;
    this.area = this.#input.subarray(LINE_BYTES_MAX, LINE_BYTES_MAX + READ_BYTES_MAX);
  }

  /** Gives `sink` the records of `tail` and of the `count` bytes in `area`; the rest is `tail`. */
  take(tail: Tail, count: number, sink: Sink): void {
    const from = LINE_BYTES_MAX - tail.length;
    const end = LINE_BYTES_MAX + count;
    tail.bytes.copy(this.#input, from, 0, tail.length);
    const rest = this.#lines(from, end, sink);
    this.#flush(sink);
    keepTail(tail, this.#input.subarray(rest, end));
  }

  /** Gives `sink` what `tail` holds, as the part of a line that it is. */
  finish(tail: Tail, sink: Sink): void {
    if (tail.length === 0) return;
    tail.bytes.copy(this.#input, 0, 0, tail.length);
    this.#part(0, tail.length);
    this.#flush(sink);
    tail.length = 0;
  }

  /** Composes all lines that end before `end`; gives where the unfinished one begins. */
  #lines(from: number, end: number, sink: Sink): number {
    const input = this.#input;
    // A newline behind the last byte ends every search; older bytes lie beyond it.
    input[end] = NEWLINE;
    let start = from;
    for (;;) {
      const newline = input.indexOf(NEWLINE, start);
      for (; newline - start > LINE_BYTES_MAX; start += LINE_BYTES_MAX) {
        this.#part(start, start + LINE_BYTES_MAX);
        if (this.#used > FLUSH_AT) this.#flush(sink);
      }
      if (newline >= end) return start;
      this.#head.copy(this.#output, this.#used);
      input.copy(this.#output, this.#used + HEAD_BYTES, start, newline + 1);
      this.#used += HEAD_BYTES + newline + 1 - start;
      start = newline + 1;
      if (this.#used > FLUSH_AT) this.#flush(sink);
    }
  }

  #part(from: number, to: number): void {
    const output = this.#output;
    this.#head.copy(output, this.#used);
    output[this.#used + STAMP_CHARS] = PART;
    this.#input.copy(output, this.#used + HEAD_BYTES, from, to);
    this.#used += HEAD_BYTES + to - from;
    output[this.#used] = NEWLINE;
    this.#used += 1;
  }

  #flush(sink: Sink): void {
    if (this.#used === 0) return;
    const records = this.#output.subarray(0, this.#used);
    this.#used = 0;
    sink.append(records);
  }
}

const NEWLINE = 0x0a;
const PART: number = MARKS.part.charCodeAt(0);
const HEAD_BYTES: number = STAMP_CHARS + 1;

/** Enough for one turn of lines of 10 bytes and more in one write. */
const OUTPUT_BYTES: number = 256 * 1024;

/** From here on the longest record might not fit. */
const FLUSH_AT: number = OUTPUT_BYTES - (HEAD_BYTES + LINE_BYTES_MAX + 1);

function keepTail(tail: Tail, rest: Buffer): void {
  if (tail.bytes.length < rest.length) tail.bytes = Buffer.allocUnsafeSlow(roomFor(rest.length));
  rest.copy(tail.bytes);
  tail.length = rest.length;
}

/** A power of two from 256 on: a tail that grows is moved seldom. */
function roomFor(bytes: number): number {
  return Math.max(256, 2 ** Math.ceil(Math.log2(bytes)));
}
