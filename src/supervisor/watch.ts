/**
 * Raw descriptors that may become readable, watched without the runtime's loop: each raises SIGIO
 * (fcntl(2), O_ASYNC) as a hint, and one epoll set says which it was. Works the same on both
 * runtimes, and a lost hint is made up for by the next reconcile tick.
 */
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo, wordsOf } from './let-go.ts';

/** EPOLLIN of sys/epoll.h; an error or hang-up is always reported as well. */
const EPOLLIN = 0x001;
/** Ready descriptors taken from the kernel at once. */
const BATCH = 64;

export class Watch {
  readonly #kernel: Kernel;
  readonly #warn: (text: string) => void;
  readonly #gather: (act: () => void) => void;
  /** Null as long as it cannot be made. */
  #epoll: Fd | null = null;
  readonly #handlers = new Map<Fd, () => void>();
  /** Those that could not be watched, for want of a resource: tried again with every sweep. */
  readonly #unwatched = new Set<Fd>();
  #isDue = false;

  /** @param gather Around the handlers of all that is ready at once. */
  constructor(
    kernel: Kernel,
    warn: (text: string) => void,
    gather: (act: () => void) => void = (act) => act(),
  ) {
    this.#kernel = kernel;
    this.#warn = warn;
    this.#gather = gather;
    this.#attempt(() => this.#set());
  }

  /**
   * Calls `readable` from `sweep` whenever `fd` has something to read, until it is dropped. What
   * goes wrong is told and made up for later: nothing is thrown, for the caller's child runs.
   */
  add(fd: Fd, readable: () => void): void {
    this.#handlers.set(fd, readable);
    this.#begin(fd);
    this.#lookSoon();
  }

  /** Forgets `fd` and closes it, which ends the watch as well (epoll(7), Q6). */
  drop(fd: Fd): void {
    this.#unwatched.delete(fd);
    if (this.#handlers.delete(fd)) letGo(this.#kernel, fd);
  }

  /** Forgets `fd` and leaves it open: it blocks again, and signals nobody. */
  release(fd: Fd): void {
    const isWatched = !this.#unwatched.delete(fd);
    if (!this.#handlers.delete(fd)) return;
    this.#attempt(() => {
      // Whoever shares the open file keeps it in the set otherwise, and us awake (epoll(7), Q6).
      if (isWatched && this.#epoll !== null) this.#kernel.epollRemove(this.#epoll, fd);
      this.#kernel.setBlocking(fd);
    });
  }

  /** Serves everything that is readable now; never waits. */
  sweep(): void {
    if (this.#handlers.size === 0) return;
    for (const fd of this.#unwatched) this.#begin(fd);
    while (this.#epoll !== null) {
      const ready = this.#kernel.epollWait(this.#epoll, 0, BATCH);
      if (ready.length > 0) this.#gather(() => this.#serveAll(ready));
      if (ready.length < BATCH) return;
    }
  }

  /** What came before the signal was asked for raised none. */
  #lookSoon(): void {
    if (this.#isDue) return;
    this.#isDue = true;
    setImmediate(() => {
      this.#isDue = false;
      this.#attempt(() => this.sweep());
    });
  }

  #begin(fd: Fd): void {
    this.#unwatched.add(fd);
    this.#attempt(() => {
      this.#kernel.setAsync(fd, this.#kernel.getpid());
      this.#kernel.epollAdd(this.#set(), fd, EPOLLIN);
      this.#unwatched.delete(fd);
    });
  }

  #set(): Fd {
    this.#epoll ??= this.#kernel.epollCreate();
    return this.#epoll;
  }

  #attempt(act: () => void): void {
    try {
      act();
    } catch (error) {
      this.#warn(wordsOf(error));
    }
  }

  #serveAll(ready: readonly { readonly fd: Fd }[]): void {
    for (const { fd } of ready) this.#serve(fd);
  }

  /** One that cannot be read keeps no other from being served. */
  #serve(fd: Fd): void {
    try {
      this.#handlers.get(fd)?.();
    } catch (error) {
      this.#warn(wordsOf(error));
    }
  }
}
