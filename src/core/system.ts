/**
 * All services together: what is wanted, who may start or must stop now, and what is to be done
 * about it. Deterministic: no clock, no randomness, no I/O; the same events at the same instants
 * give the same effects.
 *
 * A `System` is one value with one owner. Its maps are changed in place, because copying them
 * would make every event cost as much as there are services; each service in it is immutable.
 */
import { type Agenda, earliest, newAgenda } from './agenda.ts';
import { deadlineOf } from './errands.ts';
import type { Exit } from './exit.ts';
import type { Graph } from './graph.ts';
import type { Halt, HaltKind, NextInit } from './halt.ts';
import type { Job, JobLook } from './jobs.ts';
import type { Phase, Service } from './phase.ts';
import type { Schedule } from './schedule.ts';
import type { Problem, Spec } from './spec.ts';
import type { SystemEffect } from './system-events.ts';
import type { Millis, Pid } from './units.ts';
import type { Intent } from './wants.ts';

export type { HaltKind } from './halt.ts';
export type { Asker } from './protocol.ts';
export type { SystemEffect, SystemEvent } from './system-events.ts';

export type SystemOptions = {
  /** The bundle wanted at boot. */
  readonly target: string;
  /** How many services may be starting at once. */
  readonly parallel: number;
  /** The service whose end is the end of the container; null on a machine. */
  readonly main: string | null;
  /** From the request to halt until what still runs is killed. */
  readonly haltWithin: Millis;
  /** What TERM to PID 1 and the end of the main service mean here. */
  readonly stopKind: HaltKind;
  /** What a hand-over makes PID 1 when nobody says otherwise. */
  readonly next?: NextInit;
  /** The method `fault` is served. */
  readonly testing: boolean;
  /** After a crash loop: nothing is started or stopped, everything is reaped and answered. */
  readonly safe: boolean;
  /** For `version`. */
  readonly version: string;
  readonly runtime: string;
  readonly pid: Pid;
};

/** A service and the definition it runs with; what is on disk may be newer. */
export type Unit = { readonly service: Service; readonly spec: Spec };

export type System = {
  readonly options: SystemOptions;
  readonly startedAt: Millis;
  /** How many images of svinit this pid has seen; see `reexec`. */
  image: number;
  /** What the last scan found, refused ones left out. */
  definitions: ReadonlyMap<string, Spec>;
  problems: readonly Problem[];
  graph: Graph;
  wanted: Set<string>;
  /** Names that are wanted before anyone asks. */
  meant: ReadonlySet<string>;
  /** Names that a connection starts, should they not be wanted anyway. */
  lazy: Set<string>;
  /** Names of early services, and whether they have all had their chance since boot. */
  early: readonly string[];
  earlySettled: boolean;
  halt: Halt | null;
  /** A way down that is to begin later; null while one is under way. */
  schedule: Schedule | null;
  mainExit: Exit | null;
  /** How far the boot is, and the names that it still waits for. */
  boot: 'unscanned' | 'settling' | 'settled';
  readonly booting: Set<string>;
  readonly units: Map<string, Unit>;
  /** Who prints for whom: names of units by whose input their output goes to. */
  readonly writers: Map<string, Set<string>>;
  readonly pids: Map<Pid, string>;
  /** The same of errands: processes that are not those of the lifecycle. */
  readonly errands: Map<Pid, string>;
  readonly intents: Map<string, Intent>;
  readonly jobs: Map<number, Job>;
  /** Of jobs that have been looked at: derived from them, and not part of the state. */
  readonly looks: Map<number, JobLook>;
  /** Where in the edges of a unit the one was that held it last: where to look first. */
  readonly holding: Map<string, number>;
  readonly agenda: Agenda;
  /** Units between admission and readiness, and those that wait for one of their places. */
  readonly starting: Set<string>;
  readonly throttled: Set<string>;
  /** Units that are not early and not at rest: early ones stop when none is left. */
  readonly active: Set<string>;
};

