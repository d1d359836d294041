/**
 * What a service is asked to be and what its process is doing: the types of the lifecycle, and
 * the questions that are answered by looking at them. The moves are in service.ts.
 */
import type { Errand, Reload } from './errand.ts';
import type { Exit } from './exit.ts';
import type { Notification } from './notify.ts';
import type { ProbeKind, ProbeOutcome, ProbeOutcomes } from './probe.ts';
import type { Spec } from './spec.ts';
import { later, type Millis, type Pid, unreachable } from './units.ts';

/** Why a running process was told to stop. */
export type StopReason = 'asked' | 'restart' | 'unready' | 'unwell' | 'probe';

export type Phase =
  /** Nothing runs. With want up: waiting for its needs. */
  | { readonly at: 'down' }
  /** Asked for; the pid is not yet known. */
  | { readonly at: 'spawning' }
  /** Runs, has not said that it is ready (longrun) or has not ended (oneshot). */
  | {
      readonly at: 'starting';
      readonly pid: Pid;
      readonly startedAt: Millis;
      readonly readyBy: Millis | null;
    }
  | {
      readonly at: 'up';
      readonly pid: Pid;
      readonly startedAt: Millis;
      /** It promised a sign of life every so often, the next one by then; absent: it did not. */
      readonly alive?: { readonly every: Millis; readonly by: Millis };
    }
  | {
      readonly at: 'stopping';
      readonly pid: Pid;
      readonly startedAt: Millis;
      readonly killAt: Millis | null;
      readonly why: StopReason;
      /** It has been let go of what it reads, and reads to its end until `killAt`. */
      readonly draining?: true;
    }
  /**
   * `finish` of a longrun, after a run of `ranFor`; pid null: being spawned, or at `retryAt` again,
   * because it was refused for want of a resource.
   */
  | {
      readonly at: 'finishing';
      readonly pid: Pid | null;
      readonly killAt: Millis | null;
      readonly retryAt: Millis | null;
      readonly ranFor: Millis;
      /** How long it had been ready, of what said so itself. */
      readonly readyFor?: Millis;
      readonly why: StopReason | null;
    }
  /** `down` of a oneshot, in the same way. */
  | {
      readonly at: 'undoing';
      readonly pid: Pid | null;
      readonly killAt: Millis | null;
      readonly retryAt: Millis | null;
    }
  /** Died, or could not be spawned; tried again at `until`. */
  | { readonly at: 'backoff'; readonly until: Millis }
  /** Ran to its end, as it should. */
  | { readonly at: 'done' }
  /** Given up; needs a person. */
  | { readonly at: 'failed' };

export type Want = 'up' | 'down';

export type Service = {
  readonly want: Want;
  readonly phase: Phase;
  /** When `phase.at` last changed. */
  readonly since: Millis;
  /** Failures in a row; a healthy run resets it. */
  readonly failures: number;
  /** When the last failures were, oldest first; at most `restart.limit` + 1 of them. */
  readonly failedAt: readonly Millis[];
  /** Spawns refused for want of a resource, in a row: not the service's failure. */
  readonly refusals: number;
  /** Processes started since this supervisor knows the service, the first included. */
  readonly starts: number;
  readonly exit: Exit | null;
  readonly exitAt: Millis | null;
  /** Why the last spawn failed, in words; null when it did not. */
  readonly error: string | null;
  /** What moved it last, in words. */
  readonly cause: string;
  /** When connections started it lately, oldest first; absent: none did. */
  readonly calledAt?: readonly Millis[];
  /** Programs beside its own, and what waits for them; absent: none. */
  readonly errands?: readonly Errand[];
  /** Its `control/u` has been asked: it starts as soon as it may. */
  readonly admitted?: true;
  /** How far its reload is, or how the last one ended; absent: there was none. */
  readonly reload?: Reload;
  /** What its process says of itself; absent: nothing. */
  readonly status?: string;
  /** What came of its probes last; absent: nothing yet. */
  readonly probes?: ProbeOutcomes;
};

