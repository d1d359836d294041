/**
 * Programs that a service has beside its own: those of `control/`, which runsv(8) asks before it
 * signals or starts (when one ends well, the signal is not sent), and the one that reloads it.
 *
 * They run one at a time, in the order in which they were asked for, and what is to come after one
 * waits for it; nothing else does. Each has a limit, after which it is killed and counts as failed.
 * The lifecycle itself is in service.ts and knows nothing of them: here its effects are held back.
 */

import { signalWish, tellWishes, type Wish, wishesOf } from './control-asked.ts';
import { CONTROL_WITHIN, type Errand, type Next } from './errand.ts';
import { type Exit, exitWords, succeeded } from './exit.ts';
import {
  deadline,
  type Effect,
  type ErrandRole,
  type Event,
  pidOf,
  type Service,
  same,
  to,
  within,
} from './phase.ts';
import {
  reloadBegun,
  reloadEnded,
  reloaded,
  reloadOrdered,
  reloadOverdue,
  toldToReload,
} from './reloading.ts';
import { step } from './service.ts';
import { SIGHUP, SIGKILL } from './signals.ts';
import type { Spec } from './spec.ts';
import type { Millis, Pid } from './units.ts';

export type ErrandEvent =
  | { readonly type: 'errandSpawned'; readonly of: ErrandRole; readonly pid: Pid }
  /** `exit` null: it never ran, for `reason`. */
  | {
      readonly type: 'errandEnded';
      readonly of: ErrandRole;
      readonly exit: Exit | null;
      readonly reason: string | null;
    }
  /** Somebody sends it a signal. */
  | { readonly type: 'told'; readonly signal: number }
  | { readonly type: 'reload' };

/** What is to be done about a service, its errands among it. */
export type Deed =
  | Effect
  | { readonly do: 'spawn'; readonly role: ErrandRole; readonly run: string };

/** What `event` makes of `svc`, and what is to be done now; the rest is held back. */
export function act(
  svc: Service,
  event: Event | ErrandEvent,
  spec: Spec,
  now: Millis,
): readonly [Service, readonly Deed[]] {
  switch (event.type) {
    case 'errandSpawned':
      if (event.of === 'reload') return [reloadBegun(svc, event.pid, spec, now), []];
      return begun(svc, event.pid);
    case 'errandEnded':
      if (event.of === 'reload') return [reloadEnded(svc, problemIn(event)), []];
      return ended(svc, event.exit, now);
    case 'told':
      return through(svc, tellWishes(svc, event.signal, spec), now);
    case 'reload':
      return reload(svc, spec, now);
    case 'deadline': {
      const [next, deeds] = overdue(svc, now);
      const [last, more] = moved(next, event, spec, now);
      return [last, [...deeds, ...more]];
    }
    default:
      return moved(svc, event, spec, now);
  }
}

/** When this service must be looked at again, or null. */
export function deadlineOf({ phase, errands, reload }: Service): Millis | null {
  if (errands === undefined && reload === undefined) return deadline(phase);
  const dues = [
    deadline(phase),
    errands?.[0]?.by ?? null,
    reload !== undefined && 'by' in reload ? reload.by : null,
  ].filter((due) => due !== null);
  return dues.length === 0 ? null : (Math.min(...dues) as Millis);
}

/** The processes of errands under way, as far as they are known. */
export function errandPids({ errands, reload }: Service): readonly Pid[] {
  if (errands === undefined && reload === undefined) return [];
  const pids = [errands?.[0]?.pid ?? null, reload?.at === 'running' ? reload.pid : null];
  return pids.filter((pid) => pid !== null);
}

/** Which of them `pid` is. */
export const errandOf = ({ reload }: Service, pid: Pid): ErrandRole =>
  reload?.at === 'running' && reload.pid === pid ? 'reload' : 'control';

/** The lifecycle's own step, with what it asks for put behind those who are to be asked first. */
function moved(
  svc: Service,
  event: Event,
  spec: Spec,
  now: Millis,
): readonly [Service, readonly Deed[]] {
  const [stepped, effects] = step(svc, event, spec, now);
  const next = withoutAdmission(reloaded(stepped, event));
  const isAdmitted = stepped.admitted === true;
  if (spec.control === undefined && next.errands === undefined) return [next, effects];
  return through(next, wishesOf(next, effects, spec, isAdmitted), now);
}

/** It has been used, or nobody wants it any more. */
function withoutAdmission(svc: Service): Service {
  if (svc.admitted === undefined || (svc.phase.at === 'down' && svc.want === 'up')) return svc;
  const { admitted: _, ...rest } = svc;
  return rest;
}

function through(
  svc: Service,
  wishes: readonly Wish[],
  now: Millis,
): readonly [Service, readonly Deed[]] {
  const isStarting = svc.phase.at === 'spawning';
  // A start that came to nothing is not to come back with the next one.
  const errands = (svc.errands ?? []).map(
    (errand): Errand =>
      errand.next.do === 'start' && !isStarting ? { ...errand, next: { do: 'nothing' } } : errand,
  );
  const deeds: Deed[] = [];
  for (const { run, effect } of wishes) {
    const waits = run !== '' || (errands.length > 0 && effect !== null && canWait(effect));
    if (!waits && effect !== null) deeds.push(effect);
    if (waits) errands.push({ run, pid: null, begun: false, by: null, next: nextOf(effect) });
  }
  return goOn(svc, errands, deeds, now);
}

