/**
 * One image of svinit hands over to the next: when the state is whole, what goes along, and the
 * answer to whoever asked for it.
 */
import { encodeCheckpoint } from '../core/checkpoint.ts';
import { EXIT, encodeResult, refusal } from '../core/protocol.ts';
import type { Asker, System } from '../core/system.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Control } from './control.ts';
import type { Fifos } from './fifos.ts';
import type { Journal } from './journal.ts';
import type { Loop } from './loop.ts';
import { type Legacy, replaceSelf, type Self } from './reexec.ts';
import type { Spawner } from './spawn.ts';

export type HandoverPorts = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly self: Self;
  readonly journal: Journal;
  readonly loop: Loop;
  readonly fifos: Fifos;
  readonly spawner: Spawner;
  readonly control: Control;
};

export class Handover {
  readonly #ports: HandoverPorts;

  constructor(ports: HandoverPorts) {
    this.#ports = ports;
  }

  /** Replaces this image as soon as the state is whole; if that fails, this image goes on. */
  begin(asker: Asker | null): void {
    const { loop, journal, control } = this.#ports;
    // With a spawn under way the state is not whole: its pid is known in a moment.
    if (!loop.isQuiet()) {
      setImmediate(() => this.begin(asker));
      return;
    }
    loop.stop();
    try {
      this.#replace(asker);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      journal.error(`Re-exec failed, the present image goes on: ${reason}`);
      loop.resume();
      if (asker !== null) control.refuse(asker, refusal(EXIT.failed, reason));
    }
  }

  /**
   * Replaces this image at once, whatever is under way.
   * @throws {SysError} when the exec failed.
   */
  now(): void {
    this.#ports.loop.stop();
    this.#replace(null);
  }

  /** The new image's first act: it says that it is there, and answers who asked for it. */
  complete(legacy: Legacy): void {
    const { kernel, system, journal } = this.#ports;
    journal.info(`image ${system.image} goes on`, { pids: system.pids.size });
    const { asker } = legacy;
    if (asker === null) return;
    const line = encodeResult(asker.id, { image: system.image });
    kernel.write(asker.fd, new TextEncoder().encode(line));
    kernel.close(asker.fd);
  }

  #replace(asker: Asker | null): never {
    const { kernel, self } = this.#ports;
    return replaceSelf(kernel, self, this.#legacyFor(asker));
  }

  #legacyFor(asker: Asker | null): Legacy {
    const { system, fifos, spawner, control } = this.#ports;
    const client = asker === null ? null : control.descriptorOf(asker.client);
    return {
      system: encodeCheckpoint(system),
      fifos: [...fifos.held()],
      notifications: [...spawner.notifications()],
      listeners: control.listeners(),
      asker: asker === null || client === null ? null : { fd: client, id: asker.id },
    };
  }
}
