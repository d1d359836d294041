/**
 * The memory of this image: what only the start or a burst of work needed is given back, and an
 * image that has grown too large all the same hands over to a fresh one, which costs some
 * milliseconds and nobody a connection. Nothing is known here of where the memory went.
 */
import type { Millis } from '../core/units.ts';

export type MemoryPorts = {
  readonly now: () => Millis;
  /** Resident memory of this process, in bytes. */
  readonly resident: () => number;
  /** Gives back what is not used any more, and can be had again. */
  readonly giveBack: () => void;
  /** Replaces this image; `reason` is for people. */
  readonly replace: (reason: string) => void;
};

const MIB: number = 1024 * 1024;
/** Ordinary images stay far below it, with a thousand services too. */
const CEILING_BYTES: number = 128 * MIB;
/** By then a fresh image has loaded what it needs; that much again it may grow. */
const FRESH_FOR_MS = 5000;
/** A quarter more than after the last time is worth some milliseconds, now and then. */
const GROWN = 1.25;
const GIVE_BACK_EVERY_MS = 10_000;
/** When all is up, what only the start needed waits so long: somebody may be about to ask. */
const SETTLED_MS = 500;

export class Memory {
  readonly #ports: MemoryPorts;
  readonly #beganAt: Millis;
  #ceiling: number | null = null;
  /** What was left the last time, and is in use; null: that has not been looked at yet. */
  #usual: number | null = null;
  #gaveBackAt: number | null = null;
  #isBlind = false;

  constructor(ports: MemoryPorts) {
    this.#ports = ports;
    this.#beganAt = ports.now();
  }

  /** Everything wanted has had its chance: soon the start is over. */
  booted(): void {
    setTimeout(() => this.#giveBack(), SETTLED_MS);
  }

  /**
   * Called from the reconcile tick. What a fresh image needs is no growth: one that is large from
   * the beginning has a higher ceiling, or it would be replaced for ever.
   * @throws {Error} when it cannot be told, and only the first time: it is asked every second.
   */
  look(): void {
    if (this.#ports.now() - this.#beganAt < FRESH_FOR_MS) return;
    const before = this.#resident();
    if (before === null) return;
    this.#ceiling ??= Math.max(CEILING_BYTES, 2 * before);
    const resident = this.#tidied(before, this.#ceiling);
    if (resident <= this.#ceiling) return;
    const [is, may] = [resident, this.#ceiling].map((bytes) => Math.round(bytes / MIB));
    this.#ceiling = null;
    this.#ports.replace(
      `svinit has grown to ${is} MiB, more than ${may} MiB: a fresh image goes on`,
    );
  }

  /** What is left of `resident`. A runtime that is mostly idle seldom collects by itself. */
  #tidied(resident: number, ceiling: number): number {
    const before = this.#gaveBackAt;
    if (before !== null) this.#usual ??= resident;
    const isDue = before === null || this.#ports.now() - before >= GIVE_BACK_EVERY_MS;
    const isMore = this.#usual === null || resident >= this.#usual * GROWN;
    if (resident <= ceiling && !(isDue && isMore)) return resident;
    this.#giveBack();
    return this.#resident() ?? resident;
  }

  #giveBack(): void {
    this.#usual = null;
    this.#gaveBackAt = this.#ports.now();
    this.#ports.giveBack();
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
