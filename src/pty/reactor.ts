/**
 * The loop of svpty: waits in the kernel for descriptors and calls who asked for them. Everything
 * is edge-triggered: who is called reads or writes until the kernel has nothing more, or asks to be
 * called again. The runtime's own loop runs in between, because only there do signals become known.
 */
import type { Fd } from '../core/units.ts';
import { EPOLL } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';

/** A signal that comes between the runtime's loop and the wait is seen this much later at most. */
export const WAIT_MS = 1000;

/** Descriptors told of in one turn; the others come next. */
const READY_MAX = 64;

type ReactorKernel = Pick<Kernel, 'epollAdd' | 'epollCreate' | 'epollRemove' | 'epollWait'>;

export class Reactor {
  readonly #kernel: ReactorKernel;
  readonly #epoll: Fd;
  readonly #handlers = new Map<Fd, () => void>();
  #again = new Set<() => void>();

  constructor(kernel: ReactorKernel) {
    this.#kernel = kernel;
    this.#epoll = kernel.epollCreate();
  }

  /** Calls `handler` whenever `fd` can be read or written again, or has come to its end. */
  add(fd: Fd, handler: () => void): void {
    const events = EPOLL.IN | EPOLL.OUT | EPOLL.RDHUP | EPOLL.ET;
    this.#kernel.epollAdd(this.#epoll, fd, events);
    this.#handlers.set(fd, handler);
  }

  /** To be called before `fd` is closed. */
  remove(fd: Fd): void {
    if (this.#handlers.delete(fd)) this.#kernel.epollRemove(this.#epoll, fd);
  }

  /** There is more to do than one turn should take. */
  again(act: () => void): void {
    this.#again.add(act);
  }

  /** Runs until `isOver`; `between` is called after each turn. */
  async run(isOver: () => boolean, between: () => void): Promise<void> {
    while (!isOver()) {
      this.#turn();
      between();
      // What signals asked for becomes known only while the runtime's own loop runs.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #turn(): void {
    const again = this.#again;
    this.#again = new Set();
    for (const act of again) act();
    const waitMs = this.#again.size > 0 ? 0 : WAIT_MS;
    for (const { fd } of this.#kernel.epollWait(this.#epoll, waitMs, READY_MAX)) {
      this.#handlers.get(fd)?.();
    }
  }
}
