/**
 * A small Linux for one life of svinit: virtual time, descriptors, pipes, children, and images that
 * replace each other. It hands out a C library whose calls act on it, and one of which fails.
 *
 * Not in it: other users' permissions, signals that get lost, and what a call does while it blocks.
 */
import { answerFor } from '../../src/sys/child.ts';
import { errnoName, errnoNumber } from '../../src/sys/errno.ts';
import { type Answer, BecameAnother, type FakeLibc, fakeLibc } from '../../src/sys/fake.ts';
import type { CValue, Libc } from '../../src/sys/libc.ts';
import { type CName, SIGNATURES } from '../../src/sys/signatures.ts';
import type { World } from '../boot-unit/world.ts';
import { newFile, type OpenFile } from './file.ts';
import { type Behaviour, Processes } from './processes.ts';

/** The `k`-th call of `name`, counted from 1, and the `calls - 1` after it fail with `code`. */
export type Fault = {
  readonly name: CName;
  readonly k: number;
  readonly code: string;
  readonly calls?: number;
};

/** What each C function does to a machine. */
export type Calls = Readonly<
  Partial<Record<CName, (machine: Machine, args: readonly CValue[]) => Answer>>
>;

export type Descriptor = { readonly file: OpenFile; cloexec: boolean };

/** In the place of an errno: a mistake in the program, found at this call. */
export const THROWS = 'a mistake';

/** asm-generic/signal.h */
const SIGALRM = 14;

type Timer = { readonly at: number; readonly act: () => void; readonly image: Image | null };

/** One run of svinit's program; what a dead one still does goes nowhere. */
export class Image {
  isDead = false;
  /** What it does when a signal comes. */
  readonly handlers: Map<string, () => void> = new Map();
  readonly servers: Map<number, (socket: unknown) => void> = new Map();
}

export class Machine {
  now = 1000;
  /** The user of this process, and so of the definitions on disk. */
  uid = 0;
  readonly fault: Fault | null;
  readonly counts: Map<CName, number> = new Map();
  /** Whether the fault has come to pass. */
  isHit = false;
  readonly memory: FakeLibc = fakeLibc();
  readonly fds: Map<number, Descriptor> = new Map();
  /** FIFOs and sockets below /run/svinit. */
  readonly nodes: Map<string, 'fifo' | 'socket'> = new Map();
  /** Everything else that stage 1 sees and makes. */
  readonly world: World;
  readonly processes: Processes;
  /** svinit's side of each connection, in the image that serves it now. */
  readonly sockets: Map<OpenFile, unknown> = new Map();
  /** Lines on the console and in svinit's own log. */
  readonly said: string[] = [];
  /** Exceptions that left svinit's code. */
  readonly uncaught: unknown[] = [];
  /** Errors that `execve` answers with before it works. */
  readonly execRefusals: string[] = [];
  image: Image = new Image();
  /** The arguments of the image that comes next; null: none. */
  became: readonly string[] | null = null;
  /** The arguments of the image that a fatal signal would bring; null: it would be a panic. */
  revival: readonly string[] | null = null;
  /** The same, before a handler leads there. */
  laidOut: readonly string[] | null = null;
  isSigioIgnored = false;
  alarmAt: number | null = null;
  /** How often the alarm went off: the main thread did not look at the world in time. */
  alarms = 0;
  /** How the machine ended. */
  ended: string | null = null;
  /** What `process.exit` was called with. */
  exited: number | null = null;
  #timers: Timer[] = [];
  #immediates: Timer[] = [];

  readonly #calls: Calls;

  constructor(
    fault: Fault | null,
    world: World,
    behaviours: (service: string) => Behaviour,
    calls: Calls,
  ) {
    this.#calls = calls;
    this.fault = fault;
    this.world = world;
    this.processes = new Processes(this, behaviours);
    for (const fd of [0, 1, 2]) this.put(newFile('tty /dev/console'), { fd, cloexec: false });
  }

  /** The C library of a new image. */
  boot(): Libc {
    const image = new Image();
    this.image = image;
    let errno = 0;
    return {
      call: (name, ...args) => {
        if (image.isDead) throw new BecameAnother(`A dead image calls ${name}`);
        const answer = this.#answer(name, args);
        if (typeof answer === 'number') return answer;
        if (SIGNATURES[name].fails === 'result') return answer.errno;
        if (SIGNATURES[name].fails === 'list') return this.#refuseChild(Number(args[0]), answer);
        errno = answer.errno;
        return -1;
      },
      errno: () => errno,
      address: (buffer) => this.memory.address(buffer),
    };
  }

