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
  #held: Uint8Array[] = [];
  #length = 0;

  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  isEmpty(): boolean {
    return this.#length === 0;
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
    this.#length += rest.length;
    if (this.#length > this.#bytesMax) {
      this.#held = [];
      return [...lines, 'too long'];
    }
    // Copied: the runtime may use its buffer again before the rest of the line arrives.
    if (rest.length > 0) this.#held.push(rest.slice());
    return lines;
  }

  #take(last: Uint8Array): Line {
    const length = this.#length + last.length;
    const parts = [...this.#held, last];
    this.#held = [];
    this.#length = 0;
    if (length > this.#bytesMax) return 'too long';
    const whole = new Uint8Array(length);
    let at = 0;
    for (const part of parts) {
      whole.set(part, at);
      at += part.length;
    }
    try {
      return { text: this.#decoder.decode(whole) };
    } catch {
      return 'not UTF-8';
    }
  }
}

/**
 * The descriptor of a connected socket, or null. Both runtimes keep it in the handle, which has no
 * public name; without it a peer's credentials cannot be asked for.
 */
export function descriptorOf(socket: Socket): Fd | null {
  const { _handle: handle } = socket as unknown as { _handle?: { fd?: number } | null };
  const fd = handle?.fd;
  return typeof fd === 'number' && fd >= 0 ? (fd as Fd) : null;
}
