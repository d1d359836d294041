/**
 * What time it is, as text at the head of a record and as the label of an archive. Which bytes get
 * which time is the caller's.
 */
import { MARKS, STAMP_CHARS } from '../core/logline.ts';

/** Milliseconds: `wall` since 1970, whole; `fine` since any beginning, with a fraction. */
export type Clocks = { wall(): number; fine(): number };

export const SYSTEM_CLOCKS: Clocks = { wall: () => Date.now(), fine: () => performance.now() };

/**
 * The clock of all records: follows the wall clock wherever it goes, and within its milliseconds
 * the fine one, so that what was read first sorts first among all services.
 */
export class Stamper {
  /** `2026-11-21T00:10:00.123456Z ` as of the last `tick`: stamp and the mark of a whole line. */
  readonly head: Buffer = Buffer.alloc(STAMP_CHARS + 1, MARKS.line);
  readonly #clocks: Clocks;
  #offset: number;
  #wall = Number.NaN;

  constructor(clocks: Clocks = SYSTEM_CLOCKS) {
    this.#clocks = clocks;
    this.#offset = clocks.wall() - clocks.fine();
    this.tick();
  }

  /** Takes the time into `head`; gives milliseconds since 1970 with a fraction. */
  tick(): number {
    const wall = Math.min(Math.max(this.#clocks.wall(), 0), WALL_MAX);
    let now = this.#clocks.fine() + this.#offset;
    if (now < wall || now >= wall + 1) {
      this.#offset += wall - now;
      now = wall;
    }
    if (wall !== this.#wall) {
      this.#wall = wall;
      this.head.write(new Date(wall).toISOString(), 0, MILLIS_END, 'latin1');
    }
    this.#putMicros(Math.floor((now - wall) * 1000));
    return now;
  }

  #putMicros(micros: number): void {
    this.head[MILLIS_END] = ZERO + Math.floor(micros / 100);
    this.head[MILLIS_END + 1] = ZERO + (Math.floor(micros / 10) % 10);
    this.head[MILLIS_END + 2] = ZERO + (micros % 10);
    this.head[MILLIS_END + 3] = Z;
  }
}

/** TAI64N as s6 writes it: 16 hexadecimal digits of seconds, 8 of nanoseconds. */
export function tai64n(timeMs: number): string {
  const seconds = Math.floor(timeMs / 1000);
  return label(TAI_EPOCH + BigInt(seconds), Math.floor((timeMs - seconds * 1000) * 1e6));
}

/** The label one nanosecond later. */
export function nextLabel(after: string): string {
  const seconds = BigInt(`0x${after.slice(0, 16)}`);
  const nanos = Number.parseInt(after.slice(16), 16) + 1;
  return nanos < 1e9 ? label(seconds, nanos) : label(seconds + 1n, 0);
}

/** The end of year 9999, the last that four digits hold. */
const WALL_MAX: number = Date.UTC(10000, 0, 1) - 1;

/** Length of `2026-11-21T00:10:00.123`. */
const MILLIS_END: number = STAMP_CHARS - 4;

const ZERO = 0x30;
const Z = 0x5a;

/** 2^62, and 10 + 27 leap seconds since 2017 (skalibs tai_from_timeval with its leap table). */
const TAI_EPOCH = 2n ** 62n + 37n;

function label(seconds: bigint, nanos: number): string {
  return seconds.toString(16).padStart(16, '0') + nanos.toString(16).padStart(8, '0');
}
