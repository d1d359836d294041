/**
 * Reads what block devices hold at their beginning and end, many at once, each in processes of its
 * own with a deadline: a device may give errors, or never answer, and then it is only this device
 * that is not known. What the bytes mean is decided in core.
 */
import type { ReadAt } from '../core/device-bytes.ts';
import { type PartitionTable, partitionTable } from '../core/partitions.ts';
import { type Superblock, superblockOf } from '../core/superblock.ts';
import type { Fd } from '../core/units.ts';
import { EPOLL } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { type Part, type ReaderKernel, Readers, type Reading, StillSilent } from './readers.ts';

/** What is to be read: sizes in bytes. */
export type Target = {
  readonly path: string;
  readonly size: number;
  readonly sector: number;
  /** Whether it may have a table of partitions. */
  readonly isDisk: boolean;
};

export type Content = {
  readonly superblock: Superblock | null;
  readonly table: PartitionTable | null;
};

/** Without content and with the reason when it could not be read in time or at all. */
export type Probed = {
  readonly path: string;
  readonly content: Content | null;
  readonly problem: string | null;
  /** Whether it just does not answer: what was known of it may be true all the same. */
  readonly isSilent: boolean;
};

/** What can read for us: a Kernel. */
export type Prober = ReaderKernel & Pick<Kernel, 'epollCreate' | 'epollWait' | 'monotonic'>;

/** Long enough for a disk that has to start its motor, milliseconds. */
export const PROBE_MS = 10_000;

export class Probes {
  readonly #kernel: Prober;
  readonly #withinMs: number;
  readonly #epoll: Fd;
  readonly #readers: Readers;
  readonly #jobs = new Map<string, Job>();
  #queue: Part[] = [];
  #done: Probed[] = [];

  constructor(kernel: Prober, withinMs: number = PROBE_MS) {
    this.#kernel = kernel;
    this.#withinMs = withinMs;
    this.#epoll = kernel.epollCreate();
    this.#readers = new Readers(kernel, this.#epoll);
  }

  /** Whether there is anything that `wait` is still to tell of. */
  get busy(): boolean {
    return this.#jobs.size > 0 || this.#done.length > 0;
  }

  /** Has `wait` tell of another descriptor too. */
  watch(fd: Fd): void {
    this.#kernel.epollAdd(this.#epoll, fd, EPOLL.IN);
  }

  /** Reads `target` from its beginning, even if it is being read already. */
  begin(target: Target): void {
    this.forget(target.path);
    const job: Job = { target, windows: [], pending: new Set(), leftMs: null };
    this.#jobs.set(target.path, job);
    const head = Math.min(HEAD_BYTES, target.size);
    const tail = Math.max(head, target.size - TAIL_BYTES);
    this.#want(job, 0, head);
    if (tail < target.size) this.#want(job, tail, target.size - tail);
    this.#start();
  }

  /** Ends the reading of a device that has gone: nothing is told of it. */
  forget(path: string): void {
    const job = this.#jobs.get(path);
    if (job !== undefined) this.#end(job);
    this.#done = this.#done.filter((probed) => probed.path !== path);
  }

  /** Ends all that is under way, and the waiting. */
  close(): void {
    for (const job of [...this.#jobs.values()]) this.#end(job);
    this.#readers.bury();
    this.#kernel.close(this.#epoll);
  }

  /**
   * Waits until a device is read, its time is over, or a watched descriptor is ready; for
   * `timeoutMs` at most, for ever with -1.
   */
  wait(timeoutMs: number): { readonly probed: readonly Probed[]; readonly ready: readonly Fd[] } {
    const ready: Fd[] = [];
    const began = this.#kernel.monotonic();
    const events = this.#kernel.epollWait(this.#epoll, this.#patience(timeoutMs), BATCH);
    const waitedMs = this.#kernel.monotonic() - began;
    for (const { fd } of events) {
      if (!this.#readers.owns(fd)) {
        ready.push(fd);
        continue;
      }
      const reading = this.#readers.take(fd);
      if (reading !== null) this.#take(reading);
    }
    this.#expire(waitedMs);
    this.#readers.bury();
    this.#start();
    const probed = this.#done;
    this.#done = [];
    return { probed, ready };
  }

  #want(job: Job, offset: number, length: number): void {
    const part = { path: job.target.path, offset, length };
    job.pending.add(part);
    this.#queue.push(part);
  }

  #start(): void {
    while (this.#readers.count < READERS_MAX) {
      const part = this.#queue.shift();
      const job = this.#jobs.get(part?.path ?? '');
      if (part === undefined || job === undefined) return;
      // The time of a device begins with its first reader: a queue is not its fault.
      job.leftMs ??= this.#withinMs;
      try {
        this.#readers.start(part);
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        this.#fail(job, error.message, error instanceof StillSilent);
      }
    }
  }

