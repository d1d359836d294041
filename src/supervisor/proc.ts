/**
 * /proc of a machine, which somebody may unmount. Services run on without it, but definitions
 * cannot be read, no runtime starts as it should, and svctl is a program of one: so it is mounted
 * again.
 */
import { existsSync } from 'node:fs';
import type { Kernel } from '../sys/kernel.ts';
import { OWN_FILE } from './reexec.ts';

export type ProcPorts = {
  readonly kernel: Pick<Kernel, 'mount'>;
  /** For people and for the log. */
  readonly warn: (text: string) => void;
};

export class Proc {
  readonly #ports: ProcPorts;
  #isMissed = false;

  constructor(ports: ProcPorts) {
    this.#ports = ports;
  }

  /**
   * Called from the reconcile tick.
   * @throws {SysError} what refuses the mount, the first time only: it is tried every second.
   */
  look(): void {
    // The image has a regular file proc/self/maps below it, but no link to a program.
    if (existsSync(OWN_FILE)) {
      this.#isMissed = false;
      return;
    }
    const flags = ['nosuid', 'nodev', 'noexec'] as const;
    try {
      this.#ports.kernel.mount({ source: 'proc', target: '/proc', type: 'proc', flags, data: '' });
      this.#ports.warn('/proc was gone and is mounted again');
    } catch (error) {
      if (this.#isMissed) return;
      this.#isMissed = true;
      throw error;
    }
  }
}
