/**
 * How far a reload is. Of a program its end tells. A service that got a signal and speaks
 * sd_notify(3) says that it reloads, and that it is ready again; of any other nobody knows more
 * than that it was told.
 */
import { RELOAD_WITHIN, RELOADING_WITHIN } from './errand.ts';
import { type Event, type Service, within } from './phase.ts';
import type { Spec } from './spec.ts';
import { type Millis, ms, type Pid } from './units.ts';

/** The service once it was signalled. */
export function toldToReload(svc: Service, spec: Spec, now: Millis): Service {
  const says = spec.ready.by === 'notify' && svc.phase.at === 'up';
  if (!says) return { ...svc, reload: { at: 'over', problem: null } };
  return { ...svc, reload: { at: 'asked', by: within(RELOADING_WITHIN, now) ?? now } };
}

/** The same after `event`. */
export function reloaded(svc: Service, event: Event): Service {
  const { reload, phase } = svc;
  // What became of the last one says nothing of a new process.
  if (event.type === 'spawned' && reload?.at === 'over' && phase.at !== 'finishing') {
    const { reload: _, ...fresh } = svc;
    return fresh;
  }
  if (reload?.at !== 'asked' && reload?.at !== 'heard') return svc;
  if (phase.at !== 'starting' && phase.at !== 'up') {
    return { ...svc, reload: { at: 'over', problem: 'it ended before it was ready again' } };
  }
  if (event.type !== 'notified') return svc;
  if (event.said.reloading === true) return { ...svc, reload: { at: 'heard' } };
  const isReady = event.said.ready === true && reload.at === 'heard';
  return isReady ? { ...svc, reload: { at: 'over', problem: null } } : svc;
}

/** The service once its program was ordered. */
export function reloadOrdered(svc: Service, now: Millis): Service {
  return { ...svc, reload: { at: 'running', pid: null, by: within(SPAWNED_WITHIN, now) } };
}

export function reloadBegun(svc: Service, pid: Pid, spec: Spec, now: Millis): Service {
  if (svc.reload?.at !== 'running' || svc.reload.pid !== null) return svc;
  const { reloadWithin: limit = RELOAD_WITHIN } = spec;
  return { ...svc, reload: { at: 'running', pid, by: within(limit, now) } };
}

export function reloadEnded(svc: Service, problem: string | null): Service {
  return svc.reload?.at === 'running' ? { ...svc, reload: { at: 'over', problem } } : svc;
}

/** What becomes of it when its time is up, and the process to kill. */
export function reloadOverdue(svc: Service, now: Millis): readonly [Service, Pid | null] {
  const { reload } = svc;
  if (reload === undefined || !('by' in reload) || reload.by === null || now < reload.by) {
    return [svc, null];
  }
  // It said nothing in time: it is not one that would.
  if (reload.at === 'asked') return [{ ...svc, reload: { at: 'over', problem: null } }, null];
  const problem = reload.pid === null ? 'it did not run' : 'it took too long and was killed';
  return [{ ...svc, reload: { at: 'over', problem } }, reload.pid];
}

/** For a process to be made: an image of svinit that ends meanwhile forgets it. */
const SPAWNED_WITHIN = ms(10_000);
