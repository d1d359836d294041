/**
 * A service as a supervisor of its own would show it: what s6-supervise and runsv keep in their
 * status files, and the events that s6's clients wait for, made from how svinit shows the service
 * to its clients. Pure: moments are milliseconds since 1970 and given.
 */
import type { RunitStatus } from './runit-records.ts';
import type { S6Status } from './s6-records.ts';
import type { ServiceView } from './service-view.ts';

export type Supervised = {
  readonly state: 'down' | 'run' | 'finish';
  readonly pid: number | null;
  /** Of the last change between up and down. */
  readonly changedAt: number;
  /** When it became ready, or down with nothing left to run. */
  readonly readyAt: number;
  /** When `run` was started, or when all of it had ended: runit's one moment. */
  readonly stampedAt: number;
  readonly ready: boolean;
  readonly wantUp: boolean;
  /** Given up: not restarted before somebody asks. */
  readonly failed: boolean;
  readonly wstat: number;
  readonly paused: boolean;
  readonly gotTerm: boolean;
};

export type Death = { readonly at: number; readonly wstat: number };

export type Moved = {
  readonly next: Supervised;
  /** What is written into each event FIFO, one string a write (s6-supervise(8)). */
  readonly events: readonly string[];
  readonly deaths: readonly Death[];
};

/**
 * The service when it is first seen.
 * @param kept What an earlier view of it said last: of the same process it knows more.
 */
export function firstSeen(view: ServiceView, kept: S6Status | null, now: number): Supervised {
  const { pid } = view;
  const state = stateOf(view);
  const since = now - view.forMs;
  const isKnown = pid !== null && kept?.pid === pid && kept.finishing === (state === 'finish');
  const changedAt = isKnown ? kept.changedAt : since;
  const ready = state === 'run' ? isReady(view) || (isKnown && kept.ready) : state === 'down';
  return {
    state,
    pid,
    changedAt,
    readyAt: isKnown ? kept.readyAt : since,
    stampedAt: changedAt,
    ready,
    wantUp: wantsUp(view),
    failed: view.state === 'failed',
    wstat: view.wstat ?? 0,
    paused: isKnown && kept.paused,
    gotTerm: state === 'run' && view.state === 'stopping',
  };
}

/** The service after a move, and who is to hear of what. */
export function moved(last: Supervised, view: ServiceView, now: number): Moved {
  const state = stateOf(view);
  const { pid } = view;
  // Between the death of `run` and the start of `finish` there is nothing to show yet.
  if (state === 'finish' && pid === null) return { next: last, events: [], deaths: [] };
  const isNew = state === 'run' && (last.state !== 'run' || last.pid !== pid);
  const died = last.state === 'run' && (state !== 'run' || isNew);
  const ended = state !== 'finish' && (died || last.state === 'finish');
  const failed = view.state === 'failed';
  const diedAt = now - Math.min(view.lastExitMs ?? 0, view.forMs);
  const next: Supervised = {
    ...(isNew ? started(last, now - view.forMs) : last),
    ...(state !== 'run' && last.state === 'run' ? { changedAt: diedAt, ready: false } : {}),
    ...(state === 'down' && ended ? { readyAt: now, stampedAt: now, ready: true } : {}),
    ...(state === 'run' ? {} : { paused: false, gotTerm: false }),
    state,
    pid,
    wantUp: wantsUp(view),
    failed,
    wstat: view.wstat ?? 0,
  };
  const becameReady = state === 'run' && isReady(view) && !next.ready;
  const told = state === 'run' && view.state === 'stopping';
  return {
    next: {
      ...next,
      ...(becameReady ? { ready: true, readyAt: now } : {}),
      gotTerm: next.gotTerm || told,
    },
    events: [
      ...(died ? ['d'] : []),
      ...(ended ? [failed ? 'OD' : 'D'] : []),
      ...(failed && !last.failed && !ended ? ['O'] : []),
      ...(isNew ? ['u'] : []),
      ...(becameReady ? ['U'] : []),
    ],
    deaths: died ? [{ at: diedAt, wstat: view.wstat ?? 0 }] : [],
  };
}

export function s6StatusOf(service: Supervised): S6Status {
  const { changedAt, readyAt, pid, wstat, paused, wantUp, ready, state } = service;
  return { changedAt, readyAt, pid, wstat, paused, wantUp, ready, finishing: state === 'finish' };
}

export function runitStatusOf(service: Supervised): RunitStatus {
  const { stampedAt, pid, paused, wantUp, gotTerm, state } = service;
  return { changedAt: stampedAt, pid, paused, wantUp, gotTerm, state };
}

/** Whether the service has its main process, runs `finish`, or neither. */
function stateOf({ state, pid }: ServiceView): Supervised['state'] {
  if (state === 'finishing') return 'finish';
  const runs = state === 'starting' || state === 'up' || state === 'stopping';
  return runs && pid !== null ? 'run' : 'down';
}

/** Only what says so itself is ready in the eyes of s6; anything else is just up. */
const isReady = (view: ServiceView): boolean => view.announces && view.state === 'up';

/** Whether it would be started again when it ends. */
const wantsUp = ({ want, once, state }: ServiceView): boolean =>
  want === 'up' && !once && state !== 'failed' && state !== 'done';

function started(last: Supervised, at: number): Supervised {
  return { ...last, changedAt: at, stampedAt: at, ready: false, paused: false, gotTerm: false };
}
