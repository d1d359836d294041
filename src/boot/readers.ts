/**
 * Processes that read a part of a device for us, each with two pipes. One that hangs in the kernel
 * is killed and left behind: it is gone when its device answers. They know nothing of what they
 * read.
 */
import type { Fd, Pid } from '../core/units.ts';
import { EPOLL, O, SIG } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';

/** What is read: bytes. */
export type Part = { readonly path: string; readonly offset: number; readonly length: number };

/** All that there was of it, and what the reader complained of. */
export type Reading = {
  readonly part: Part;
  readonly bytes: Uint8Array;
  readonly words: string;
};

/** What can read for us: a Kernel. */
export type ReaderKernel = Pick<Kernel, 'close' | 'epollAdd' | 'kill' | 'pipe' | 'reap' | 'spawn'> &
  Pick<Kernel, 'read'>;

/** Somebody hangs in the device from before. */
export class StillSilent extends Error {
  constructor() {
    super('it still does not answer');
  }
}

export class Readers {
  readonly #kernel: ReaderKernel;
  readonly #epoll: Fd;
  readonly #all = new Map<Part, Reader>();
  readonly #ends = new Map<Fd, Reader>();

  /** @param epoll Where the pipes are waited for. */
  constructor(kernel: ReaderKernel, epoll: Fd) {
    this.#kernel = kernel;
    this.#epoll = epoll;
  }

  get count(): number {
    return this.#all.size;
  }

  /** @throws {Error} when there is no descriptor, process or program for it, or one hangs there. */
  start(part: Part): void {
    this.bury();
    if ([...leaving.values()].includes(part.path)) throw new StillSilent();
    const made: Fd[] = [];
    const pipe = (): [Fd, Fd] => {
      const ends = this.#kernel.pipe(0);
      made.push(...ends);
      return ends;
    };
    try {
      const [out, outEnd] = pipe();
      const [err, errEnd] = pipe();
      const pid = this.#kernel.spawn(program(part, outEnd, errEnd));
      for (const fd of [outEnd, errEnd]) this.#kernel.close(fd);
      made.length = 0;
      const reader: Reader = { part, pid, out, open: new Set([out, err]), chunks: [], words: '' };
      this.#all.set(part, reader);
      for (const fd of reader.open) {
        this.#ends.set(fd, reader);
        this.#kernel.epollAdd(this.#epoll, fd, EPOLL.IN);
      }
    } catch (error) {
      this.stop(part, false);
      for (const fd of made) this.#kernel.close(fd);
      throw error;
    }
  }

  /** Whether `fd` is one of the pipes. */
  owns(fd: Fd): boolean {
    return this.#ends.has(fd);
  }

  /** Takes what is there at `fd`, which is ready; what was read when that was the last of it. */
  take(fd: Fd): Reading | null {
    const reader = this.#ends.get(fd);
    if (reader === undefined) return null;
    const buffer = new Uint8Array(new ArrayBuffer(CHUNK_BYTES));
    const count = this.#kernel.read(fd, buffer);
    if (count === null) return null;
    if (count > 0) {
      const bytes = buffer.subarray(0, count);
      if (fd === reader.out) reader.chunks.push(bytes);
      else if (reader.words.length < WORDS_MAX) reader.words += new TextDecoder().decode(bytes);
      return null;
    }
    this.#drop(reader, fd);
    if (reader.open.size > 0) return null;
    this.#leave(reader, false);
    const { part, chunks, words } = reader;
    return { part, bytes: joined(chunks).subarray(0, part.length), words: words.trim() };
  }

  /** Ends the reading of `part`, if it is under way; whether for want of an answer. */
  stop(part: Part, hangs: boolean): void {
    const reader = this.#all.get(part);
    if (reader === undefined) return;
    for (const fd of reader.open) this.#drop(reader, fd);
    this.#kernel.kill(reader.pid, SIG.SIGKILL);
    this.#leave(reader, hangs);
  }

  /** Reaps those that have gone. */
  bury(): void {
    for (const pid of leaving.keys()) if (this.#kernel.reap(pid)) leaving.delete(pid);
  }

  #drop(reader: Reader, fd: Fd): void {
    this.#ends.delete(fd);
    reader.open.delete(fd);
    this.#kernel.close(fd);
  }

  #leave(reader: Reader, hangs: boolean): void {
    this.#all.delete(reader.part);
    leaving.set(reader.pid, hangs ? reader.part.path : null);
  }
}

type Reader = {
  readonly part: Part;
  readonly pid: Pid;
  readonly out: Fd;
  readonly open: Set<Fd>;
  readonly chunks: Uint8Array[];
  words: string;
};

/**
 * Ended or killed, and not yet gone; with a device that one hangs in. They outlive whoever asked:
 * who asks again reaps them, and starts no second one to hang there.
 */
const leaving = new Map<Pid, string | null>();

/** busybox' or coreutils' dd(1): both know these operands. */
const DD = '/usr/bin/dd';
const OPERANDS = ['bs=64k', 'iflag=skip_bytes,count_bytes,fullblock', 'status=none'];
const CHUNK_BYTES = 65536;
const WORDS_MAX = 400;

function program({ path, offset, length }: Part, out: Fd, err: Fd) {
  return {
    path: DD,
    argv: ['dd', `if=${path}`, `skip=${offset}`, `count=${length}`, ...OPERANDS],
    env: ['LC_ALL=C'],
    cwd: '/',
    files: [
      { fd: 0, open: '/dev/null', flags: O.RDONLY, mode: 0 },
      { fd: 1, dup: out },
      { fd: 2, dup: err },
    ],
    session: false,
    nofile: null,
  };
}

function joined(chunks: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(chunks.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const chunk of chunks) {
    all.set(chunk, at);
    at += chunk.length;
  }
  return all;
}
