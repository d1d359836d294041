/**
 * The memory ceiling: an image that has grown too large hands over to a fresh one, which costs some
 * milliseconds and nobody a connection. Nothing is known here of where the memory went.
 */
import type { Millis } from '../core/units.ts';

export type MemoryPorts = {
  readonly now: () => Millis;
  /** Resident memory of this process, in bytes. */
  readonly resident: () => number;
  /** Gives back what is not used any more, as far as the runtime does that for who asks. */
  readonly collect: () => void;
  /** Replaces this image; `reason` is for people. */
  readonly replace: (reason: string) => void;
};

const MIB: number = 1024 * 1024;
/** Ordinary images stay far below it, with a thousand services too. */
const CEILING_BYTES: number = 128 * MIB;
/** By then a fresh image has loaded what it needs; that much again it may grow. */
const SETTLED_AFTER_MS = 5000;
/** A twentieth more than at its least is worth some milliseconds of collecting, now and then. */
const GROWN = 1.05;
const COLLECT_EVERY_MS = 10_000;

export class Memory {
  readonly #ports: MemoryPorts;
  readonly #beganAt: Millis;
  #ceiling: number | null = null;
  #least = Infinity;
  #collectedAt: Millis;
  #isBlind = false;

  constructor(ports: MemoryPorts) {
    this.#ports = ports;
    this.#beganAt = ports.now();
    this.#collectedAt = this.#beganAt;
  }

  /**
   * Called from the reconcile tick. What a fresh image needs is no growth: one that is large from
   * the beginning has a higher ceiling, or it would be replaced for ever.
   * @throws {Error} when it cannot be told, and only the first time: it is asked every second.
   */
  look(): void {
    if (this.#ports.now() - this.#beganAt < SETTLED_AFTER_MS) return;
    const resident = this.#resident();
    if (resident === null) return;
    this.#tidy(resident);
    this.#ceiling ??= Math.max(CEILING_BYTES, 2 * resident);
    if (resident <= this.#ceiling) return;
    const [is, may] = [resident, this.#ceiling].map((bytes) => Math.round(bytes / MIB));
    this.#ceiling = null;
    this.#ports.replace(
      `svinit has grown to ${is} MiB, more than ${may} MiB: a fresh image goes on`,
    );
  }

  /** A runtime that is mostly idle seldom collects by itself. */
  #tidy(resident: number): void {
    const now = this.#ports.now();
    this.#least = Math.min(this.#least, resident);
    if (resident < this.#least * GROWN || now - this.#collectedAt < COLLECT_EVERY_MS) return;
    this.#collectedAt = now;
    this.#ports.collect();
  }

  /** Both runtimes read it in /proc, which may be gone. */
  #resident(): number | null {
    try {
      const resident = this.#ports.resident();
      this.#isBlind = false;
      return resident;
    } catch (error) {
      if (this.#isBlind) return null;
      this.#isBlind = true;
      throw error;
    }
  }
}
