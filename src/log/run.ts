/**
 * svlog's loop: waits in the kernel for bytes, moves them from FIFOs to log files, and lets the
 * runtime's own loop run now and then, because only there do signals become wishes.
 */
import { join } from 'node:path';
import { nameOfFile } from '../core/names.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { BACKLOG_TOTAL_BYTES_MAX } from './backlog.ts';
import { Composer } from './compose.ts';
import { reason } from './failure.ts';
import { Fifos, type Stream } from './fifos.ts';
import { type LogContext, LogFile } from './file.ts';
import { Stamper } from './stamp.ts';

export type Settings = {
  /** Directory of the FIFOs, one for each service. */
  readonly fifos: string;
  /** Directory of the stored logs: `NAME/current` and archives. */
  readonly logs: string;
  /** A descriptor that gets all output as it is, whoever it came from; null: none does. */
  readonly echo?: Fd | null;
};

/** What signals ask for; set at any time, read once a turn. */
export type Wishes = { stop: boolean; rotate: boolean };

/**
 * A signal that comes between the look at `Wishes` and the wait is seen this much later at most.
 */
export const WAIT_MS = 5000;

/** After so long without a new FIFO what only the start needed, and opening them, is given back. */
export const SETTLED_MS = 500;

/** How often a log that could not be written is tried again. */
export const RETRY_MS = 1000;

/**
 * Runs until `wishes.stop`, then stores all that is in the FIFOs; gives the number of records that
 * could not be stored even then.
 * @param say Tells people what went wrong, one message a call.
 * @throws {SysError} when the FIFO directory cannot be watched.
 */
export async function run(
  kernel: Kernel,
  settings: Settings,
  wishes: Wishes,
  say: (message: string) => void,
): Promise<number> {
  const logger = new Logger(kernel, settings, say);
  let yieldedAt = performance.now();
  let mayBlock = false;
  while (!wishes.stop) {
    if (wishes.rotate) logger.rotate();
    wishes.rotate = false;
    const isBusy = logger.turn(mayBlock);
    // A signal that came during this turn is a wish only after the runtime's loop has run.
    mayBlock = !isBusy || performance.now() - yieldedAt >= YIELD_MS;
    if (!mayBlock) continue;
    await new Promise((resolve) => setImmediate(resolve));
    yieldedAt = performance.now();
  }
  return logger.drain();
}

/** Under load the runtime's loop runs this often. */
const YIELD_MS = 20;

/** What a FIFO can hold at most (fs.pipe-max-size): more than that was written after the signal. */
const DRAIN_BYTES_MAX: number = 1024 * 1024;

/** What svinit itself has to say is no output of a service. */
const OWN_LOG = 'svinit';

class Logger {
  readonly #kernel: Kernel;
  readonly #settings: Settings;
  readonly #say: (message: string) => void;
  readonly #stamper: Stamper = new Stamper();
  readonly #composer: Composer;
  readonly #fifos: Fifos;
  readonly #logs: Map<string, LogFile> = new Map();
  readonly #failing: Set<LogFile> = new Set();
  readonly #context: LogContext;
  #retryAt = 0;
  #opened = 0;
  /** When memory is given back next: Infinity once it has been. */
  #tidyAt = 0;

