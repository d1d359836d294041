/**
 * What follows from a process that was spawned, could not be spawned, or ended: ready, again at
 * once, later, never again.
 */
import { type Exit, exitWords, succeeded } from './exit.ts';
import { up } from './notified.ts';
import { oomWords } from './oom.ts';
import { delayBeforeRestart, withinLimit } from './pacing.ts';
import { type Service, type Step, type StopReason, same, to, within } from './phase.ts';
import { forgetReady } from './probed.ts';
import type { Spec } from './spec.ts';
import { later, type Millis, ms, type Pid, unreachable } from './units.ts';

/** First and longest delay before a spawn is tried again that a lack of resources refused. */
const REFUSAL_FIRST = 1000;
const REFUSAL_MAX = 30_000;
/** An exit code of `finish` that means "do not start it again" (s6-supervise(8)). */
const FINISH_PERMANENT = 125;

type Ended = { readonly exit: Exit; readonly oomKills?: number };

export function spawned(svc: Service, pid: Pid, spec: Spec, now: Millis): Step {
  const { phase } = svc;
  if (phase.at === 'finishing' || phase.at === 'undoing') {
    return to({ ...svc, refusals: 0 }, { ...phase, pid, retryAt: null }, now);
  }
  if (phase.at !== 'spawning') return same(svc);
  const { status: _, probes, ...silent } = svc;
  const kept = probes === undefined ? {} : { probes: forgetReady(probes) };
  const next = { ...silent, ...kept, starts: svc.starts + 1, error: null, refusals: 0 };
  if (spec.type === 'longrun' && spec.ready.by === 'spawn') {
    return to(next, up(pid, now, spec, now), now);
  }
  const readyBy = spec.upWithin === null ? null : later(now, spec.upWithin);
  return to(next, { at: 'starting', pid, startedAt: now, readyBy }, now);
}

export function spawnFailed(
  svc: Service,
  reason: string,
  transient: boolean,
  spec: Spec,
  now: Millis,
): Step {
  const { phase } = svc;
  const refused = { ...svc, error: reason, refusals: svc.refusals + 1 };
  const again = later(now, ms(Math.min(REFUSAL_FIRST * 2 ** svc.refusals, REFUSAL_MAX)));
  switch (phase.at) {
    case 'finishing':
      if (transient) return to(refused, { ...phase, retryAt: again }, now);
      return settle({ ...svc, error: reason }, phase, phase.why, spec, now);
    case 'undoing':
      // What was done has to be undone, as soon as that is possible.
      if (transient) return to(refused, { ...phase, retryAt: again }, now);
      return to({ ...svc, error: reason }, { at: 'down' }, now);
    case 'spawning': {
      const next = { ...svc, error: reason, cause: reason };
      if (svc.want === 'down') return to(next, { at: 'down' }, now);
      if (transient) return to({ ...refused, cause: reason }, { at: 'backoff', until: again }, now);
      const once = spec.type === 'oneshot' || spec.restart.when === 'never';
      return once ? to(next, { at: 'failed' }, now) : failed(next, { ranFor: ms(0) }, spec, now);
    }
    case 'down':
    case 'starting':
    case 'up':
    case 'stopping':
    case 'backoff':
    case 'done':
    case 'failed':
      return same(svc);
    default:
      return unreachable(phase);
  }
}

export function exited(svc: Service, { exit, oomKills = 0 }: Ended, spec: Spec, now: Millis): Step {
  const { phase } = svc;
  switch (phase.at) {
    case 'starting':
    case 'up':
    case 'stopping': {
      const why = phase.at === 'stopping' ? phase.why : null;
      const ended = `${exitWords(exit)}${oomWords(oomKills, spec)}`;
      const next = { ...svc, exit, exitAt: now, cause: why === null ? ended : svc.cause };
      const ranFor = ms(now - phase.startedAt);
      const announced = phase.at === 'up' && spec.ready.by !== 'spawn';
      const ready = announced ? { readyFor: ms(now - svc.since) } : {};
      if (spec.finish === null || spec.type === 'oneshot')
        return settle(next, { ranFor, ...ready }, why, spec, now);
      const killAt = within(spec.finishWithin, now);
      const run = { ranFor, ...ready, why };
      const finishing = { at: 'finishing', pid: null, killAt, retryAt: null, ...run } as const;
      return to(next, finishing, now, [{ do: 'spawn', role: 'finish' }]);
    }
    case 'finishing': {
      const permanent =
        exit.kind === 'code' && exit.code === FINISH_PERMANENT && spec.dialect !== 'runit';
      if (permanent && svc.want === 'up') {
        return to(
          { ...svc, cause: 'finish asked for no restart (exit 125)' },
          { at: 'failed' },
          now,
        );
      }
      return settle(svc, phase, phase.why, spec, now);
    }
    case 'undoing': {
      const cause = succeeded(exit) ? svc.cause : `down: ${exitWords(exit)}`;
      return to({ ...svc, exit, exitAt: now, cause }, { at: 'down' }, now);
    }
    case 'down':
    case 'spawning':
    case 'backoff':
    case 'done':
    case 'failed':
      return same(svc);
    default:
      return unreachable(phase);
  }
}

/** How long what ended had run, and had been ready if it was one to say so. */
type Run = { readonly ranFor: Millis; readonly readyFor?: Millis };

/** The process is gone and `finish` has run: where to from here. */
function settle(svc: Service, run: Run, why: StopReason | null, spec: Spec, now: Millis): Step {
  const good = why === null && svc.exit !== null && succeeded(svc.exit);
  // What was done has to be undone, even if nobody wants it any more: a release follows.
  if (good && spec.type === 'oneshot') return to(svc, { at: 'done' }, now);
  if (svc.want === 'down' || why === 'asked' || why === 'restart') {
    return to(why === 'restart' ? { ...svc, failures: 0 } : svc, { at: 'down' }, now);
  }
  const next = why === 'unready' ? { ...svc, cause: 'not ready in time' } : svc;
  const { when } = spec.restart;
  // What a connection starts has done its part: the next one starts it again.
  const isOver = when !== 'always' || spec.lazy === true;
  if (good && isOver) return to(next, { at: 'done' }, now);
  if (spec.type === 'oneshot' || when === 'never') return to(next, { at: 'failed' }, now);
  return failed(next, run, spec, now);
}

/** One more death of something that should live: back off, or give up past the limit. */
function failed(svc: Service, run: Run, spec: Spec, now: Millis): Step {
  const { ranFor, readyFor } = run;
  const { failures, failedAt, givenUp } = withinLimit(svc, ranFor, spec.restart, now);
  const next = { ...svc, failures, failedAt };
  if (givenUp) return to(next, { at: 'failed' }, now);
  const waited = readyFor === undefined ? 0 : readyFor + now - (svc.exitAt ?? now);
  const delay = delayBeforeRestart(spec.dialect, failures, ranFor, now, ms(waited));
  if (delay === 0) return to(next, { at: 'down' }, now);
  return to(next, { at: 'backoff', until: later(now, delay) }, now);
}
