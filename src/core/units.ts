/**
 * Units as brands: a pid cannot be passed as a delay. It decides nothing else.
 */

/** A duration, or an instant on the monotonic clock (CLOCK_MONOTONIC), in milliseconds. */
export type Millis = number & { readonly unit: 'ms' };

/** A process id as the kernel gives it, always > 0. */
export type Pid = number & { readonly unit: 'pid' };

/** An open descriptor of this process, always >= 0. */
export type Fd = number & { readonly unit: 'fd' };

export const ms = (n: number): Millis => n as Millis;
export const pid = (n: number): Pid => n as Pid;
export const fd = (n: number): Fd => n as Fd;

/** `at` moved by `by`; the one place where instants are added to. */
export const later = (at: Millis, by: Millis): Millis => (at + by) as Millis;

/** A duration for people, two units at most: `850 ms`, `4.2 s`, `3 min`, `2 h 5 min`. */
export function durationWords(duration: number): string {
  if (duration < 1000) return `${Math.round(duration)} ms`;
  const seconds = duration / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  const minutes = Math.floor(seconds / 60);
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 48) return `${hours} h ${minutes % 60} min`;
  return `${Math.floor(hours / 24)} d ${hours % 24} h`;
}

/** What a `switch` over a union ends in: adding a case stops the build there. */
export function unreachable(value: never): never {
  throw new TypeError(`Unhandled case ${JSON.stringify(value)}`);
}