  #take({ part, bytes, words }: Reading): void {
    const job = this.#jobs.get(part.path);
    if (job === undefined || !job.pending.delete(part)) return;
    // The end of many an optical disc cannot be read; without a beginning nothing can be said.
    if (bytes.length < part.length && part.offset === 0) {
      this.#fail(job, words.split('\n')[0] || `it ends after ${bytes.length} bytes`);
      return;
    }
    job.windows.push({ offset: part.offset, length: part.length, bytes });
    if (job.pending.size === 0) this.#decode(job);
  }

  /** With what was read; a decoder that asks for more gets it read, and another try. */
  #decode(job: Job): void {
    const { target } = job;
    const read: ReadAt = (offset, length) => windowed(job, offset, length);
    try {
      const table = target.isDisk ? partitionTable(read, target) : null;
      const content = { superblock: superblockOf(read, target.size), table };
      this.#finish(job, { path: target.path, content, problem: null, isSilent: false });
    } catch (error) {
      if (!(error instanceof Missing)) throw error;
      if (job.windows.length >= WINDOWS_MAX) this.#fail(job, 'what it holds has no end');
      else this.#want(job, error.offset, error.length);
    }
  }

  #fail(job: Job, problem: string, isSilent = false): void {
    this.#finish(job, { path: job.target.path, content: null, problem, isSilent });
  }

  #finish(job: Job, probed: Probed): void {
    this.#end(job, probed.isSilent);
    this.#done.push(probed);
  }

  /** Takes back all that is under way for `job`. */
  #end(job: Job, hangs = false): void {
    this.#jobs.delete(job.target.path);
    this.#queue = this.#queue.filter((part) => !job.pending.has(part));
    for (const part of job.pending) this.#readers.stop(part, hangs);
  }

  #patience(timeoutMs: number): number {
    if (this.#done.length > 0) return 0;
    const left = [...this.#jobs.values()].flatMap(({ leftMs }) => leftMs ?? []);
    if (left.length === 0) return timeoutMs;
    const due = Math.ceil(Math.min(...left));
    return timeoutMs < 0 ? due : Math.min(due, timeoutMs);
  }

  /** Only what was waited counts: a device is not to blame for what we did meanwhile. */
  #expire(waitedMs: number): void {
    for (const job of [...this.#jobs.values()]) {
      if (job.leftMs === null) continue;
      job.leftMs -= waitedMs;
      if (job.leftMs > 0) continue;
      this.#fail(job, `no answer within ${this.#withinMs / 1000} s`, true);
    }
  }
}

type Window = { readonly offset: number; readonly length: number; readonly bytes: Uint8Array };
type Job = {
  readonly target: Target;
  readonly windows: Window[];
  readonly pending: Set<Part>;
  /** How much longer it is waited for; null before that has begun. */
  leftMs: number | null;
};

/** Up to the superblock of btrfs and the mark of swap with pages of 64 KiB, and a little more. */
const HEAD_BYTES = 72 * 1024;
/** Down to a superblock of md 0.90: the last 64 KiB but one that lie at a multiple of 64 KiB. */
const TAIL_BYTES = 132 * 1024;
/** A decoder that goes on asking follows a chain that somebody has made for that. */
const WINDOWS_MAX = 128;
/** Processes at once. */
const READERS_MAX = 16;
const BATCH = 64;

/** What a decoder asked for is not there yet. */
class Missing extends Error {
  readonly offset: number;
  readonly length: number;

  constructor(offset: number, length: number) {
    super('not read yet');
    this.offset = offset;
    this.length = length;
  }
}

function windowed({ target, windows }: Job, offset: number, length: number): Uint8Array {
  const end = Math.min(offset + length, target.size);
  if (offset >= end) return new Uint8Array();
  const window = windows.find((one) => one.offset <= offset && end <= one.offset + one.length);
  if (window === undefined) throw new Missing(offset, end - offset);
  return window.bytes.subarray(offset - window.offset, end - window.offset);
}