/** A kill by the clock, `finish` and `down` wait for nobody. */
function canWait(effect: Effect): boolean {
  if (effect.do === 'spawn') return effect.role === 'start';
  return effect.do === 'signal' && !effect.group && effect.signal !== SIGKILL;
}

function nextOf(effect: Effect | null): Next {
  if (effect?.do === 'spawn') return { do: 'start' };
  if (effect?.do !== 'signal') return { do: 'nothing' };
  return { do: 'signal', pid: effect.pid, signal: effect.signal };
}

/** Does what waits at the head, and begins the first program there is. */
function goOn(
  before: Service,
  waiting: readonly Errand[],
  done: readonly Deed[],
  now: Millis,
): readonly [Service, readonly Deed[]] {
  let svc = before;
  const errands = [...waiting];
  const deeds = [...done];
  for (let head = errands[0]; head !== undefined && !head.begun; head = errands[0]) {
    const { run, next } = head;
    if (run !== '') {
      errands[0] = { ...head, begun: true, by: within(CONTROL_WITHIN, now) };
      deeds.push({ do: 'spawn', role: 'control', run });
      break;
    }
    errands.shift();
    const [moved, more] = after(svc, next, now);
    svc = moved;
    deeds.push(...more);
  }
  return [withErrands(svc, errands), deeds];
}

function withErrands(svc: Service, errands: readonly Errand[]): Service {
  const before = svc.errands ?? [];
  // The same service, as long as nothing has come of the event.
  const isSame = errands.length === before.length && errands.every((one, i) => one === before[i]);
  if (isSame) return svc;
  if (errands.length > 0) return { ...svc, errands };
  const { errands: _, ...rest } = svc;
  return rest;
}

/** What was held back, if it still has a meaning. */
function after(svc: Service, then: Next, now: Millis): readonly [Service, readonly Effect[]] {
  const { phase, want } = svc;
  if (then.do === 'start') {
    if (phase.at !== 'spawning') return same(svc);
    // What it needs may have gone meanwhile: it is admitted again, and not asked again.
    const down = to(svc, { at: 'down' }, now);
    return want === 'down' ? down : [{ ...down[0], admitted: true }, []];
  }
  if (then.do !== 'signal' || !isMain(phase.at) || pidOf(phase) !== then.pid) return same(svc);
  return [svc, [{ ...then, group: false }]];
}

/** It has its main process. */
const isMain = (at: string): boolean => at === 'starting' || at === 'up' || at === 'stopping';

function begun(svc: Service, pid: Pid): readonly [Service, readonly Deed[]] {
  const [head, ...rest] = svc.errands ?? [];
  if (head === undefined || !head.begun || head.pid !== null) return same(svc);
  return [{ ...svc, errands: [{ ...head, pid }, ...rest] }, []];
}

function ended(svc: Service, exit: Exit | null, now: Millis): readonly [Service, readonly Deed[]] {
  const [head, ...rest] = svc.errands ?? [];
  if (head === undefined || !head.begun) return same(svc);
  // One that ends well has done what the signal was for (runsv(8), "customize control").
  const isOver = exit !== null && succeeded(exit) && head.next.do === 'signal';
  const [next, deeds] = isOver ? same(svc) : after(svc, head.next, now);
  return goOn(next, rest, deeds, now);
}

function problemIn({ exit, reason }: Extract<ErrandEvent, { type: 'errandEnded' }>): string | null {
  if (exit === null) return reason ?? 'it did not run';
  return succeeded(exit) ? null : exitWords(exit);
}

/** Whoever takes too long is killed, and counts as failed. */
function overdue(svc: Service, now: Millis): readonly [Service, readonly Deed[]] {
  const [told, late] = reloadOverdue(svc, now);
  const head = told.errands?.[0];
  const isLate = head !== undefined && head.by !== null && now >= head.by;
  const kills = [late, isLate ? head.pid : null]
    .filter((pid) => pid !== null)
    .map((pid): Deed => ({ do: 'signal', pid, signal: SIGKILL, group: false }));
  if (!isLate) return [told, kills];
  const [next, deeds] = ended(told, null, now);
  return [next, [...kills, ...deeds]];
}

function reload(svc: Service, spec: Spec, now: Millis): readonly [Service, readonly Deed[]] {
  if (spec.reload !== undefined) {
    // Nothing waits for it: it is a program of a person's, and signals are not about it.
    return [reloadOrdered(svc, now), [{ do: 'spawn', role: 'reload', run: 'reload' }]];
  }
  const wish = signalWish(svc, spec.reloadSignal ?? SIGHUP, spec);
  return through(toldToReload(svc, spec, now), [wish], now);
}
