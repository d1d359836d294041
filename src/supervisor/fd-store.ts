/**
 * What services leave for their next run (sd_notify(3), FDSTORE): taken from a message, handed over
 * at the next start behind the sockets, and let go when the service is not to run any more.
 */
import { constants } from 'node:fs';
import { parseStoreWords } from '../core/fd-store.ts';
import { mayLeaveDescriptors } from '../core/lazy.ts';
import type { System } from '../core/system.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { SysError } from '../sys/libc.ts';
import { fileOf, type Holding, type Holdings } from './holdings.ts';
import { letGo, wordsOf } from './let-go.ts';

export type StorePorts = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly holdings: Holdings;
  readonly warn: (text: string) => void;
};

/** Descriptors taken from the kernel at once. */
const BATCH = 64;

export class FdStore {
  readonly #ports: StorePorts;
  /** Asks only for what is always told: an error, or that the other end is gone. */
  #epoll: Fd | null = null;
  readonly #polled = new Map<Fd, Holding>();
  /** Services whose descriptors were refused: they say the same again and again. */
  readonly #told = new Set<string>();

  constructor(ports: StorePorts) {
    this.#ports = ports;
  }

  /** What of the image before is polled has to be polled again. */
  resume(): void {
    for (const holding of this.#ports.holdings.held()) this.#poll(holding);
  }

  /** Takes `fds`, which came with `text` of `service`, or closes them. */
  take(service: string, text: string, fds: readonly Fd[]): void {
    const words = fds.length > 0 || text.includes('FDSTORE') ? parseStoreWords(text) : null;
    if (words?.do === 'remove') this.#remove(service, words.name);
    for (const fd of fds) {
      if (words?.do !== 'store') letGo(this.#ports.kernel, fd);
      else this.#keep({ service, fd, socket: null, name: words.name, isPolled: words.isPolled });
    }
  }

  /** Lets go of what services have left that are not to run any more. */
  look(names: Iterable<string>): void {
    const { system, holdings } = this.#ports;
    for (const name of names) {
      const unit = system.units.get(name);
      const isKept = unit !== undefined && mayLeaveDescriptors(unit);
      for (const holding of holdings.of(name)) {
        if (holding.socket === null && !isKept) this.#letGo(holding);
      }
    }
  }

  /** What a service that starts finds, in the order in which it was left. */
  forStart(service: string): readonly Holding[] {
    this.expire();
    return this.#of(service);
  }

  /** Lets go of what has lost its other end. */
  expire(): void {
    if (this.#epoll === null || this.#polled.size === 0) return;
    for (const { fd } of this.#ports.kernel.epollWait(this.#epoll, 0, BATCH)) {
      const holding = this.#polled.get(fd);
      if (holding !== undefined) this.#letGo(holding);
    }
  }

  #of(service: string): readonly Holding[] {
    return this.#ports.holdings.of(service).filter(({ socket }) => socket === null);
  }

  #isWelcome(service: string, fd: Fd): boolean {
    const { system } = this.#ports;
    const max = system.units.get(service)?.spec.fdStoreMax ?? 0;
    const there = this.#of(service);
    if (there.some((holding) => this.#isSame(holding.fd, fd))) return false;
    if (there.length < max) return true;
    if (!this.#told.has(service)) {
      this.#told.add(service);
      const reason = max === 0 ? 'its definition has no fdStoreMax' : `fdStoreMax is ${max}`;
      this.#ports.warn(`${service} leaves a descriptor, which is closed: ${reason}`);
    }
    return false;
  }

  #keep(taken: Omit<Holding, 'file'>): void {
    const { service, fd } = taken;
    try {
      if (this.#isWelcome(service, fd)) this.#poll(this.#ports.holdings.take(taken));
      else letGo(this.#ports.kernel, fd);
    } catch (error) {
      this.#ports.warn(`${taken.service} leaves a descriptor in vain: ${wordsOf(error)}`);
    }
  }

  #poll(holding: Holding): void {
    const { kernel, warn } = this.#ports;
    if (holding.socket !== null || !holding.isPolled) return;
    try {
      this.#epoll ??= kernel.epollCreate();
      kernel.epollAdd(this.#epoll, holding.fd, 0);
      this.#polled.set(holding.fd, holding);
    } catch (error) {
      // A regular file has no other end (epoll_ctl(2), EPERM).
      if (!(error instanceof SysError && error.code === 'EPERM')) warn(wordsOf(error));
    }
  }

  #remove(service: string, name: string): void {
    for (const holding of this.#of(service)) if (holding.name === name) this.#letGo(holding);
  }

  #letGo(holding: Holding): void {
    const { kernel, holdings, warn } = this.#ports;
    if (this.#polled.delete(holding.fd) && this.#epoll !== null) {
      try {
        // Closing it does not end that while the service has the same file open.
        kernel.epollRemove(this.#epoll, holding.fd);
      } catch (error) {
        warn(wordsOf(error));
      }
    }
    holdings.letGo(holding);
  }

  /** The same open file, as far as can be told: of a pipe each end is another. */
  #isSame(one: Fd, other: Fd): boolean {
    const { kernel } = this.#ports;
    // Those without a kind of their own share one inode.
    if (kernel.fstatKind(one) === null || fileOf(one) !== fileOf(other)) return false;
    const access = (fd: Fd): number =>
      kernel.getFlags(fd) & (constants.O_WRONLY | constants.O_RDWR);
    return access(one) === access(other);
  }
}