export type Event =
  | { readonly type: 'want'; readonly want: Want; readonly cause: string }
  | { readonly type: 'admit' }
  /** `drains`: nobody writes to what it reads, and nobody is to. */
  | { readonly type: 'release'; readonly drains?: boolean }
  | { readonly type: 'restart'; readonly cause: string }
  | { readonly type: 'retry'; readonly cause: string }
  /** A connection is there for a lazy service. */
  | { readonly type: 'called'; readonly cause: string }
  /** Nobody waits for what is stopping any more: it is killed now. */
  | { readonly type: 'skip'; readonly cause: string }
  | { readonly type: 'spawned'; readonly pid: Pid }
  | { readonly type: 'spawnFailed'; readonly reason: string; readonly transient: boolean }
  | { readonly type: 'ready' }
  | { readonly type: 'notified'; readonly said: Notification }
  | ({ readonly type: 'probed'; readonly kind: ProbeKind } & ProbeOutcome)
  | { readonly type: 'exited'; readonly exit: Exit; readonly oomKills?: number }
  | { readonly type: 'deadline' };

export type Role = 'start' | 'finish' | 'down';
/** Whose end the lifecycle does not wait for: see errands.ts. */
export type ErrandRole = 'control' | 'reload';

export type Effect =
  | { readonly do: 'spawn'; readonly role: Role }
  /** Its input is held for writing from now on, or not: then who reads it comes to its end. */
  | { readonly do: 'pipe'; readonly hold: boolean }
  | { readonly do: 'signal'; readonly pid: Pid; readonly signal: number; readonly group: boolean };

/** The service after an event, and what is to be done about it. */
export type Step = readonly [Service, readonly Effect[]];

export function newService(now: Millis): Service {
  return {
    want: 'down',
    phase: { at: 'down' },
    since: now,
    failures: 0,
    failedAt: [],
    refusals: 0,
    starts: 0,
    exit: null,
    exitAt: null,
    error: null,
    cause: 'not asked for',
  };
}

/** When this phase must be looked at again, or null. */
export function deadline(phase: Phase): Millis | null {
  switch (phase.at) {
    case 'starting':
      return phase.readyBy;
    case 'up':
      return phase.alive?.by ?? null;
    case 'stopping':
      return phase.killAt;
    case 'finishing':
    case 'undoing':
      return phase.retryAt ?? phase.killAt;
    case 'backoff':
      return phase.until;
    case 'down':
    case 'spawning':
    case 'done':
    case 'failed':
      return null;
    default:
      return unreachable(phase);
  }
}

/** The end of a limit that begins now; null: there is none. */
export const within = (limit: Millis | null, now: Millis): Millis | null =>
  limit === null ? null : later(now, limit);

/** The process of this phase, whichever role it has; null when there is none. */
export function pidOf(phase: Phase): Pid | null {
  return 'pid' in phase ? phase.pid : null;
}

/** Something runs or is about to: the service is not at rest. */
export function isActive(svc: Service, spec: Spec): boolean {
  switch (svc.phase.at) {
    case 'down':
    case 'backoff':
    case 'failed':
      return false;
    case 'done':
      return spec.type === 'oneshot';
    case 'spawning':
    case 'starting':
    case 'up':
    case 'stopping':
    case 'finishing':
    case 'undoing':
      return true;
    default:
      return unreachable(svc.phase);
  }
}

/** Ready: what needs it may start. */
export function isMet(svc: Service, spec: Spec): boolean {
  return svc.phase.at === 'up' || (svc.phase.at === 'done' && spec.type === 'oneshot');
}

/** The event does not fit: nothing changes. */
export const same = (svc: Service): Step => [svc, []];

/** Moves to `phase`; `since` is kept when only its details changed. */
export function to(svc: Service, phase: Phase, now: Millis, effects: readonly Effect[] = []): Step {
  const since = svc.phase.at === phase.at ? svc.since : now;
  return [{ ...svc, phase, since }, effects];
}
