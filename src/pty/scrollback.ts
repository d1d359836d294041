/**
 * The last of what a terminal has printed, for whoever comes later. It knows no lines: what it
 * gives begins behind the first newline that is left, so that no sequence is cut in two.
 */

/** Bytes kept of one terminal. */
export const SCROLLBACK_BYTES: number = 64 * 1024;

const NEWLINE = 0x0a;

export class Scrollback {
  readonly #ring = new Uint8Array(SCROLLBACK_BYTES);
  /** How many bytes have come, ever. */
  #total = 0;

  push(bytes: Uint8Array): void {
    const kept = bytes.subarray(Math.max(0, bytes.length - SCROLLBACK_BYTES));
    const at = (this.#total + bytes.length - kept.length) % SCROLLBACK_BYTES;
    const first = kept.subarray(0, SCROLLBACK_BYTES - at);
    this.#ring.set(first, at);
    this.#ring.set(kept.subarray(first.length), 0);
    this.#total += bytes.length;
  }

  /** What is kept, oldest first. */
  contents(): Uint8Array {
    const at = this.#total % SCROLLBACK_BYTES;
    if (this.#total <= SCROLLBACK_BYTES) return this.#ring.slice(0, this.#total);
    const all = new Uint8Array(SCROLLBACK_BYTES);
    all.set(this.#ring.subarray(at));
    all.set(this.#ring.subarray(0, at), SCROLLBACK_BYTES - at);
    return all.subarray(all.indexOf(NEWLINE) + 1);
  }
}
