/**
 * The lifecycle of one service: what it is asked to be (want) and what its process is doing
 * (phase) are two fields, and this reducer moves the second towards the first.
 *
 * It knows nothing of other services: `admit` says that its needs are ready, `release` that no
 * dependant runs any more. Both come from system.ts.
 */
import { exited, spawned, spawnFailed } from './aftermath.ts';
import { calledUp } from './lazy-service.ts';
import { notified, SIGABRT, up } from './notified.ts';
import {
  deadline,
  type Event,
  type Service,
  type Step,
  type StopReason,
  same,
  to,
  type Want,
  within,
} from './phase.ts';
import { probed } from './probed.ts';
import { SIGCONT, SIGKILL } from './signals.ts';
import type { Spec } from './spec.ts';
import { later, type Millis, ms, type Pid, unreachable } from './units.ts';

/** s6-supervise repeats its KILL every five seconds; so do we (s6-supervise(8), timeout-kill). */
const KILL_AGAIN = ms(5000);

/** To read what is left in a pipe, 64 KiB (pipe(7)), where no time to stop is given. */
const DRAIN_WITHIN = ms(5000);

/** What `event` makes of `svc`. Events that do not fit the phase change nothing. */
export function step(svc: Service, event: Event, spec: Spec, now: Millis): Step {
  const { phase } = svc;
  switch (event.type) {
    case 'want':
      return wanted(svc, event.want, event.cause, spec, now);
    case 'admit':
      return phase.at === 'down' && svc.want === 'up' ? start(svc, spec, now) : same(svc);
    case 'release':
      return svc.want === 'down' ? release(svc, event.drains === true, spec, now) : same(svc);
    case 'restart':
      return restart({ ...svc, cause: event.cause }, spec, now);
    case 'retry':
      return retry(svc, event.cause, spec, now);
    case 'called':
      return calledUp(svc, event.cause, now);
    case 'skip':
      return skip(svc, event.cause, now);
    case 'spawned':
      return spawned(svc, event.pid, spec, now);
    case 'spawnFailed':
      return spawnFailed(svc, event.reason, event.transient, spec, now);
    case 'ready':
      return phase.at === 'starting' && spec.type === 'longrun'
        ? to({ ...svc, cause: 'ready' }, up(phase.pid, phase.startedAt, spec, now), now)
        : same(svc);
    case 'notified':
      return notified(svc, event.said, spec, now, (told, running) =>
        stop(told, running, 'unwell', spec, now),
      );
    case 'probed':
      return probed(svc, event, spec, now, (told, running) =>
        stop(told, running, 'probe', spec, now),
      );
    case 'exited':
      return exited(svc, event, spec, now);
    case 'deadline':
      return expired(svc, spec, now);
    default:
      return unreachable(event);
  }
}

function wanted(svc: Service, want: Want, cause: string, spec: Spec, now: Millis): Step {
  if (svc.want === want) return same(svc);
  const next = { ...svc, want, cause };
  // Nothing runs that would have to be stopped: at rest is at rest.
  return want === 'down' && awaitsRetry(svc, spec)
    ? to(fresh(next), { at: 'down' }, now)
    : [next, []];
}

function start(svc: Service, spec: Spec, now: Millis): Step {
  // A oneshot with an empty `up` has nothing to run: it is done by being asked for.
  if (spec.start === null) return to({ ...svc, cause: 'nothing to run' }, { at: 'done' }, now);
  return to(svc, { at: 'spawning' }, now, [{ do: 'spawn', role: 'start' }]);
}

function release(svc: Service, drains: boolean, spec: Spec, now: Millis): Step {
  const { phase } = svc;
  if (phase.at === 'starting' || phase.at === 'up') {
    return drains ? drain(svc, phase, spec, now) : stop(svc, phase, 'asked', spec, now);
  }
  if (phase.at === 'done') return undo(svc, spec, now);
  return same(svc);
}

function restart(svc: Service, spec: Spec, now: Millis): Step {
  const { phase } = svc;
  if (phase.at === 'starting' || phase.at === 'up') return stop(svc, phase, 'restart', spec, now);
  if (phase.at === 'done' && spec.type === 'oneshot') return undo(svc, spec, now);
  return retry(svc, svc.cause, spec, now);
}

/** A person asks again: what was given up or waits for its time is tried at once. */
function retry(svc: Service, cause: string, spec: Spec, now: Millis): Step {
  return awaitsRetry(svc, spec) ? to(fresh({ ...svc, cause }), { at: 'down' }, now) : same(svc);
}

/** It is not running although it was started; a oneshot that is done is as it should be. */
function awaitsRetry({ phase }: Service, spec: Spec): boolean {
  if (phase.at === 'done') return spec.type === 'longrun';
  return phase.at === 'backoff' || phase.at === 'failed';
}

