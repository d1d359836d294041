/**
 * Raw descriptors that may become readable, watched without the runtime's loop: each raises SIGIO
 * (fcntl(2), O_ASYNC) as a hint, and one epoll set says which it was. Works the same on both
 * runtimes, and a lost hint is made up for by the next reconcile tick.
 */
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';

/** EPOLLIN of sys/epoll.h; an error or hang-up is always reported as well. */
const EPOLLIN = 0x001;
/** Ready descriptors taken from the kernel at once. */
const BATCH = 64;

export class Watch {
  readonly #kernel: Kernel;
  readonly #epoll: Fd;
  readonly #handlers = new Map<Fd, () => void>();

  constructor(kernel: Kernel) {
    this.#kernel = kernel;
    this.#epoll = kernel.epollCreate();
  }

  /** Calls `readable` from `sweep` whenever `fd` has something to read, until it is dropped. */
  add(fd: Fd, readable: () => void): void {
    this.#kernel.setAsync(fd, this.#kernel.getpid());
    this.#kernel.epollAdd(this.#epoll, fd, EPOLLIN);
    this.#handlers.set(fd, readable);
  }

  /** Forgets `fd` and closes it. */
  drop(fd: Fd): void {
    if (!this.#handlers.delete(fd)) return;
    this.#kernel.epollRemove(this.#epoll, fd);
    this.#kernel.close(fd);
  }

  /** Serves everything that is readable now; never waits. */
  sweep(): void {
    if (this.#handlers.size === 0) return;
    for (;;) {
      const ready = this.#kernel.epollWait(this.#epoll, 0, BATCH);
      for (const { fd } of ready) this.#handlers.get(fd)?.();
      if (ready.length < BATCH) return;
    }
  }
}
