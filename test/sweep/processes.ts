/**
 * The children of a machine: what they are started as, when they say that they are ready, how they
 * take signals and when they end. Two of one service at a time are noted.
 */
import type { OpenFile } from './file.ts';
import type { Machine } from './machine.ts';

export type Child = {
  readonly pid: number;
  /** The name of the service directory, or the last part of the program's path. */
  readonly service: string;
  /** `run`, `up`, `finish`, `down`; the path of anything else. */
  readonly program: string;
  /** Where it prints, for /proc/PID/fd. */
  readonly output: string;
  /** Where it says that it is ready: the write end of a pipe. */
  readonly notification: OpenFile | null;
  readonly startedAt: number;
  state: 'running' | 'zombie';
  status: number;
};

/** How a program behaves. */
export type Behaviour = {
  /** `run` ends so long after its start, with this wait status; null: it runs on. */
  readonly ends?: { readonly afterMs: number; readonly status: number };
  /** It writes a newline to its notification descriptor so long after its start. */
  readonly readyMs?: number;
  /** It does not care for SIGTERM. */
  readonly isStubborn?: boolean;
};

export const SIGKILL = 9;
const SIGTERM = 15;
const EXITS_AFTER_MS = 5;

export class Processes {
  readonly all: Map<number, Child> = new Map();
  /** Services of which two programs ran at a time. */
  readonly doubled: string[] = [];
  readonly #machine: Machine;
  readonly #behaviours: (service: string) => Behaviour;
  #lastPid = 100;

  constructor(machine: Machine, behaviours: (service: string) => Behaviour) {
    this.#machine = machine;
    this.#behaviours = behaviours;
  }

  start(like: Pick<Child, 'service' | 'program' | 'output' | 'notification'>): number {
    const machine = this.#machine;
    this.#lastPid += 1;
    const startedAt = machine.now;
    const child: Child = { ...like, pid: this.#lastPid, startedAt, state: 'running', status: 0 };
    const { service, program } = child;
    const twins = this.running().filter((other) => other.service === service);
    for (const twin of twins) this.doubled.push(`${service}: ${program} beside ${twin.program}`);
    this.all.set(child.pid, child);
    if (child.notification?.reader) child.notification.reader.writers += 1;

    const { ends, readyMs } = this.#behaviours(service);
    if (program !== 'run') machine.after(EXITS_AFTER_MS, () => this.end(child, 0));
    else if (ends !== undefined) machine.after(ends.afterMs, () => this.end(child, ends.status));
    if (readyMs !== undefined && program === 'run') {
      machine.after(readyMs, () => this.#say(child, '\n'));
    }
    return child.pid;
  }

  running(): Child[] {
    return [...this.all.values()].filter(({ state }) => state === 'running');
  }

  /** The running main program of a service. */
  main(service: string): Child | null {
    return this.running().find((child) => child.service === service) ?? null;
  }

  /** Whether there was someone to signal; a zombie is. */
  signal(pid: number, signal: number): boolean {
    const child = this.all.get(Math.abs(pid));
    if (child === undefined) return false;
    const { isStubborn } = this.#behaviours(child.service);
    if (signal === SIGKILL) this.end(child, signal);
    if (signal === SIGTERM && isStubborn !== true) {
      this.#machine.after(EXITS_AFTER_MS, () => this.end(child, signal));
    }
    return true;
  }

  end(child: Child, status: number): void {
    if (child.state === 'zombie') return;
    child.state = 'zombie';
    child.status = status;
    if (child.notification?.reader) this.#machine.unhold(child.notification.reader);
    this.#machine.signal('SIGCHLD');
  }

  /** One that has ended and is not reaped: `pid`, or with -1 any. */
  zombie(pid: number): Child | null {
    for (const child of this.all.values()) {
      if (child.state === 'zombie' && (pid === -1 || child.pid === pid)) return child;
    }
    return null;
  }

  #say(child: Child, text: string): void {
    const reader = child.notification?.reader ?? null;
    if (reader === null || child.state === 'zombie') return;
    reader.chunks.push(new TextEncoder().encode(text));
    this.#machine.hint(reader);
  }
}