  /** There is no child, or it cannot become the program. */
  #refuseChild(list: number, { errno }: { readonly errno: number }): number {
    const call = ['EAGAIN', 'ENOMEM'].includes(errnoName(errno)) ? 'clone' : 'execve';
    answerFor(this.memory.memoryAt(list), list, { call, errno });
    return 0;
  }

  #answer(name: CName, args: readonly CValue[]): Answer {
    const k = (this.counts.get(name) ?? 0) + 1;
    this.counts.set(name, k);
    const behaviour = this.#calls[name] ?? (() => this.memory.call(name, ...args));
    const { fault } = this;
    const fails = fault?.name === name && k >= fault.k && k < fault.k + (fault.calls ?? 1);
    if (!fails || SIGNATURES[name].fails === 'never') return behaviour(this, args);
    this.isHit = true;
    // Whatever close(2) reports, the descriptor is gone.
    if (name === 'close') behaviour(this, args);
    if (fault.code === THROWS) throw new TypeError(`${name} failed with ${THROWS}`);
    return { errno: errnoNumber(fault.code) };
  }

  /** Gives `file` the lowest free descriptor from `from`, or just `fd`. */
  put(file: OpenFile, how: { fd?: number; from?: number; cloexec?: boolean } = {}): number {
    let fd = how.fd ?? how.from ?? 3;
    while (how.fd === undefined && this.fds.has(fd)) fd += 1;
    this.close(fd);
    this.fds.set(fd, { file, cloexec: how.cloexec ?? true });
    if (file.reader !== null) file.reader.writers += 1;
    return fd;
  }

  /** False when it was not open. */
  close(fd: number): boolean {
    const file = this.fds.get(fd)?.file;
    if (file === undefined) return false;
    this.fds.delete(fd);
    for (const { file: other } of this.fds.values()) other.watched.delete(fd);
    if (file.reader !== null) this.unhold(file.reader);
    return true;
  }

  /** One writer less; the last tells the reader. */
  unhold(reader: OpenFile): void {
    reader.writers -= 1;
    if (reader.writers === 0) this.hint(reader);
  }

  /** Something can be read: SIGIO, if it was asked for. */
  hint(file: OpenFile): void {
    if (file.isAsync && !this.isSigioIgnored) this.signal('SIGIO');
  }

  signal(name: string): void {
    this.after(0, () => this.image.handlers.get(name)?.());
  }

  /** Schedules something in the world; with `image`, something of svinit's. */
  after(delayMs: number, act: () => void, image: Image | null = null): Timer {
    const timer = { at: this.now + delayMs, act, image };
    this.#timers.push(timer);
    return timer;
  }

  soon(act: () => void, image: Image): void {
    this.#immediates.push({ at: this.now, act, image });
  }

  cancel(timer: unknown): void {
    this.#timers = this.#timers.filter((other) => other !== timer);
  }

  /** Lets `ms` milliseconds pass, or fewer when the machine ends or becomes another. */
  async pass(ms: number): Promise<void> {
    const until = this.now + ms;
    while (!this.isOver() && this.became === null) {
      const next = this.#next(until);
      if (this.alarmAt !== null && this.alarmAt < (next?.at ?? until)) {
        this.now = this.alarmAt;
        this.alarms += 1;
        this.die(SIGALRM);
        return;
      }
      if (next === null) {
        this.now = until;
        return;
      }
      this.now = Math.max(this.now, next.at);
      this.run(next.act);
      // What waits for promises goes on here; nothing else in this process can run meanwhile.
      for (let i = 0; i < 5; i += 1) await null;
    }
  }

  isOver(): boolean {
    return this.ended !== null || this.exited !== null;
  }

  /** Runs code of svinit: what it throws is what the runtime would call uncaught. */
  run(act: () => void): void {
    const { image } = this;
    try {
      act();
    } catch (error) {
      if (!image.isDead) this.uncaught.push(error);
    }
  }

  /** The program of this image is replaced: what is close-on-exec closes. */
  become(argv: readonly string[]): void {
    this.image.isDead = true;
    this.became = argv;
    this.revival = null;
    for (const [fd, { cloexec }] of this.fds) if (cloexec) this.close(fd);
  }

  /** A fatal signal: the handler, if there is one, replaces the image; otherwise PID 1 has died. */
  die(signal: number): void {
    this.alarmAt = null;
    if (this.revival === null) this.ended = `panic by signal ${signal}`;
    else this.become([...this.revival, `--died=${signal}`]);
  }

  #next(until: number): Timer | null {
    const immediate = this.#immediates.shift();
    if (immediate !== undefined) return immediate.image?.isDead ? this.#next(until) : immediate;
    this.#timers = this.#timers.filter(({ image }) => image?.isDead !== true);
    let first: Timer | null = null;
    for (const timer of this.#timers) if (first === null || timer.at < first.at) first = timer;
    if (first === null || first.at > until) return null;
    this.cancel(first);
    return first;
  }
}
