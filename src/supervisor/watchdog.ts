/**
 * The machine's watchdog (linux/Documentation/watchdog/watchdog-api.rst), when there is one: fed
 * only after a look at the world that went well, so that a svinit that cannot look any more, in
 * whatever image, ends in a reset of the machine. Closing it does not stop it: the next image opens
 * it again.
 */
import { constants, readdirSync } from 'node:fs';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { wordsOf } from './let-go.ts';

export type WatchdogPorts = {
  readonly kernel: Pick<Kernel, 'close' | 'open' | 'write' | 'setWatchdogTimeout'>;
  readonly info: (text: string) => void;
  readonly warn: (text: string) => void;
};

const DEVICE = '/dev/watchdog';
/** A way down takes as long at most: services, then sync and unmounting (halt.ts). */
const DOWN_WITHIN_S = 180;
/** Any byte but `V`, which would let it be closed for good. */
const FOOD: Uint8Array = Uint8Array.of(0);
const GOODBYE: Uint8Array = new TextEncoder().encode('V');

export class Watchdog {
  readonly #ports: WatchdogPorts;
  #fd: Fd | null = null;
  /** What is asked of a device that is not there yet; 0: nothing, or it is somebody else's. */
  #awaited = 0;
  #refusal = 'nobody asked for it';

  constructor(ports: WatchdogPorts) {
    this.#ports = ports;
  }

  /** Why it is not fed; null: it is. */
  get lacking(): string | null {
    return this.#fd === null ? this.#refusal : null;
  }

  /** There is no such device, or not yet. */
  get isMissing(): boolean {
    return this.#awaited > 0;
  }

  /** Begins to feed it, once it is there: `seconds` without food are a reset. */
  open(seconds: number): void {
    const { kernel, info, warn } = this.#ports;
    this.#awaited = 0;
    try {
      this.#fd = kernel.open(DEVICE, constants.O_WRONLY);
      const granted = kernel.setWatchdogTimeout(this.#fd, seconds);
      info(`the watchdog resets the machine after ${granted} s without svinit`);
    } catch (error) {
      this.#refusal = wordsOf(error);
      if (!isMissing(error)) warn(this.#refusal);
      else if (this.#fd === null) this.#awaited = seconds;
    }
  }

  /** The world was looked at; now the root has to answer too. Drivers may be loaded by services. */
  feed(): void {
    if (this.#awaited > 0) this.open(this.#awaited);
    if (this.#fd === null) return;
    readdirSync('/');
    this.#ports.kernel.write(this.#fd, FOOD);
  }

  /** Nobody feeds it on the way down, which takes its time and may hang. */
  goDown(): void {
    if (this.#fd === null) return;
    try {
      this.#ports.kernel.setWatchdogTimeout(this.#fd, DOWN_WITHIN_S);
      this.#ports.kernel.write(this.#fd, FOOD);
    } catch (error) {
      this.#ports.warn(wordsOf(error));
    }
  }

  /** The next PID 1 may know nothing of it: it must not reset a machine that is well. */
  disarm(): void {
    if (this.#fd === null) return;
    try {
      this.#ports.kernel.write(this.#fd, GOODBYE);
      this.#ports.kernel.close(this.#fd);
    } catch (error) {
      this.#ports.warn(wordsOf(error));
    }
    this.#fd = null;
  }
}

function isMissing(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error ? error.code : '';
  return code === 'ENOENT' || code === 'ENXIO' || code === 'ENODEV';
}
