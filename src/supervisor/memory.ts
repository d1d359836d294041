/**
 * The memory ceiling: an image that has grown too large hands over to a fresh one, which costs some
 * milliseconds and nobody a connection. Nothing is known here of where the memory went.
 */
import type { Millis } from '../core/units.ts';

export type MemoryPorts = {
  readonly now: () => Millis;
  /** Resident memory of this process, in bytes. */
  readonly resident: () => number;
  /** Replaces this image; `reason` is for people. */
  readonly replace: (reason: string) => void;
};

const MIB: number = 1024 * 1024;
/** Ordinary images stay far below it, with a thousand services too. */
const CEILING_BYTES: number = 128 * MIB;
/** By then a fresh image has loaded what it needs; that much again it may grow. */
const SETTLED_AFTER_MS = 5000;

export class Memory {
  readonly #ports: MemoryPorts;
  readonly #beganAt: Millis;
  #ceiling: number | null = null;
  #isBlind = false;

  constructor(ports: MemoryPorts) {
    this.#ports = ports;
    this.#beganAt = ports.now();
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
    this.#ceiling ??= Math.max(CEILING_BYTES, 2 * resident);
    if (resident <= this.#ceiling) return;
    const [is, may] = [resident, this.#ceiling].map((bytes) => Math.round(bytes / MIB));
    this.#ceiling = null;
    this.#ports.replace(
      `svinit has grown to ${is} MiB, more than ${may} MiB: a fresh image goes on`,
    );
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
