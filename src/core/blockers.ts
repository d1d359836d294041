/**
 * What has begun and what is to begin, as clients and people at the console see it: who is waited
 * for on the way down, why, and how much longer. It changes nothing.
 */
import { edgesOf } from './edges.ts';
import type { StateWord } from './methods.ts';
import { deadline, isActive, pidOf } from './phase.ts';
import { type HaltKind, isSkipped, othersRun, type System } from './system.ts';
import { durationWords, type Millis } from './units.ts';
import { scheduledView, stateOf } from './views.ts';

/** A way down that is to begin later, as clients see it. */
export type ScheduledView = {
  readonly kind: HaltKind;
  readonly cause: string;
  readonly message: string;
  /** Milliseconds until it begins. */
  readonly inMs: number;
};

/** What is in the way of going down, as clients see it. Durations are milliseconds. */
export type ShutdownView = {
  readonly halting: {
    readonly kind: HaltKind;
    readonly cause: string;
    /** Until what still runs is killed. */
    readonly leftMs: number;
  } | null;
  readonly scheduled: ScheduledView | null;
  readonly waitingFor: readonly WaitedFor[];
  /** Given up, and not at rest yet. */
  readonly skipped: readonly string[];
};

export type WaitedFor = {
  readonly name: string;
  readonly state: StateWord;
  readonly pid: number | null;
  readonly forMs: number;
  /** Until it is killed; null: never, or it has not been told to stop yet. */
  readonly killInMs: number | null;
  /** Those that must be at rest before it is told to stop. */
  readonly heldBy: readonly string[];
};

export function shutdownView(system: System, now: Millis): ShutdownView {
  const { halt } = system;
  const scheduled = scheduledView(system, now);
  if (halt === null) return { halting: null, scheduled, waitingFor: [], skipped: [] };
  const { kind, cause, by } = halt;
  const halting = { kind, cause, leftMs: Math.max(0, Math.round(by - now)) };
  const waitingFor = [...system.units.keys()]
    .filter((name) => isWaitedFor(system, name))
    .map((name) => waitedFor(system, name, now));
  const skipped = halt.skipped.filter((name) => runs(system, name));
  return { halting, scheduled, waitingFor, skipped };
}

/** The way down does not end before it is at rest. */
export function isWaitedFor(system: System, name: string): boolean {
  const unit = system.units.get(name);
  return unit !== undefined && isActive(unit.service, unit.spec) && !isSkipped(system, name);
}

/** One line for the console: who is waited for, and how much longer; null when nobody is. */
export function waitingWords(system: System, now: Millis): string | null {
  const { halting, waitingFor } = shutdownView(system, now);
  if (halting === null || waitingFor.length === 0) return null;
  // Those that are held only wait for the others.
  const stopping = waitingFor.filter(({ heldBy }) => heldBy.length === 0);
  const shown = stopping.slice(0, SHOWN_MAX).map((one) => {
    const kill = one.killInMs === null ? '' : `, killed in ${durationWords(one.killInMs)}`;
    const pid = one.pid === null ? '' : `pid ${one.pid}, `;
    return `${one.name} (${pid}${one.state} for ${durationWords(one.forMs)}${kill})`;
  });
  const left = waitingFor.length - shown.length;
  const more = left === 0 ? '' : ` and ${left} more`;
  const end = durationWords(halting.leftMs);
  return `${halting.kind} waits for ${shown.join(', ')}${more}; at most ${end} more`;
}

/** Names on one line of a console. */
const SHOWN_MAX = 4;

function waitedFor(system: System, name: string, now: Millis): WaitedFor {
  const unit = system.units.get(name);
  if (unit === undefined) throw new TypeError(`There is no ${name}`);
  const { service, spec } = unit;
  const { phase } = service;
  const isTold = phase.at === 'stopping' || phase.at === 'finishing' || phase.at === 'undoing';
  const dependants = isTold ? [] : edgesOf(system.graph.dependants, name);
  const others = spec.early && !isTold && othersRun(system) ? [...system.active] : [];
  const heldBy = [...new Set([...dependants, ...others])];
  const due = isTold ? deadline(phase) : null;
  return {
    name,
    state: stateOf(service),
    pid: pidOf(phase),
    forMs: Math.round(now - service.since),
    killInMs: due === null ? null : Math.max(0, Math.round(due - now)),
    heldBy: heldBy.filter((other) => isWaitedFor(system, other)),
  };
}

function runs(system: System, name: string): boolean {
  const unit = system.units.get(name);
  return unit !== undefined && isActive(unit.service, unit.spec);
}
