/**
 * The FIFOs of one directory, opened as they appear and given up when they are deleted and no
 * writer is left. It says which have something to read; what is read is the caller's.
 */
import { fstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { eventsIn, type InotifyEvent } from '../core/inotify.ts';
import type { Fd } from '../core/units.ts';
import { EPOLL, IN, O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { emptyTail, type Tail } from './compose.ts';
import { codeOf, reason } from './failure.ts';

export type Stream = {
  readonly fd: Fd;
  /** The name of the FIFO, which is the name of the service. */
  readonly name: string;
  readonly inode: number;
  readonly tail: Tail;
};

type FifoKernel = Pick<
  Kernel,
  | 'close'
  | 'epollAdd'
  | 'epollCreate'
  | 'epollWait'
  | 'inotifyAdd'
  | 'inotifyInit'
  | 'open'
  | 'read'
>;

export type FifoHooks = {
  /** Closes something else, because descriptors are scarce; false when there is nothing. */
  readonly makeRoom: () => boolean;
  readonly onProblem: (message: string) => void;
};

export class Fifos {
  readonly #kernel: FifoKernel;
  readonly #dir: string;
  readonly #hooks: FifoHooks;
  readonly #epoll: Fd;
  readonly #inotify: Fd;
  readonly #streams: Map<Fd, Stream> = new Map();
  /** The same by inode: whether one is open already is asked for each of thousands. */
  readonly #inodes: Map<number, Stream> = new Map();
  /** Names that could not be opened, for want of descriptors perhaps. */
  readonly #unopened: Set<string> = new Set();
  readonly #events: Buffer = Buffer.allocUnsafeSlow(INOTIFY_BYTES);

  /** @throws {SysError} when `dir` cannot be watched; then there is nothing to work with. */
  constructor(kernel: FifoKernel, dir: string, hooks: FifoHooks) {
    this.#kernel = kernel;
    this.#dir = dir;
    this.#hooks = hooks;
    this.#epoll = kernel.epollCreate();
    this.#inotify = kernel.inotifyInit();
    kernel.inotifyAdd(this.#inotify, dir, IN.CREATE | IN.MOVED_TO | IN.DELETE | IN.ONLYDIR);
    kernel.epollAdd(this.#epoll, this.#inotify, EPOLL.IN);
    this.#openAll();
  }

  /** Whether some FIFO waits for `reopen`. */
  get incomplete(): boolean {
    return this.#unopened.size > 0;
  }

  get size(): number {
    return this.#streams.size;
  }

  all(): Stream[] {
    return [...this.#streams.values()];
  }

  /** Whether `stream` has neither been renewed nor given up. */
  holds(stream: Stream): boolean {
    return this.#streams.get(stream.fd) === stream;
  }

  /** Blocks this thread until some have bytes or an end, a signal comes, or `timeoutMs` is over. */
  wait(timeoutMs: number): Stream[] {
    const streams: Stream[] = [];
    for (const { fd } of this.#kernel.epollWait(this.#epoll, timeoutMs, READY_MAX)) {
      const stream = this.#streams.get(fd);
      if (stream !== undefined) streams.push(stream);
      else if (fd === this.#inotify) streams.push(...this.notice());
    }
    return streams;
  }

  /** Opens what has appeared; gives those whose names are gone, which may be at their end. */
  notice(): Stream[] {
    const gone: Stream[] = [];
    for (const { name, mask } of this.#changes()) {
      if ((mask & IN.Q_OVERFLOW) !== 0) this.#openAll();
      else if ((mask & IN.DELETE) !== 0) gone.push(...this.#named(name));
      else this.#open(name, null);
    }
    return gone;
  }

  /** Tries again what could not be opened. */
  reopen(): void {
    for (const name of [...this.#unopened]) this.#open(name, null);
  }

  /**
   * `stream` has no writer any more: opens the FIFO anew if it is still there, because an end would
   * be reported for ever. Gives false when it is gone for good.
   */
  renew(stream: Stream): boolean {
    // The new descriptor first: a pipe without any forgets what is in it.
    const isRenewed = this.#open(stream.name, stream);
    this.#streams.delete(stream.fd);
    if (this.#inodes.get(stream.inode) === stream) this.#inodes.delete(stream.inode);
    this.#kernel.close(stream.fd);
    return isRenewed;
  }

  #openAll(): void {
    for (const name of readdirSync(this.#dir)) this.#open(name, null);
  }

  /** @param old The stream that this one continues. */
  #open(name: string, old: Stream | null): boolean {
    if (name.startsWith('.')) return false;
    let fd: Fd | null = null;
    try {
      fd = this.#openFifo(name);
      this.#unopened.delete(name);
      const stat = fstatSync(fd);
      if (stat.isFIFO() && !this.#isKnown(stat.ino, old)) {
        this.#kernel.epollAdd(this.#epoll, fd, EPOLL.IN);
        const stream = { fd, name, inode: stat.ino, tail: old?.tail ?? emptyTail() };
        this.#streams.set(fd, stream);
        this.#inodes.set(stat.ino, stream);
        return true;
      }
    } catch (error) {
      this.#refused(name, error);
    }
    if (fd !== null) this.#kernel.close(fd);
    return false;
  }

  #openFifo(name: string): Fd {
    try {
      return this.#kernel.open(join(this.#dir, name), O.RDONLY | O.NONBLOCK | O.NOFOLLOW);
    } catch (error) {
      if (codeOf(error) !== 'EMFILE' || !this.#hooks.makeRoom()) throw error;
      return this.#openFifo(name);
    }
  }

  #isKnown(inode: number, except: Stream | null): boolean {
    return (this.#inodes.get(inode) ?? except) !== except;
  }

  #refused(name: string, error: unknown): void {
    const why = reason(error);
    if (codeOf(error) === 'ENOENT') {
      this.#unopened.delete(name);
      return;
    }
    if (!this.#unopened.has(name))
      this.#hooks.onProblem(`Cannot read the output of ${name}: ${why}`);
    this.#unopened.add(name);
  }

  #named(name: string): Stream[] {
    return this.all().filter((stream) => stream.name === name);
  }

  #changes(): InotifyEvent[] {
    const changes: InotifyEvent[] = [];
    for (;;) {
      const count = this.#kernel.read(this.#inotify, this.#events) ?? 0;
      if (count === 0) return changes;
      changes.push(...eventsIn(this.#events.subarray(0, count)));
    }
  }
}

/** More than one turn's worth of descriptors; the rest comes next, each in its turn. */
const READY_MAX = 64;

/** Room for some hundred events; at least one of the longest name is needed (inotify(7)). */
const INOTIFY_BYTES = 16384;
