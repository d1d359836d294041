/**
 * The loop of svviews: waits in the kernel for descriptors and calls who asked for them. Level
 * triggered: who is called need not take all there is. The runtime's own loop runs in between,
 * because only there do signals become known.
 */
import type { Fd } from '../core/units.ts';
import { EPOLL } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';

/** A signal that comes between the runtime's loop and the wait is seen this much later at most. */
export const WAIT_MS = 1000;

/** Descriptors told of in one turn; the others come next. */
const READY_MAX = 64;

type LoopKernel = Pick<Kernel, 'epollAdd' | 'epollCreate' | 'epollRemove' | 'epollWait'>;

export class Loop {
  readonly #kernel: LoopKernel;
  readonly #epoll: Fd;
  readonly #handlers = new Map<Fd, () => void>();
  readonly #timers = new Set<{ readonly at: number; readonly act: () => void }>();

  constructor(kernel: LoopKernel) {
    this.#kernel = kernel;
    this.#epoll = kernel.epollCreate();
  }

  /** Calls `handler` whenever there is something to read from `fd`, or it has come to its end. */
  add(fd: Fd, handler: () => void): void {
    this.#kernel.epollAdd(this.#epoll, fd, EPOLL.IN);
    this.#handlers.set(fd, handler);
  }

  /** To be called before `fd` is closed; nothing happens when it is not waited for. */
  remove(fd: Fd): void {
    if (this.#handlers.delete(fd)) this.#kernel.epollRemove(this.#epoll, fd);
  }

  /** Calls `act` once, in `delayMs` milliseconds or a little later. */
  after(delayMs: number, act: () => void): void {
    this.#timers.add({ at: performance.now() + delayMs, act });
  }

  /**
   * Runs until `isOver`.
   * @param between Called after each turn; gives in how many milliseconds it wants the next one.
   */
  async run(isOver: () => boolean, between: () => number): Promise<void> {
    for (let waitMs = 0; !isOver(); ) {
      for (const { fd } of this.#kernel.epollWait(this.#epoll, waitMs, READY_MAX)) {
        this.#handlers.get(fd)?.();
      }
      this.#due();
      const next = Math.min(...[...this.#timers].map(({ at }) => at)) - performance.now();
      waitMs = Math.ceil(Math.max(0, Math.min(between(), next, WAIT_MS)));
      // What signals asked for becomes known only while the runtime's own loop runs.
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  #due(): void {
    const now = performance.now();
    for (const timer of [...this.#timers].filter(({ at }) => at <= now)) {
      this.#timers.delete(timer);
      timer.act();
    }
  }
}
