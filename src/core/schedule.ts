/**
 * A way down that is to begin later: when, who is told how long before, and what takes its place.
 * It knows no clock of the wall: an instant is on the monotonic clock, so it comes when it was
 * said, whatever is done to the time of day.
 */
import { note } from './agenda.ts';
import type { ScheduledView } from './blockers.ts';
import { beginHalt } from './shutdown.ts';
import { type HaltKind, SCHEDULE } from './system.ts';
import type { Turn } from './turn.ts';
import { durationWords, later, type Millis, ms } from './units.ts';
import { scheduledView } from './views.ts';

export type Schedule = {
  readonly kind: HaltKind;
  readonly cause: string;
  /** For people on terminals; empty: only what happens and when. */
  readonly message: string;
  /** When the way down begins. */
  readonly by: Millis;
  /** When people are told next; `by` when they are not told again before. */
  readonly tellAt: Millis;
};

/** People are told of what will not happen: a warning, as of shutdown(8) -k. */
export function warnOf(turn: Turn, asked: Omit<Schedule, 'tellAt'>): void {
  tell(turn, goingWords(asked, turn.now));
}

/** Takes the place of whatever was scheduled before. */
export function setSchedule(turn: Turn, asked: Omit<Schedule, 'tellAt'>): void {
  const { system, now } = turn;
  // What begins in this very turn is told of when it does.
  if (asked.by > now) tell(turn, goingWords(asked, now));
  system.schedule = { ...asked, tellAt: nextTelling(asked.by, now) };
  note(system.agenda, SCHEDULE, system.schedule.tellAt);
}

/** Forgets what was scheduled, and tells people so. */
export function cancelSchedule(turn: Turn, cause: string): ScheduledView | null {
  const { system } = turn;
  const was = scheduledView(system, turn.now);
  if (was !== null) tell(turn, `${SUBJECT[was.kind]} does not go down: cancelled (${cause})`);
  system.schedule = null;
  return was;
}

/** Begins what is due, or tells people again. */
export function checkSchedule(turn: Turn): void {
  const { system, now } = turn;
  const { schedule } = system;
  if (schedule === null || now < schedule.tellAt) return;
  if (now >= schedule.by) {
    system.schedule = null;
    tell(turn, goingWords(schedule, now));
    beginHalt(turn, schedule.kind, schedule.cause);
    return;
  }
  tell(turn, goingWords(schedule, now));
  system.schedule = { ...schedule, tellAt: nextTelling(schedule.by, now) };
  note(system.agenda, SCHEDULE, system.schedule.tellAt);
}

const HOUR = 3_600_000;
const MINUTE = 60_000;
/** How long before the end people are told of it, in milliseconds: the nearer, the more often. */
const TELL_BEFORE: readonly number[] = [
  ...[24, 12, 6, 3, 2, 1].map((hours) => hours * HOUR),
  ...[30, 15, 10, 5, 2, 1].map((minutes) => minutes * MINUTE),
  10_000,
];

function nextTelling(by: Millis, now: Millis): Millis {
  const before = TELL_BEFORE.find((one) => one < by - now) ?? 0;
  return later(by, ms(-before));
}

const SUBJECT: Readonly<Record<HaltKind, string>> = {
  poweroff: 'The machine',
  reboot: 'The machine',
  halt: 'The machine',
  kexec: 'The machine',
  'switch-root': 'The machine',
  exit: 'This container',
};
const GOES: Readonly<Record<HaltKind, string>> = {
  poweroff: 'is switched off',
  reboot: 'restarts',
  halt: 'is halted',
  kexec: 'restarts with another kernel',
  'switch-root': 'is handed over to another init',
  exit: 'ends',
};

function goingWords({ kind, message, by }: Omit<Schedule, 'tellAt'>, now: Millis): string {
  const when = by <= now ? 'now' : `in ${durationWords(by - now)}`;
  return `${SUBJECT[kind]} ${GOES[kind]} ${when}${message === '' ? '' : `: ${message}`}`;
}

/** Control characters, and those that change the direction of text, act on a terminal. */
const ACTING = /[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g;

function tell({ effects }: Turn, text: string): void {
  effects.push({ do: 'wall', text: text.replace(ACTING, ' ') });
}
