/**
 * One connection: frames in, frames out, and how far it is behind. What is said is the caller's.
 */
import { encodeFrame, type Frame, FrameReader, type WindowSize } from '../core/terminal-frames.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

export type ViewerKernel = Pick<Kernel, 'close' | 'monotonic' | 'read' | 'shutdownWrite' | 'write'>;

const READ_BYTES = 16 * 1024;

export class Viewer {
  readonly fd: Fd;
  readonly since: number;
  readOnly = false;
  /** Null: no window, or it has not said. */
  size: WindowSize | null = null;
  readonly #kernel: ViewerKernel;
  readonly #reader = new FrameReader();
  readonly #buffer = new Uint8Array(READ_BYTES);
  #queue: Uint8Array[] = [];
  #queued = 0;
  #progressAt: number;
  #isFinished = false;

  constructor(kernel: ViewerKernel, fd: Fd) {
    this.#kernel = kernel;
    this.fd = fd;
    this.since = kernel.monotonic();
    this.#progressAt = this.since;
  }

  /** Bytes that it has not taken yet. */
  get queued(): number {
    return this.#queued;
  }

  /** Milliseconds for which it has taken nothing although there was something. */
  get stalledMs(): number {
    return this.#queued === 0 ? 0 : this.#kernel.monotonic() - this.#progressAt;
  }

  /**
   * Frames that are complete with what has come, maybe none; null: it is gone.
   * @throws {Error} when what came is not a frame.
   */
  read(): readonly Frame[] | 'nothing' | null {
    const count = this.#attempt(() => this.#kernel.read(this.fd, this.#buffer));
    if (count === 'gone' || count === 0) return null;
    return count === null ? 'nothing' : this.#reader.push(this.#buffer.subarray(0, count));
  }

  /** Takes what has come and forgets it; false: it is gone. */
  discard(): boolean {
    for (;;) {
      const count = this.#attempt(() => this.#kernel.read(this.fd, this.#buffer));
      if (count === null) return true;
      if (count === 0 || count === 'gone') return false;
    }
  }

  /** Nothing more is sent: it reads to the end, and leaves. */
  finish(): void {
    if (!this.#isFinished) this.#kernel.shutdownWrite(this.fd);
    this.#isFinished = true;
  }

  /** Queues `frame`, and writes what goes out at once. */
  send(frame: Frame): void {
    const bytes = encodeFrame(frame);
    if (this.#queued === 0) this.#progressAt = this.#kernel.monotonic();
    this.#queue.push(bytes);
    this.#queued += bytes.length;
    this.flush();
  }

  /** Writes what is queued; false: it is gone. */
  flush(): boolean {
    for (let first = this.#queue[0]; first !== undefined; first = this.#queue[0]) {
      const bytes = first;
      const count = this.#attempt(() => this.#kernel.write(this.fd, bytes));
      if (count === 'gone') return false;
      if (count === null) return true;
      this.#progressAt = this.#kernel.monotonic();
      this.#queued -= count;
      if (count === bytes.length) this.#queue.shift();
      else this.#queue[0] = bytes.subarray(count);
    }
    return true;
  }

  close(): void {
    this.#queue = [];
    this.#queued = 0;
    this.#kernel.close(this.fd);
  }

  /** EPIPE and ECONNRESET are how a viewer leaves. */
  #attempt(act: () => number | null): number | null | 'gone' {
    try {
      return act();
    } catch {
      return 'gone';
    }
  }
}