/** What went wrong before does not count any more. */
const fresh = (svc: Service): Service => ({ ...svc, failures: 0, failedAt: [], refusals: 0 });

function stop(
  svc: Service,
  phase: { pid: Pid; startedAt: Millis },
  why: StopReason,
  spec: Spec,
  now: Millis,
): Step {
  const killAt = within(spec.stopWithin, now);
  const { pid, startedAt } = phase;
  // CONT after the signal: a stopped process would otherwise never get to see it.
  return to(svc, { at: 'stopping', pid, startedAt, killAt, why }, now, [
    { do: 'signal', pid, signal: why === 'unwell' ? SIGABRT : spec.stopSignal, group: false },
    { do: 'signal', pid, signal: SIGCONT, group: false },
  ]);
}

/** It ends by itself once it has read all there is, or else is stopped as any other. */
function drain(
  svc: Service,
  { pid, startedAt }: { pid: Pid; startedAt: Millis },
  spec: Spec,
  now: Millis,
): Step {
  const killAt = later(now, spec.stopWithin ?? DRAIN_WITHIN);
  const draining = {
    at: 'stopping',
    pid,
    startedAt,
    killAt,
    why: 'asked',
    draining: true,
  } as const;
  // CONT for the same reason as after the signal.
  return to(svc, draining, now, [
    { do: 'pipe', hold: false },
    { do: 'signal', pid, signal: SIGCONT, group: false },
  ]);
}

/** Somebody else still holds the pipe: it is stopped, and what is in the pipe is kept. */
function stopDraining(
  svc: Service,
  phase: Extract<Service['phase'], { at: 'stopping' }>,
  spec: Spec,
  now: Millis,
): Step {
  const [stopping, effects] = stop(svc, phase, phase.why, spec, now);
  return [stopping, [{ do: 'pipe', hold: true }, ...effects]];
}

function undo(svc: Service, spec: Spec, now: Millis): Step {
  if (spec.down === null) return to(svc, { at: 'down' }, now);
  const killAt = within(spec.downWithin, now);
  return to(svc, { at: 'undoing', pid: null, killAt, retryAt: null }, now, [
    { do: 'spawn', role: 'down' },
  ]);
}

function expired(svc: Service, spec: Spec, now: Millis): Step {
  const { phase } = svc;
  const due = deadline(phase);
  // Early wake-ups are normal: the timer is a hint, the phase knows the time.
  if (due === null || now < due) return same(svc);
  switch (phase.at) {
    case 'starting':
      return stop(svc, phase, 'unready', spec, now);
    case 'up':
      return stop({ ...svc, cause: 'watchdog: no sign of life' }, phase, 'unwell', spec, now);
    case 'stopping':
    case 'finishing':
    case 'undoing': {
      if (phase.at === 'stopping' && phase.draining) return stopDraining(svc, phase, spec, now);
      if (phase.at !== 'stopping' && phase.retryAt !== null) return tryAgain(svc, phase, spec, now);
      const next = { ...phase, killAt: later(now, KILL_AGAIN) };
      if (phase.pid === null) return to(svc, next, now);
      // s6-supervise kills what it started and nothing else, unless told to.
      const group = spec.killsGroup !== false;
      return to(svc, next, now, [{ do: 'signal', pid: phase.pid, signal: SIGKILL, group }]);
    }
    case 'backoff':
      return to(svc, { at: 'down' }, now);
    case 'down':
    case 'spawning':
    case 'done':
    case 'failed':
      return same(svc);
    default:
      return unreachable(phase);
  }
}

function skip(svc: Service, cause: string, now: Millis): Step {
  const { phase } = svc;
  const { at } = phase;
  if (at !== 'stopping' && at !== 'finishing' && at !== 'undoing') return same(svc);
  const next = { ...phase, killAt: later(now, KILL_AGAIN) };
  if (phase.pid === null) return same(svc);
  return to({ ...svc, cause }, next, now, [
    { do: 'signal', pid: phase.pid, signal: SIGKILL, group: true },
  ]);
}

/** `finish` or `down` was refused for want of a resource. */
function tryAgain(
  svc: Service,
  phase: Extract<Service['phase'], { at: 'finishing' | 'undoing' }>,
  spec: Spec,
  now: Millis,
): Step {
  const isFinish = phase.at === 'finishing';
  const killAt = within(isFinish ? spec.finishWithin : spec.downWithin, now);
  return to(svc, { ...phase, killAt, retryAt: null }, now, [
    { do: 'spawn', role: isFinish ? 'finish' : 'down' },
  ]);
}
