/**
 * Tries of one probe become words for svinit: what counts, when it is enough, and what is new
 * enough to be told. svinit hears of changes only, so that a thousand services that are well cost
 * it nothing.
 */
import { type AliveProbe, DETAIL_CHARS_MAX, type Probe, type ProbeOutcome } from './probe.ts';
import type { Millis } from './units.ts';

export type Tried = { readonly ok: boolean; readonly detail: string };

export type Tally = {
  /** In a row, of those that count. */
  readonly failures: number;
  readonly hasSucceeded: boolean;
  /** What svinit was told last, and when. */
  readonly told: ProbeOutcome | null;
  readonly toldAt: Millis | null;
};

export type Judged = {
  readonly tally: Tally;
  /** For svinit; null: it knows. */
  readonly tell: ProbeOutcome | null;
  /** Nothing more is to be asked of this process. */
  readonly isOver: boolean;
};

export const NO_TALLY: Tally = { failures: 0, hasSucceeded: false, told: null, toldAt: null };

/** A failure that does not count is told this often at most. */
const TELL_EVERY_MS = 1000;

/** Of readiness: the first success is enough. */
export function judgeReady(tally: Tally, probe: Probe, tried: Tried, now: Millis): Judged {
  if (tried.ok) return verdict(tally, tried, true, now);
  const failures = tally.failures + 1;
  if (probe.retries === null) return undecided({ ...tally, failures }, tried.detail, now);
  return counted({ ...tally, failures }, probe.retries, tried.detail, true, now);
}

/**
 * Of a service that is up: failures in a row.
 * @param ranFor How long its process has run.
 */
export function judgeAlive(
  tally: Tally,
  probe: AliveProbe,
  tried: Tried,
  ranFor: number,
  now: Millis,
): Judged {
  if (tried.ok) return verdict({ ...tally, hasSucceeded: true, failures: 0 }, tried, false, now);
  const { hasSucceeded } = tally;
  if (!hasSucceeded && ranFor < probe.startPeriod) return undecided(tally, tried.detail, now);
  const next = { ...tally, failures: tally.failures + 1 };
  const isLast = probe.action === 'restart';
  return counted(next, probe.retries ?? 1, tried.detail, isLast, now);
}

function counted(
  tally: Tally,
  retries: number,
  detail: string,
  isLast: boolean,
  now: Millis,
): Judged {
  const { failures } = tally;
  if (failures < retries) return undecided(tally, `${detail} (${failures} of ${retries})`, now);
  const words = failures === 1 ? detail : `${detail}, ${failures} times in a row`;
  // What was told already is not told again for every failure more.
  if (tally.told?.ok === false) return { tally, tell: null, isOver: false };
  return verdict(tally, { ok: false, detail: words }, isLast, now);
}

function verdict(tally: Tally, { ok, detail }: Tried, isOver: boolean, now: Millis): Judged {
  if (tally.told?.ok === ok) return { tally, tell: null, isOver };
  return { ...telling(tally, { ok, detail: short(detail) }, now), isOver };
}

function undecided(tally: Tally, detail: string, now: Millis): Judged {
  const { told, toldAt } = tally;
  const outcome = { ok: null, detail: short(detail) };
  const isNews = told?.detail !== outcome.detail;
  const isTime = toldAt === null || now - toldAt >= TELL_EVERY_MS;
  if (told?.ok === false || !isNews || !isTime) return { tally, tell: null, isOver: false };
  return { ...telling(tally, outcome, now), isOver: false };
}

function telling(tally: Tally, told: ProbeOutcome, now: Millis): Pick<Judged, 'tally' | 'tell'> {
  return { tally: { ...tally, told, toldAt: now }, tell: told };
}

const short = (detail: string): string => detail.slice(0, DETAIL_CHARS_MAX);
