/**
 * A new binary is tried before it becomes PID 1: as a child, with a copy of the state, it says what
 * it is and that it can read what it would be left. Only then is it exec'd; one that fails costs
 * nothing but a line that says why.
 */
import { constants, fstatSync, statSync } from 'node:fs';
import { type Exit, exitWords, succeeded } from '../core/exit.ts';
import { parseReport } from '../core/report.ts';
import { SIGKILL } from '../core/signals.ts';
import { durationWords, type Fd, later, type Millis, ms, type Pid } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { encodeLedger } from './ledger.ts';
import { letGo, wordsOf } from './let-go.ts';
import { SELF_TEST_OPTION, STATE_OPTION } from './own-arguments.ts';
import { type Legacy, OWN_FILE, type Self } from './reexec.ts';
import { distrust } from './scan-read.ts';
import type { Watch } from './watch.ts';

export type TrialPorts = {
  readonly kernel: Kernel;
  readonly watch: Watch;
  readonly now: () => Millis;
};

/** What came of it: how the binary is to be exec'd, or why it is not. */
export type Verdict =
  | {
      readonly ok: true;
      readonly self: Self;
      readonly version: string;
      /** To be called when it is not exec'd after all. */
      readonly discard: () => void;
    }
  | { readonly ok: false; readonly reason: string };

type Running = {
  readonly path: string;
  readonly self: Self;
  /** The file that is tried, whatever becomes of its name meanwhile. */
  readonly binary: Fd;
  readonly pid: Pid;
  readonly output: Fd;
  readonly by: Millis;
  readonly over: (verdict: Verdict) => void;
  /** What it has said so far. */
  said: string;
  isAtEnd: boolean;
  isLate: boolean;
};

/** Starting takes some tenths of a second, on an emulated machine some seconds. */
const TRIAL_WITHIN = ms(60_000);
/** What a failed one said is quoted up to here. */
const SAID_CHARS_MAX = 4000;
const SHOWN_CHARS_MAX = 500;
/** The descriptor in which it finds the copy of the state. */
const STATE_FD = 3;
/** The first bytes of a program that the kernel runs without another (elf(5)). */
const ELF_MAGIC: readonly number[] = [0x7f, 0x45, 0x4c, 0x46];
/** A FIFO in its place would be waited for. */
const OPEN_FLAGS: number = constants.O_RDONLY | constants.O_NONBLOCK;

export class Trial {
  readonly #ports: TrialPorts;
  #running: Running | null = null;

  constructor(ports: TrialPorts) {
    this.#ports = ports;
  }

  /** Begins; `over` hears what came of it, perhaps at once. */
  begin(path: string, self: Self, legacy: Legacy, over: (verdict: Verdict) => void): void {
    if (this.#running !== null) {
      const reason = `Cannot re-exec ${path}: ${this.#running.path} is being tried`;
      return over({ ok: false, reason });
    }
    try {
      this.#running = this.#start(path, self, legacy, over);
      this.#ports.watch.add(this.#running.output, () => this.#read());
    } catch (error) {
      over({ ok: false, reason: `Cannot re-exec ${path}: ${wordsOf(error)}` });
    }
  }

