/**
 * Every way out leads back in: the ledger is kept up to date, a dying runtime becomes a fresh image
 * by a handler that needs no runtime, and so does one whose main thread hangs, because then nobody
 * puts the alarm off. Five revivals within a minute end in safe mode.
 */
import { turnRecord } from '../core/ledger.ts';
import { signalName } from '../core/signals.ts';
import type { System } from '../core/system.ts';
import { type Fd, fd as toFd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Journal } from './journal.ts';
import { Ledger, type LedgerRecord } from './ledger.ts';
import type { Moved } from './loop.ts';
import { DIED_OPTION, STATE_OPTION } from './own-arguments.ts';
import { type Legacy, OWN_FILE, programFile, type Self } from './reexec.ts';

export type LifelinePorts = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly self: Self;
  readonly journal: Journal;
  /** The whole state, as it is now. */
  readonly whole: () => Legacy;
};

/** SIGILL, SIGTRAP, SIGABRT, SIGBUS, SIGFPE, SIGSEGV, SIGALRM and SIGSYS (asm-generic/signal.h). */
const SIGNALS: readonly number[] = [4, 5, 6, 7, 8, 11, 14, 31];
/** The main thread looks at the world once a second; after so long without it, it hangs. */
const HANG_MS = 4000;
const LOOK_EVERY_MS = 1000;
/** On a starved machine it comes late: then it gets so many times its lateness more. */
const PATIENCE = 6;
/** So much a look at a time the lateness is forgotten again. */
const FORGETTING = 0.9;
/** A lifeline that could not be held is tried again after so long. */
const TRY_AGAIN_MS = 30_000;
/** The first look after a start: code is still being loaded and compiled. */
const FIRST_LOOK_MS = 20_000;
const PATIENCE_MS_MAX = 60_000;
/** So many revivals within so long are a crash loop. */
const REVIVALS_MAX = 5;
const REVIVALS_WITHIN_MS = 60_000;

/** Revivals that still count at `now`, that one included. */
export function countRevival(revivals: readonly number[], now: number): number[] {
  return [...revivals.filter((at) => now - at < REVIVALS_WITHIN_MS), now];
}

export const isCrashLoop = (revivals: readonly number[]): boolean =>
  revivals.length >= REVIVALS_MAX;

/** What the image before died of, for people: `SIGSEGV`, `a hang of 4 s`, `its own end`. */
export function deathWords(signal: number): string {
  if (signal === 0) return 'its own end';
  if (signal === 14) return 'a hang of its main thread';
  return `SIG${signalName(signal)}`;
}

export class Lifeline {
  readonly #ports: LifelinePorts;
  readonly #ledger: Ledger;
  #isHeld = false;
  /** It was let go on purpose: this image is about to end. */
  #isReleased = false;
  #tryAgainAt = 0;
  #lookedAt: number | null = null;
  #lateness = 0;

  constructor(ports: LifelinePorts) {
    this.#ports = ports;
    this.#ledger = new Ledger(ports.kernel);
  }

  /** This image would be brought back. */
  get isHeld(): boolean {
    return this.#isHeld;
  }

  /** Writes the whole state and installs the handlers. Without them svinit goes on as it is. */
  hold(): void {
    const { kernel, self } = this.#ports;
    this.#isReleased = false;
    this.#tryAgainAt = kernel.monotonic() + TRY_AGAIN_MS;
    this.#guard('hold the lifeline', () => {
      this.#rewrite();
      for (const fd of [0, 1, 2]) kernel.setCloexec(toFd(fd), false);
      const fd = this.#ledger.fd;
      kernel.installRevival({
        // By its file, which may have lost its name; by its name, should /proc be gone.
        paths: [OWN_FILE, self.path],
        argvFor: (signal) => this.#argv(fd, signal),
        env: self.env,
        signals: SIGNALS,
      });
      this.#isHeld = true;
      this.#lookedAt = null;
      kernel.putOffAlarm(FIRST_LOOK_MS);
    });
  }

  /** The look at the world is late: a storm of signals can keep the runtime from its timers. */
  get isLate(): boolean {
    const at = this.#lookedAt;
    return at !== null && this.#ports.kernel.monotonic() - at > LOOK_EVERY_MS;
  }

  /** The main thread lives. Called once a second, and whenever it looks at the world besides. */
  putOff(): void {
    const { kernel } = this.#ports;
    const now = kernel.monotonic();
    if (!this.#isHeld) {
      if (!this.#isReleased && this.#tryAgainAt > 0 && now >= this.#tryAgainAt) this.hold();
      return;
    }
    const before = this.#lookedAt;
    this.#lookedAt = now;
    // Since the very first look the alarm is that of the start: nothing is known of lateness yet.
    if (before === null) return;
    const late = Math.max(0, now - before - LOOK_EVERY_MS);
    this.#lateness = Math.max(late, this.#lateness * FORGETTING);
    const within = Math.min(HANG_MS + PATIENCE * this.#lateness, PATIENCE_MS_MAX);
    this.#guard('put off the alarm', () => kernel.putOffAlarm(within));
  }

  /** Begins a fresh image as if this one had died. @throws {SysError} when the exec failed. */
  revive(): void {
    const { kernel, self } = this.#ports;
    kernel.execve(programFile(self.path), this.#argv(this.#ledger.fd, 0), self.env);
  }

  /** What comes now may take long, and is the end of this image: no alarm, no ledger any more. */
  release(): void {
    if (this.#isHeld) this.#guard('take the alarm away', () => this.#ports.kernel.putOffAlarm(0));
    this.#isHeld = false;
    this.#isReleased = true;
    this.#guard('let go of the ledger', () => this.#ledger.leave());
  }

  /** Notes what has moved in the system. */
  turn({ touched, jobs, whole }: Moved): void {
    if (touched.size === 0 && jobs.size === 0 && !whole) return;
    this.note({ k: 'turn', turn: turnRecord(this.#ports.system, touched, jobs) });
  }

  /** Definitions have changed: records do not tell of them. */
  redefined(): void {
    if (this.#ledger.fd !== null) this.#guard('write the ledger', () => this.#rewrite());
  }

  note(record: LedgerRecord): void {
    this.#guard('write the ledger', () => {
      if (this.#ledger.isDue()) this.#rewrite();
      else this.#ledger.append(record);
    });
  }

  #argv(fd: Fd | null, signal: number): string[] {
    const { program, given } = this.#ports.self;
    return [...program, `${STATE_OPTION}${fd}`, `${DIED_OPTION}${signal}`, ...given];
  }

  #rewrite(): void {
    const { turns: _, ...state } = this.#ports.whole();
    this.#ledger.rewrite(state);
  }

  #guard(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#ports.journal.error(`Cannot ${what}: ${reason}`);
    }
  }
}
