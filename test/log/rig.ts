/**
 * A running svlog with FIFOs that the test holds open, as PID 1 does, and writers for them. Works on
 * both runtimes and runs svlog on the one it runs on itself.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { LogRecord } from '../../src/core/logline.ts';
import type { Kernel } from '../../src/sys/kernel.ts';
import { openSystem } from '../../src/sys/open.ts';
import { recordsIn, storedIn } from './parts.ts';

/** How long `until` waits for what must come: only a failure takes this long. */
const PATIENCE_MS = 20_000;
const LOOK_MS = 5;

export type Ended = { readonly code: number | null; readonly signal: string | null };

export class Rig {
  readonly dir: string = mkdtempSync(join(tmpdir(), 'svinit-log-'));
  readonly fifos: string = join(this.dir, 'run', 'log');
  readonly logs: string = join(this.dir, 'logs');
  /** What svlog said on descriptor 2. */
  said = '';
  readonly #kernel: Kernel = openSystem();
  readonly #held: Map<string, number> = new Map();
  #svlog: ChildProcess | null = null;
  #ended: Promise<Ended> = Promise.resolve({ code: null, signal: null });

  constructor() {
    mkdirSync(this.fifos, { recursive: true });
  }

  /** Starts svlog. `before` are words that run the rest of the command line, as `nice` does. */
  start(before: readonly string[] = [], svlogArgs = ''): void {
    const [program = '', ...args] = [...before, process.execPath, '-e', RUN];
    const env = {
      ...process.env,
      NODE_OPTIONS: '--disable-warning=ExperimentalWarning',
      SVINIT_RUN: join(this.dir, 'run'),
      SVINIT_LOG: this.logs,
      SVLOG_ARGS: svlogArgs,
    };
    const child = spawn(program, args, { env, stdio: ['ignore', 'inherit', 'pipe'] });
    child.stderr.on('data', (chunk: Buffer) => {
      this.said += chunk;
    });
    this.#svlog = child;
    this.#ended = once(child, 'exit').then(([code, signal]) => ({ code, signal }));
  }

  get pid(): number {
    return this.#svlog?.pid ?? 0;
  }

  signal(name: NodeJS.Signals): void {
    this.#svlog?.kill(name);
  }

  /** Sends a signal and waits for the end. */
  end(name: NodeJS.Signals = 'SIGTERM'): Promise<Ended> {
    this.signal(name);
    return this.ended();
  }

  ended(): Promise<Ended> {
    return this.#ended;
  }

  /** Waits until svlog sleeps, which it cannot when a descriptor is ready all the time. */
  async asleep(): Promise<void> {
    let looks = 0;
    await until('svlog sleeps', () => {
      const state = readFileSync(`/proc/${this.pid}/stat`, 'utf8').replace(/.*\) /, '').charAt(0);
      looks = state === 'S' ? looks + 1 : 0;
      return looks === 5;
    });
  }

  /** Makes a FIFO. */
  make(name: string): string {
    const path = join(this.fifos, name);
    this.#kernel.mkfifo(path, 0o600);
    return path;
  }

  /** Makes FIFOs and holds them open. */
  hold(...names: readonly string[]): void {
    for (const name of names) {
      const path = this.make(name);
      this.#held.set(name, openSync(path, constants.O_RDWR | constants.O_NONBLOCK));
    }
  }

  /** Deletes a FIFO; a writer may still have it open. */
  drop(name: string): void {
    rmSync(join(this.fifos, name));
    closeSync(this.#held.get(name) ?? -1);
    this.#held.delete(name);
  }

  writer(name: string): Writer {
    return new Writer(join(this.fifos, name));
  }

  /** Writes all of `bytes` into a FIFO; resolves when the pipe has taken the last of them. */
  async feed(name: string, bytes: Uint8Array): Promise<void> {
    const writer = this.writer(name);
    await writer.write(bytes);
    await writer.end();
  }

  dirOf(name: string): string {
    return join(this.logs, name);
  }

  /** What is stored now; of what svlog is writing at this moment only the whole records. */
  records(name: string, dir: string = this.dirOf(name)): LogRecord[] {
    const stored = this.#stored(dir);
    // write(2) of many pages is seen page by page by who reads the file meanwhile.
    const isWriting = this.#svlog?.exitCode === null && this.#svlog.signalCode === null;
    return recordsIn(isWriting ? stored.subarray(0, stored.lastIndexOf(0x0a) + 1) : stored);
  }

  #stored(dir: string): Buffer {
    for (;;) {
      try {
        return existsSync(dir) ? storedIn(dir) : Buffer.alloc(0);
      } catch (error) {
        // A file was renamed by the rotation, between its listing and its opening.
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
      }
    }
  }

  texts(name: string, dir: string = this.dirOf(name)): string[] {
    return this.records(name, dir).map(({ text }) => Buffer.from(text).toString());
  }

  /** Waits until svlog has stored a record of `name` with this text. */
  async stored(name: string, text: string): Promise<void> {
    await until(`${name} has stored ${text}`, () => this.texts(name).includes(text));
  }

  close(): void {
    this.#svlog?.kill('SIGKILL');
    for (const fd of this.#held.values()) closeSync(fd);
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** A process that writes into a FIFO, so that a full pipe stops it and not the test. */
export class Writer {
  readonly #cat: ChildProcess;
  readonly #ended: Promise<unknown>;

  constructor(path: string) {
    this.#cat = spawn('sh', ['-c', 'exec cat > "$0"', path], {
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    this.#ended = once(this.#cat, 'exit');
  }

  async write(bytes: Uint8Array): Promise<void> {
    await new Promise((resolve) => this.#cat.stdin?.write(bytes, resolve));
  }

  async end(): Promise<void> {
    this.#cat.stdin?.end();
    await this.#ended;
  }
}

export async function until(what: string, holds: () => boolean): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  while (!holds()) {
    if (Date.now() > deadline) throw new Error(`Waited in vain: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

/** Both runtimes take a program on the command line; then no arguments are left for svlog. */
const RUN = `import(${JSON.stringify(new URL('../../src/svlog.ts', import.meta.url).href)})
  .then(({ main }) => main((process.env.SVLOG_ARGS ?? '').split(' ').filter(Boolean)))
  .then((code) => process.exit(code))`;