  /** Whether `pid` is the one that is tried; its end is noted. */
  ended(pid: Pid, exit: Exit): boolean {
    const running = this.#running;
    if (running?.pid !== pid) return false;
    this.#read();
    this.#running = null;
    this.#ports.watch.drop(running.output);
    const discard = (): void => letGo(this.#ports.kernel, running.binary);
    const verdict = verdictOn(running, exit, this.#isProgram(running.binary), discard);
    if (!verdict.ok) discard();
    running.over(verdict);
    return true;
  }

  /** Ends one that takes too long. Called from the reconcile tick. */
  expire(): void {
    const running = this.#running;
    if (running === null || running.isLate || this.#ports.now() < running.by) return;
    running.isLate = true;
    this.#ports.kernel.kill(running.pid, SIGKILL);
  }

  /** Whatever interprets another kind of file could not open it: the descriptor ends with exec. */
  #isProgram(binary: Fd): boolean {
    try {
      const head = this.#ports.kernel.memfdRead(binary, ELF_MAGIC.length);
      return ELF_MAGIC.every((byte, i) => head[i] === byte);
    } catch {
      return false;
    }
  }

  #start(path: string, self: Self, legacy: Legacy, over: Running['over']): Running {
    const { kernel, now } = this.#ports;
    const binary = kernel.open(path, OPEN_FLAGS);
    const toClose: Fd[] = [];
    /** What stays open once it runs. */
    const toKeep: Fd[] = [binary];
    try {
      if (kernel.fstatKind(binary) !== 'file') throw new Error('it is not a regular file');
      const why = distrust(fstatSync(binary), this.#owners());
      if (why !== null) throw new Error(why);
      const { turns: _, ...state } = legacy;
      const copy = kernel.memfd('svinit-trial', encodeLedger(state));
      toClose.push(copy);
      const [output, end] = kernel.pipe(constants.O_NONBLOCK);
      toClose.push(end);
      toKeep.push(output);
      // Only a single executable can be given a path: nothing stands between its name and --booted.
      const program = ['svinit', ...self.program.slice(-1)];
      const pid = kernel.spawn({
        path: `/proc/${kernel.getpid()}/fd/${binary}`,
        argv: [...program, SELF_TEST_OPTION, `${STATE_OPTION}${STATE_FD}`],
        env: self.env,
        cwd: '/',
        files: [
          { fd: 0, open: '/dev/null', flags: constants.O_RDWR, mode: 0 },
          { fd: 1, dup: end },
          { fd: 2, dup: end },
          { fd: STATE_FD, dup: copy },
        ],
        session: true,
        nofile: null,
      });
      const next = { ...self, path: `/proc/self/fd/${binary}`, program };
      const begun = { said: '', isAtEnd: false, isLate: false, by: later(now(), TRIAL_WITHIN) };
      return { ...begun, path, self: next, binary, pid, output, over };
    } catch (error) {
      toClose.push(...toKeep);
      throw error;
    } finally {
      for (const fd of toClose) letGo(kernel, fd);
    }
  }

  /** Root, who svinit runs as, and who owns what runs: they could change svinit anyway. */
  #owners(): ReadonlySet<number> {
    const own = statSync(OWN_FILE, { throwIfNoEntry: false });
    return new Set([0, this.#ports.kernel.geteuid(), ...(own === undefined ? [] : [own.uid])]);
  }

  /** What it has printed; a child of its own that still might is not waited for. */
  #read(): void {
    const running = this.#running;
    const buffer = new Uint8Array(4096);
    while (running !== null && !running.isAtEnd) {
      const length = this.#ports.kernel.read(running.output, buffer);
      if (length === null) return;
      if (length === 0) running.isAtEnd = true;
      const text = new TextDecoder().decode(buffer.subarray(0, length));
      running.said = (running.said + text).slice(0, SAID_CHARS_MAX);
    }
  }
}

function verdictOn(
  { path, self, said, isLate }: Running,
  exit: Exit,
  isProgram: boolean,
  discard: () => void,
): Verdict {
  const report = parseReport(said);
  if (succeeded(exit) && report !== null && !isProgram) {
    return { ok: false, reason: `Cannot re-exec ${path}: it is a script, not svinit itself` };
  }
  if (succeeded(exit) && report !== null)
    return { ok: true, self, version: report.svinit, discard };
  const text = said.trim().replaceAll(/\s+/g, ' ').slice(0, SHOWN_CHARS_MAX);
  const why = isLate
    ? `it took longer than ${durationWords(TRIAL_WITHIN)}`
    : succeeded(exit)
      ? 'it is not svinit'
      : exitWords(exit);
  const quoted = text === '' ? '' : `: ${text}`;
  return { ok: false, reason: `Cannot re-exec ${path}: its self-test failed: ${why}${quoted}` };
}
