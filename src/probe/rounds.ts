/**
 * Who is asked, and when: one round of tries for each service that is to be asked, from the moment
 * its process runs until it is told what svinit wants to know, or the process is another one.
 */
import {
  type AliveProbe,
  type ProbeKind,
  type ProbeOutcome,
  type ProbeView,
  parseEndpoint,
  parsePage,
} from '../core/probe.ts';
import { type Judged, judgeAlive, judgeReady, NO_TALLY, type Tried } from '../core/probe-tally.ts';
import type { Millis } from '../core/units.ts';
import { Lines, type LogLines } from './lines.ts';
import type { Programs } from './programs.ts';
import { codeOf, type Limits, tryFile, tryHttp, tryTcp } from './tries.ts';

export type RoundPorts = {
  readonly programs: Programs;
  /** The log of a service. */
  readonly log: (name: string) => LogLines;
  /** CLOCK_MONOTONIC. */
  readonly now: () => Millis;
  readonly tell: (view: ProbeView, outcome: ProbeOutcome) => void;
};

/** A time of a file is that of the last tick of the kernel's clock: up to so much too early. */
const FILE_TOLERANCE_MS = 20;
/** Between two looks at a log that has more in it than one look takes. */
const MORE_MS = 1;

export class Rounds {
  readonly #ports: RoundPorts;
  readonly #rounds = new Map<string, Round>();

  constructor(ports: RoundPorts) {
    this.#ports = ports;
  }

  /** Asks as `view` says, instead of what was asked of the service before. */
  begin(view: ProbeView): void {
    this.end(view.name);
    const round = new Round(view, this.#ports);
    this.#rounds.set(view.name, round);
    void round.run();
  }

  /** Whether this process is being asked, or has been asked enough. */
  has(name: string, pid: number, kind: ProbeKind): boolean {
    const view = this.#rounds.get(name)?.view;
    return view?.pid === pid && view.kind === kind;
  }

  end(name: string): void {
    this.#rounds.get(name)?.end();
    this.#rounds.delete(name);
  }

  endAll(): void {
    for (const name of this.#rounds.keys()) this.end(name);
  }
}

class Round {
  readonly view: ProbeView;
  readonly #ports: RoundPorts;
  readonly #controller: AbortController = new AbortController();
  /** What the wall clock and CLOCK_MONOTONIC were apart when the process was first seen. */
  readonly #apart: number;
  #lines: Lines | null = null;
  #isStuck = false;

  constructor(view: ProbeView, ports: RoundPorts) {
    this.view = view;
    this.#ports = ports;
    this.#apart = Date.now() - ports.now();
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#controller;
    for (let tally = NO_TALLY; !signal.aborted; ) {
      const tried = await this.#try().catch((error: unknown) => failed(error));
      if (signal.aborted) break;
      const judged = this.#judge(tally, tried);
      tally = judged.tally;
      if (judged.tell !== null) this.#ports.tell(this.view, judged.tell);
      if (judged.isOver) break;
      await pause(tried.isMore === true ? MORE_MS : this.view.probe.interval, signal);
    }
    this.#lines?.close();
    this.#lines = null;
  }

  end(): void {
    this.#controller.abort();
  }

  #judge(tally: typeof NO_TALLY, tried: Tried): Judged {
    const { kind, probe, startedAt } = this.view;
    const now = this.#ports.now();
    if (kind === 'ready') return judgeReady(tally, probe, tried, now);
    return judgeAlive(tally, probe as AliveProbe, tried, now - startedAt, now);
  }

  async #try(): Promise<Tried & { readonly isMore?: boolean }> {
    const { probe, name, pid } = this.view;
    const limits = { timeoutMs: probe.timeout, signal: this.#controller.signal };
    const endpoint = probe.tcp === undefined ? null : parseEndpoint(probe.tcp);
    if (endpoint !== null) return tryTcp(endpoint, limits);
    const page = probe.http === undefined ? null : parsePage(probe.http);
    if (page !== null) return tryHttp(page, probe, limits);
    if (probe.exec !== undefined) return this.#program(limits);
    if (probe.file !== undefined) return this.#file(probe.file, limits);
    const { log, now } = this.#ports;
    this.#lines ??= new Lines(log(name), pid, probe.line ?? '', now());
    return this.#lines.look(now());
  }

  async #program(limits: Limits): Promise<Tried> {
    const { program } = this.view;
    if (program === null || typeof program === 'string') {
      return { ok: false, detail: program ?? 'there is no program' };
    }
    if (this.#isStuck) return { ok: false, detail: 'the last one has not ended yet' };
    this.#isStuck = true;
    return this.#ports.programs.run(program, limits, () => {
      this.#isStuck = false;
    });
  }

  #file(path: string, limits: Limits): Promise<Tried> {
    const { kind, isRooted, pid, startedAt } = this.view;
    const place = isRooted ? `/proc/${pid}/root${path}` : path;
    if (kind === 'alive') return tryFile(place, null, limits);
    // The clock may have been set since: what is newer by either reckoning is not of another run.
    const apart = Math.min(this.#apart, Date.now() - this.#ports.now());
    return tryFile(place, startedAt + apart - FILE_TOLERANCE_MS, limits);
  }
}

const failed = (error: unknown): Tried & { readonly isMore?: boolean } => ({
  ok: false,
  detail: codeOf(error),
});

function pause(delayMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const end = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, delayMs);
    signal.addEventListener('abort', end);
  });
}
