/**
 * Descriptors that are kept for services: over their restarts, and over every exec of svinit. Each
 * is noted as it is taken and as it is let go. What they are good for is not known here.
 */
import { fstatSync } from 'node:fs';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo } from './let-go.ts';

export type Holding = {
  readonly service: string;
  readonly fd: Fd;
  /** What a socket was opened as; null: the service has left it. */
  readonly socket: string | null;
  /** What the service calls what it has left; of a socket that is a file, which one that is. */
  readonly name: string;
  /** Let go when its other end is gone. */
  readonly isPolled: boolean;
  /** Which file it is, so that no other is taken for it. */
  readonly file: string;
};

export class Holdings {
  readonly #kernel: Kernel;
  /** Hears of each that is taken, and with null of its end. */
  readonly #note: (fd: Fd, holding: Holding | null) => void;
  readonly #held = new Map<Fd, Holding>();
  /** The same by service: each is asked for whenever it moves. */
  readonly #own = new Map<string, Set<Holding>>();

  constructor(kernel: Kernel, note: (fd: Fd, holding: Holding | null) => void) {
    this.#kernel = kernel;
    this.#note = note;
  }

  /** For the next image. */
  held(): readonly Holding[] {
    return [...this.#held.values()];
  }

  of(service: string): readonly Holding[] {
    return [...(this.#own.get(service) ?? [])];
  }

  services(): ReadonlySet<string> {
    return new Set(this.#own.keys());
  }

  /**
   * Keeps `fd`, which is close-on-exec until it has been noted: an image that dies in between
   * leaves none that nobody knows of. It is closed when it cannot be kept.
   */
  take(taken: Omit<Holding, 'file'>): Holding {
    const { fd } = taken;
    try {
      const holding = { ...taken, file: fileOf(fd) };
      this.#note(fd, holding);
      this.#enter(holding);
      this.#kernel.setCloexec(fd, false);
      return holding;
    } catch (error) {
      this.#leave(fd);
      this.#note(fd, null);
      letGo(this.#kernel, fd);
      throw error;
    }
  }

  /** Goes on with one of the image before, if it is what it was. */
  adopt(holding: Holding): void {
    const { fd, file } = holding;
    try {
      if (fileOf(fd) !== file) return;
      this.#kernel.setCloexec(fd, false);
      this.#enter(holding);
    } catch {
      // That image died before it was kept for good.
    }
  }

  letGo({ fd }: Holding): void {
    if (!this.#leave(fd)) return;
    this.#note(fd, null);
    letGo(this.#kernel, fd);
  }

  #enter(holding: Holding): void {
    const { fd, service } = holding;
    this.#leave(fd);
    this.#held.set(fd, holding);
    this.#own.set(service, (this.#own.get(service) ?? new Set()).add(holding));
  }

  /** Whether it was held. */
  #leave(fd: Fd): boolean {
    const holding = this.#held.get(fd);
    if (holding === undefined) return false;
    this.#held.delete(fd);
    const own = this.#own.get(holding.service);
    own?.delete(holding);
    if (own?.size === 0) this.#own.delete(holding.service);
    return true;
  }
}

/** Device and inode; the same for all files that have none of their own (eventfd, epoll). */
export function fileOf(fd: Fd): string {
  const { dev, ino } = fstatSync(fd);
  return `${dev}:${ino}`;
}
