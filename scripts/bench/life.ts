/**
 * One life of an init: PID 1 of fresh namespaces in a root of its own, with services that leave
 * stamps of CLOCK_MONOTONIC in a file. Everything dies with PID 1, and that with this process.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';
import { namespaceCommand } from '../namespace.ts';
import { makeCgroup, removeCgroup, within } from './machine.ts';
import type { Peer, Services } from './peer.ts';

/** stamp.h has what each means. */
export const KIND = { started: 1, ready: 2, ended: 3, began: 4, asked: 5 } as const;

export type Stamp = { readonly at: bigint; readonly pid: number; readonly kind: number };

/** Nanoseconds, as bigints of the kernel's clock, to milliseconds between two. */
export const msBetween = (from: bigint, to: bigint): number => Number(to - from) / 1e6;

let lives = 0;

const STAMP_BYTES = 16;
const LOOK_MS = 4;

export class Life {
  readonly #child: ChildProcess;
  readonly #ended: Promise<void>;
  readonly #console: string;
  readonly #cgroup: string | null;
  #over = false;
  #stamps: number | null = null;

  private constructor(child: ChildProcess, output: string, cgroup: string | null) {
    this.#child = child;
    this.#cgroup = cgroup;
    this.#console = output;
    this.#ended = new Promise((end) => {
      child.once('exit', () => {
        this.#over = true;
        end();
      });
    });
  }

  /** Starts PID 1 in a copy of the root that `stage` made. */
  static async begin(staged: string, peer: Peer, services: Services): Promise<Life> {
    return Life.run(staged, peer.init(services), peer.env);
  }

  static async run(
    staged: string,
    init: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Life> {
    const life = Life.#prepare(staged, ['exec', ...init], env);
    await life.stamped(KIND.began, 1);
    return life;
  }

  /** As `begin`, but PID 1 waits for `go`, so that something can be attached to it. */
  static async held(
    staged: string,
    init: readonly string[],
    env: Readonly<Record<string, string>> = {},
  ): Promise<Life> {
    const life = Life.#prepare(staged, ['hold', ...init], env);
    while (!existsSync(`/proc/${life.#child.pid}/task/${life.#child.pid}/children`)) await sleep(1);
    while (!(life.pid > 1) || !existsSync(life.path('/bench/stamps'))) await sleep(LOOK_MS);
    return life;
  }

  go(): void {
    writeFileSync(this.path('/bench/go'), '');
  }

  static #prepare(
    staged: string,
    verb: readonly string[],
    env: Readonly<Record<string, string>>,
  ): Life {
    const command = namespaceCommand({
      root: staged,
      args: ['/usr/lib/bench/meter', ...verb],
      userNamespace: false,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root', ...env },
    });
    lives += 1;
    const cgroup = makeCgroup(`${process.pid}-${lives}`);
    const [program = '', ...args] = within(cgroup, command);
    const path = `${staged}.console`;
    rmSync(path, { force: true });
    // Whoever writes, and from wherever: nothing is written over.
    const output = openSync(path, 'a');
    const child = spawn(program, args, { stdio: ['ignore', output, output], cwd: '/' });
    closeSync(output);
    return new Life(child, path, cgroup);
  }

  /** What it has printed. */
  get console(): string {
    return readFileSync(this.#console, 'utf8');
  }

  /** PID 1 as the host numbers it. */
  get pid(): number {
    const { pid } = this.#child;
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8');
    return Number.parseInt(children, 10);
  }

  get stamps(): Stamp[] {
    const count = this.#count();
    if (this.#stamps === null) return [];
    const bytes = Buffer.alloc(count * STAMP_BYTES);
    readSync(this.#stamps, bytes, 0, bytes.length, 0);
    return Array.from({ length: count }, (_, i) => ({
      at: bytes.readBigInt64LE(i * STAMP_BYTES),
      pid: bytes.readUInt32LE(i * STAMP_BYTES + 8),
      kind: bytes.readUInt32LE(i * STAMP_BYTES + 12),
    }));
  }

  /** Waits for `count` stamps of a kind. @throws {Error} when it takes too long, or PID 1 ends. */
  async stamped(kind: number, count: number, withinMs = 180_000): Promise<Stamp[]> {
    const until = performance.now() + withinMs;
    for (;;) {
      // Looking must cost nothing: there are two processors, and both are wanted for what is timed.
      const over = this.#over;
      const enough = this.#count() >= count;
      const found = enough ? this.stamps.filter((stamp) => stamp.kind === kind) : [];
      if (found.length >= count) return found;
      if (over) throw new Error(`PID 1 has ended:\n${this.console.slice(-2000)}`);
      if (performance.now() > until) {
        const told = this.console.slice(-2000);
        throw new Error(`${found.length} of ${count} stamps of kind ${kind}:\n${told}`);
      }
      await sleep(LOOK_MS);
    }
  }

  #count(): number {
    if (this.#stamps === null) {
      // Before the root is that of the instance there is no such file.
      if (this.#over || !existsSync(this.path('/bench/stamps'))) return 0;
      const path = this.path('/bench/stamps');
      this.#stamps = openSync(path, 'r');
    }
    return Math.floor(fstatSync(this.#stamps).size / STAMP_BYTES);
  }

  /** A path inside, as this process can open it. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** Runs a program inside, and gives what it printed. */
  async in(argv: readonly string[], timeout = 120_000): Promise<string> {
    const enter = ['-t', String(this.pid), '--pid', '--mount', '--uts', '--ipc', '--net'];
    const { stdout } = await execa('nsenter', [...enter, '--', ...argv], {
      extendEnv: false,
      env: { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', HOME: '/root' },
      timeout,
      killSignal: 'SIGKILL',
      maxBuffer: 1 << 28,
    });
    return stdout;
  }

  /** A verb of meter.c, run inside; the numbers it printed, line by line. */
  async meter(...args: readonly string[]): Promise<number[][]> {
    const told = await this.in(['/usr/lib/bench/meter', ...args]);
    return told
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.split(' ').map(Number));
  }

  /** Kills everything in it. */
  async end(): Promise<void> {
    if (this.#stamps !== null) closeSync(this.#stamps);
    this.#stamps = null;
    if (!this.#over) this.#kill();
    await this.#ended;
    if (this.#cgroup !== null) await removeCgroup(this.#cgroup);
  }

  /**
   * PID 1 itself, and the command that waits for it ends with it. That it dies with its parent does
   * not hold once a thread other than the first has executed a new image, as happens when svinit is
   * revived (prctl(2), PR_SET_PDEATHSIG).
   */
  #kill(): void {
    try {
      const { pid } = this;
      if (pid > 1) {
        process.kill(pid, 'SIGKILL');
        return;
      }
    } catch {
      // It is gone, or was never there.
    }
    this.#child.kill('SIGKILL');
  }
}
