/**
 * One FIFO a service for what it prints. PID 1 holds every one open for reading and writing, for
 * ever: neither the service nor the logger ever sees end-of-file or EPIPE, and what is in the pipe
 * survives the death of either, and a re-exec.
 */
import { constants, lstatSync, unlinkSync } from 'node:fs';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo } from './let-go.ts';

export class Fifos {
  readonly #kernel: Kernel;
  readonly #directory: string;
  readonly #held = new Map<string, Fd>();

  /** Hears of each descriptor that is held, and with null of one that is not any more. */
  readonly #note: (name: string, fd: Fd | null) => void;

  constructor(kernel: Kernel, directory: string, note: (name: string, fd: Fd | null) => void) {
    this.#kernel = kernel;
    this.#directory = directory;
    this.#note = note;
  }

  pathOf(name: string): string {
    return `${this.#directory}/${name}`;
  }

  /** Makes and holds the FIFO of `name` on first use. */
  hold(name: string): Fd {
    const known = this.#held.get(name);
    if (known !== undefined) return known;
    const path = this.pathOf(name);
    if (!isFifo(path)) this.#kernel.mkfifo(path, 0o600);
    const fd = this.#kernel.open(path, constants.O_RDWR | constants.O_NONBLOCK);
    try {
      // Held over every exec, planned or not; children are started without it all the same.
      this.#kernel.setCloexec(fd, false);
    } catch (error) {
      letGo(this.#kernel, fd);
      throw error;
    }
    this.#held.set(name, fd);
    this.#note(name, fd);
    return fd;
  }

  /** Descriptors by name, for the next image. */
  held(): ReadonlyMap<string, Fd> {
    return this.#held;
  }

  /**
   * Takes over what the image before held; what turns out not to be there is opened anew.
   * @throws {SysError} when neither can be done: the service's next start tries again.
   */
  adopt(name: string, fd: Fd): void {
    try {
      this.#kernel.setCloexec(fd, false);
      this.#held.set(name, fd);
    } catch {
      letGo(this.#kernel, fd);
      this.hold(name);
    }
  }

  /** The service is no longer defined and at rest. The logger drains what it has open. */
  release(name: string): void {
    const fd = this.#held.get(name);
    if (fd === undefined) return;
    this.#held.delete(name);
    this.#note(name, null);
    letGo(this.#kernel, fd);
    unlinkSync(this.pathOf(name));
  }
}

/** Whatever else is in the place of a FIFO is removed: the directory is ours alone. */
function isFifo(path: string): boolean {
  const found = lstatSync(path, { throwIfNoEntry: false });
  if (found === undefined) return false;
  if (found.isFIFO()) return true;
  unlinkSync(path);
  return false;
}
