/**
 * The log of a terminal: its lines go into the FIFO of the service. While nobody reads that, lines
 * are kept up to a limit, then dropped and counted: the program on a terminal never waits for a
 * log.
 */
import { TerminalText } from '../core/terminal-text.ts';
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Reactor } from './reactor.ts';

type SinkKernel = Pick<Kernel, 'open' | 'write'>;

/** Bytes kept for a log that is not read. */
export const PENDING_BYTES_MAX: number = 1024 * 1024;

const NEWLINE = 0x0a;

export class Sink {
  readonly #kernel: SinkKernel;
  readonly #reactor: Reactor;
  readonly #path: string;
  /** Null until the FIFO is there: PID 1 makes it when it starts the program. */
  #fd: Fd | null = null;
  readonly #text = new TerminalText();
  #pending: Uint8Array = new Uint8Array();
  #dropped = 0;

  constructor(kernel: SinkKernel, reactor: Reactor, path: string) {
    this.#kernel = kernel;
    this.#reactor = reactor;
    this.#path = path;
  }

  /** What the terminal has printed. */
  push(bytes: Uint8Array): void {
    this.#keep(this.#text.push(bytes));
    this.#flush();
  }

  /** The program is gone: what it left without an end is a line. */
  finish(): void {
    this.#keep(this.#text.finish());
    this.#flush();
  }

  #keep(lines: Uint8Array): void {
    if (this.#pending.length + lines.length > PENDING_BYTES_MAX) {
      this.#dropped += lines.filter((byte) => byte === NEWLINE).length;
      return;
    }
    this.#pending = Buffer.concat([this.#pending, lines]);
  }

  #flush(): void {
    while (this.#pending.length > 0) {
      const count = this.#write();
      if (count === null) return;
      this.#pending = this.#pending.subarray(count);
      if (this.#pending.length > 0 || this.#dropped === 0) continue;
      this.#pending = Buffer.from(`svpty: ${this.#dropped} lines dropped: the log was not read\n`);
      this.#dropped = 0;
    }
  }

  /** Null: it takes nothing now, or is not there. */
  #write(): number | null {
    try {
      this.#fd ??= this.#open();
      return this.#kernel.write(this.#fd, this.#pending);
    } catch {
      return null;
    }
  }

  #open(): Fd {
    const fd = this.#kernel.open(this.#path, O.WRONLY | O.NONBLOCK);
    this.#reactor.add(fd, () => this.#flush());
    return fd;
  }
}