/** A service that moved, for the log, the console, subscribers and other people's clients. */
export type Change = {
  readonly name: string;
  readonly spec: Spec;
  readonly from: Phase;
  readonly service: Service;
};

export type Outcome = {
  readonly effects: readonly SystemEffect[];
  readonly changes: readonly Change[];
  /** Services whose record is not what it was before. */
  readonly touched: ReadonlySet<string>;
  /** Numbers of jobs that are new, or over. */
  readonly jobs: ReadonlySet<number>;
  /** The boot, the way down or what the main service left is not as it was. */
  readonly whole: boolean;
};

/** The key of the halt's own deadline in the agenda; no service can have this name. */
export const HALT_DEADLINE = '/halt';
/** The same for a way down that is to begin later. */
export const SCHEDULE = '/schedule';
/** Jobs are in the agenda by number, behind this prefix. */
export const JOB_DEADLINE = '/job/';

export function newSystem(options: SystemOptions, now: Millis): System {
  const none = new Map<string, readonly string[]>();
  return {
    options,
    startedAt: now,
    image: 1,
    definitions: new Map(),
    problems: [],
    graph: {
      needs: none,
      order: none,
      pulls: none,
      pulledBy: none,
      dependants: none,
      neededBy: none,
      members: none,
      bundles: none,
    },
    wanted: new Set(),
    meant: new Set(),
    lazy: new Set(),
    early: [],
    earlySettled: false,
    halt: null,
    schedule: null,
    mainExit: null,
    boot: 'unscanned',
    booting: new Set(),
    units: new Map(),
    writers: new Map(),
    pids: new Map(),
    errands: new Map(),
    intents: new Map(),
    jobs: new Map(),
    looks: new Map(),
    holding: new Map(),
    agenda: newAgenda(),
    starting: new Set(),
    throttled: new Set(),
    active: new Set(),
  };
}

/** Puts a unit with a definition that may be another than it had; undefined: there is none. */
export function putUnit({ units, writers }: System, name: string, unit: Unit | undefined): void {
  const [before, after] = [units.get(name)?.spec.output, unit?.spec.output];
  if (unit === undefined) units.delete(name);
  else units.set(name, unit);
  if (before === after) return;
  if (before !== undefined) writers.get(before)?.delete(name);
  if (after !== undefined) writers.set(after, (writers.get(after) ?? new Set()).add(name));
}

/** The services that are early: those that run as such, and those that will. */
export function earlyNames({ units, definitions }: System): string[] {
  return [...units].flatMap(([name, { spec }]) =>
    spec.early || definitions.get(name)?.early === true ? [name] : [],
  );
}

/** Somebody has given it up: the way down does not wait for it. */
export const isSkipped = ({ halt }: System, name: string): boolean =>
  halt?.skipped.includes(name) === true;

/** Services that are not early run, or are about to, and are waited for. */
export function othersRun({ active, halt }: System): boolean {
  const skipped = (halt?.skipped ?? []).filter((name) => active.has(name));
  return active.size > skipped.length;
}

/** When something is due at the earliest: the one timer of the supervisor. Null: nothing is. */
export function wakeAt(system: System): Millis | null {
  return earliest(system.agenda, (key) => dueOf(system, key));
}

/** The instant at which `key` is due now, whatever the agenda remembers. */
export function dueOf(system: System, key: string): Millis | null {
  if (key === HALT_DEADLINE) {
    return system.halt === null || system.halt.released ? null : system.halt.by;
  }
  if (key === SCHEDULE) return system.schedule?.tellAt ?? null;
  if (key.startsWith(JOB_DEADLINE)) {
    return system.jobs.get(Number(key.slice(JOB_DEADLINE.length)))?.by ?? null;
  }
  const unit = system.units.get(key);
  return unit === undefined ? null : deadlineOf(unit.service);
}
