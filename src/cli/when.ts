/**
 * Instants as people name them on a command line, as the milliseconds until then.
 */
import { parseDuration } from '../core/duration.ts';
import { SCHEDULE_MS_MAX } from '../core/methods.ts';
import { usageFailure } from './failure.ts';

/**
 * Milliseconds of `5m`, `90s`, `2h`.
 * @throws {Failure} exit 2 when it is none, or longer than svinit takes.
 */
export function delayIn(text: string, usage: string): number {
  const duration = parseDuration(text.replace(/m$/, 'min'));
  if (duration === null) throw usageFailure(`'${text}' is not a duration such as 5m or 90s`, usage);
  return limited(duration, text, usage);
}

/**
 * Milliseconds until the clock shows `text` (`HH:MM` of this process's time zone) the next time.
 * @throws {Failure} exit 2 when it is no time of day.
 */
export function delayUntil(text: string, usage: string, now: Date = new Date()): number {
  const [, hours, minutes] = /^([0-9]{1,2}):([0-9]{2})$/.exec(text) ?? [];
  if (hours === undefined || Number(hours) > 23 || Number(minutes) > 59) {
    throw usageFailure(`'${text}' is not a time of day such as 23:30`, usage);
  }
  const at = new Date(now);
  at.setHours(Number(hours), Number(minutes), 0, 0);
  if (at <= now) at.setDate(at.getDate() + 1);
  return at.getTime() - now.getTime();
}

/**
 * The TIME of shutdown(8): `now`, minutes from now as `+5` or `5`, or `HH:MM`.
 * @throws {Failure} exit 2 for anything else.
 */
export function delayOf(text: string, usage: string): number {
  if (text === 'now') return 0;
  const [, minutes] = /^[+]?([0-9]{1,6})$/.exec(text) ?? [];
  if (minutes !== undefined) return limited(Number(minutes) * 60_000, text, usage);
  if (text.includes(':')) return delayUntil(text, usage);
  throw usageFailure(`'${text}' is no time: now, +5 (minutes) or 23:30`, usage);
}

function limited(ms: number, text: string, usage: string): number {
  if (ms <= SCHEDULE_MS_MAX) return ms;
  throw usageFailure(`'${text}' is too far away: at most 30 days`, usage);
}
