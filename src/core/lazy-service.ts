/**
 * What a connection makes of a lazy service that is at rest; and what it makes of one that always
 * ends without having taken the connection, which would be started for ever.
 */
import { type Service, type Step, same, to } from './phase.ts';
import { later, type Millis, ms } from './units.ts';

/** systemd.socket(5), TriggerLimitBurst= and TriggerLimitIntervalSec=. */
const CALLS_MAX = 20;
const CALLS_WITHIN: Millis = ms(2000);

/** Counts one more connection that starts `svc`, and gives it up when there are too many. */
export function calledUp(svc: Service, cause: string, now: Millis): Step {
  const { at } = svc.phase;
  if (at !== 'down' && at !== 'done') return same(svc);
  const recent = (svc.calledAt ?? []).filter((before) => later(before, CALLS_WITHIN) > now);
  const calledAt = [...recent, now];
  if (calledAt.length <= CALLS_MAX) {
    return to({ ...svc, calledAt, cause }, { at: 'down' }, now);
  }
  const often = `${CALLS_MAX} times within ${CALLS_WITHIN / 1000} s`;
  const error = `ended ${often} without taking the connection`;
  const { calledAt: _, ...given } = svc;
  return to({ ...given, error, cause: error }, { at: 'failed' }, now);
}