  constructor(kernel: Kernel, settings: Settings, say: (message: string) => void) {
    this.#kernel = kernel;
    this.#settings = settings;
    this.#say = say;
    this.#composer = new Composer(this.#stamper.head);
    const makeRoom = (): boolean => this.#makeRoom();
    this.#fifos = new Fifos(kernel, settings.fifos, { makeRoom, onProblem: say });
    this.#context = {
      kernel,
      stamper: this.#stamper,
      budget: { left: BACKLOG_TOTAL_BYTES_MAX },
      makeRoom,
      onFailing: (log, why) => this.#onFailing(log, why),
      onProblem: say,
    };
  }

  /** Moves what has come, waiting for it if it may; whether anything has. */
  turn(mayBlock: boolean): boolean {
    const isTrying = this.#failing.size > 0 || this.#fifos.incomplete;
    const waitMs = isTrying ? RETRY_MS : WAIT_MS;
    const streams = this.#fifos.wait(mayBlock ? Math.min(waitMs, Math.ceil(this.#tidy())) : 0);
    for (const stream of streams) this.#take(stream);
    if (isTrying && performance.now() >= this.#retryAt) this.#retry();
    return streams.length > 0;
  }

  /** Gives memory back when it is time; gives the milliseconds until then. */
  #tidy(): number {
    const { size } = this.#fifos;
    const isMore = size > this.#opened;
    this.#opened = size;
    if (this.#tidyAt === Infinity && !isMore) return Infinity;
    const now = performance.now();
    if (isMore) this.#tidyAt = now + SETTLED_MS;
    if (now < this.#tidyAt) return this.#tidyAt - now;
    this.#tidyAt = Infinity;
    this.#kernel.giveBack();
    return Infinity;
  }

  rotate(): void {
    for (const log of this.#logs.values()) log.rotate();
  }

  drain(): number {
    this.#retry();
    this.#fifos.notice();
    for (const stream of this.#fifos.all()) {
      for (let bytes = 0; bytes < DRAIN_BYTES_MAX; ) {
        const count = this.#take(stream);
        if (count === 0) break;
        bytes += count;
      }
      this.#stamper.tick();
      this.#composer.finish(stream.tail, this.#logOf(stream));
    }
    this.#retry();
    const lost = [...this.#failing].reduce((sum, log) => sum + log.unstored, 0);
    for (const log of this.#logs.values()) log.close();
    return lost;
  }

  /** One turn of one FIFO; gives the number of bytes read. */
  #take(stream: Stream): number {
    if (!this.#fifos.holds(stream)) return 0;
    const count = this.#read(stream);
    if (count === null) return 0;
    if (count === 0) this.#end(stream);
    else {
      if (stream.name !== OWN_LOG) this.#echo(count);
      this.#stamper.tick();
      this.#composer.take(stream.tail, count, this.#logOf(stream));
    }
    return count;
  }

  /**
   * To whoever reads the output of a container. Who writes waits for who reads, as without a logger
   * in between; an output that is closed, or may not be waited for, loses what it does not take.
   */
  #echo(count: number): void {
    const { echo = null } = this.#settings;
    if (echo === null) return;
    try {
      for (let done = 0; done < count; ) {
        const taken = this.#kernel.write(echo, this.#composer.area.subarray(done, count));
        if (taken === null) return;
        done += taken;
      }
    } catch {
      // Nobody reads it any more; it is stored all the same.
    }
  }

  /** A FIFO that cannot be read is at its end: reading it again and again would help nobody. */
  #read(stream: Stream): number | null {
    try {
      return this.#kernel.read(stream.fd, this.#composer.area);
    } catch (error) {
      this.#say(`Cannot read the output of ${stream.name}: ${reason(error)}`);
      return 0;
    }
  }

  #end(stream: Stream): void {
    if (this.#fifos.renew(stream)) return;
    const log = this.#logOf(stream);
    this.#stamper.tick();
    this.#composer.finish(stream.tail, log);
    if (!this.#failing.has(log) && !this.#fifos.all().some(({ name }) => name === stream.name)) {
      log.close();
      this.#logs.delete(stream.name);
    }
  }

  #logOf({ name }: Stream): LogFile {
    const known = this.#logs.get(name);
    if (known !== undefined) return known;
    const log = new LogFile(nameOfFile(name), join(this.#settings.logs, name), this.#context);
    this.#logs.set(name, log);
    return log;
  }

  /** Each log in its turn, so that no two busy ones close each other. */
  #makeRoom(): boolean {
    for (const [name, log] of this.#logs) {
      if (!log.isOpen) continue;
      log.close();
      this.#logs.delete(name);
      this.#logs.set(name, log);
      return true;
    }
    return false;
  }

  #onFailing(log: LogFile, why: string): void {
    if (this.#failing.size === 0) {
      this.#say(`Cannot write the log of ${log.name}: ${why}; lines are kept in memory`);
    }
    this.#failing.add(log);
  }

  #retry(): void {
    this.#fifos.reopen();
    for (const log of [...this.#failing]) {
      if (!log.retry()) continue;
      this.#failing.delete(log);
      if (this.#failing.size === 0) this.#say(`The log of ${log.name} is written again`);
    }
    this.#retryAt = performance.now() + RETRY_MS;
  }
}
