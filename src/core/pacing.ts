/**
 * How soon a service that died is started again, in each dialect, and when it is given up.
 */
import type { Dialect, RestartPolicy } from './spec.ts';
import { later, type Millis, ms, unreachable } from './units.ts';

/** A run at least this long is restarted at once (native; runsv(8) uses the same second). */
const LONG_ENOUGH = 1000;
/** A run at least this long is health: the failures before it are forgiven. */
const HEALTHY = 10_000;
const BACKOFF_FIRST = 100;
const BACKOFF_MAX = 30_000;
/**
 * s6-supervise(8) waits until a second after the end, `finish` included, or, if it had said that it
 * is ready, after that.
 */
const S6_DELAY = 1000;
/** Jitter of ±10 %, so that services felled together do not come back together. */
const JITTER = 0.1;

/** Counts one more failure at `now` after a run of `ranFor`, against the limit of the policy. */
export function withinLimit(
  before: { readonly failures: number; readonly failedAt: readonly Millis[] },
  ranFor: Millis,
  policy: RestartPolicy,
  now: Millis,
): { failures: number; failedAt: readonly Millis[]; givenUp: boolean } {
  const failures = ranFor >= HEALTHY ? 1 : before.failures + 1;
  if (policy.limit === null) return { failures, failedAt: [], givenUp: false };
  const recent = [...before.failedAt, now].filter((at) => later(at, policy.window) > now);
  return {
    failures,
    failedAt: recent.slice(-(policy.limit + 1)),
    givenUp: recent.length > policy.limit,
  };
}

/**
 * Milliseconds until the next start, after `failures` (>= 1) deaths in a row; 0 means at once.
 * @param waited Milliseconds of s6's second that are over: since it said that it is ready.
 */
export function delayBeforeRestart(
  dialect: Dialect,
  failures: number,
  ranFor: Millis,
  now: Millis,
  waited: Millis = ms(0),
): Millis {
  switch (dialect) {
    case 's6':
      return ms(Math.max(0, S6_DELAY - waited));
    case 'runit':
      return ms(ranFor >= LONG_ENOUGH ? 0 : LONG_ENOUGH);
    case 'svinit': {
      if (ranFor >= LONG_ENOUGH) return ms(0);
      const plain = Math.min(BACKOFF_FIRST * 2 ** Math.min(failures - 1, 20), BACKOFF_MAX);
      return ms(plain * (1 + jitter(now)));
    }
    default:
      return unreachable(dialect);
  }
}

/** A prime, and a step that scatters neighbours over all of it. */
const SLOTS = 997;
const STRIDE = 613;

/** A number in [-JITTER, JITTER) drawn from the instant itself: core has no randomness. */
function jitter(now: Millis): number {
  const slot = ((Math.floor(now * 1000) % SLOTS) * STRIDE) % SLOTS;
  return (slot / SLOTS) * 2 * JITTER - JITTER;
}
