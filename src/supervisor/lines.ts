/**
 * Bytes of a stream to lines, with a limit; and the descriptor behind a socket.
 */
import type { Socket } from 'node:net';
import type { Fd } from '../core/units.ts';

export type Line = { readonly text: string } | 'too long' | 'not UTF-8';

const NEWLINE = 0x0a;

/** Collects bytes until a newline; holds at most `bytesMax` of an incomplete line. */
export class LineReader {
  readonly #bytesMax: number;
  readonly #decoder = new TextDecoder('utf-8', { fatal: true });
  /** The beginning of a line, and room: one piece, however many there were. */
  #held: Uint8Array = new Uint8Array();
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  isEmpty(): boolean {
    return this.#length === 0;
  }

  /** What has come of the line that is not complete yet. */
  held(): Buffer {
    return Buffer.from(this.#held.subarray(0, this.#length));
  }

  /** The lines that `bytes` complete. After `too long` the stream is not to be trusted any more. */
  push(bytes: Uint8Array): Line[] {
    const lines: Line[] = [];
    let from = 0;
    for (let end = bytes.indexOf(NEWLINE); end >= 0; end = bytes.indexOf(NEWLINE, from)) {
      lines.push(this.#take(bytes.subarray(from, end)));
      from = end + 1;
    }
    const rest = bytes.subarray(from);
    if (this.#length + rest.length <= this.#bytesMax) this.#hold(rest);
    else {
      this.#length += rest.length;
      this.#held = new Uint8Array();
      lines.push('too long');
    }
    return lines;
  }

  /** Copied: the runtime may use its buffer again before the rest of the line arrives. */
  #hold(bytes: Uint8Array): void {
    const length = this.#length + bytes.length;
    if (length > this.#held.length) {
      const room = new Uint8Array(Math.min(this.#bytesMax, Math.max(ROOM_MIN, 2 * length)));
      room.set(this.#held.subarray(0, this.#length));
      this.#held = room;
    }
    this.#held.set(bytes, this.#length);
    this.#length = length;
  }

  #take(last: Uint8Array): Line {
    if (this.#length + last.length > this.#bytesMax) {
      this.#length = 0;
      return 'too long';
    }
    const isWhole = this.#length === 0;
    if (!isWhole) this.#hold(last);
    const line = isWhole ? last : this.#held.subarray(0, this.#length);
    this.#length = 0;
    try {
      return { text: this.#decoder.decode(line) };
    } catch {
      return 'not UTF-8';
    }
  }
}

/** Room for a line that came in pieces: most fit, and those that do not are moved seldom. */
const ROOM_MIN = 256;

/**
 * The descriptor of a connected socket, or null. Both runtimes keep it in the handle, which has no
 * public name; without it a peer's credentials cannot be asked for.
 */
export function descriptorOf(socket: Socket): Fd | null {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? (fd as Fd) : null;
}
