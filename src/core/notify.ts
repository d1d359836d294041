/**
 * What a service says of itself in the words of sd_notify(3): one datagram of assignments, a line
 * each. It knows the text; what becomes of the service is decided in notified.ts.
 */
import { type Millis, ms, type Pid, pid as toPid } from './units.ts';

/** All that one datagram says; what it does not say is absent. */
export type Notification = {
  readonly ready?: true;
  readonly reloading?: true;
  readonly stopping?: true;
  /** One line for people, at most 200 characters; `''` takes the last one away. */
  readonly status?: string;
  readonly mainPid?: Pid;
  /** `ping`: it lives; `trigger`: it wants to be taken for dead (sd_notify(3), WATCHDOG). */
  readonly watchdog?: 'ping' | 'trigger';
  /** The time it now has between two pings. */
  readonly watchdogEvery?: Millis;
  /** How much longer its start or stop may take, from now. */
  readonly extend?: Millis;
  /** Assignments that are understood by nobody here: the names, each once. */
  readonly unknown?: readonly string[];
};

/** Longer datagrams than sd_notify(3) has use for are cut by the kernel, and refused. */
export const NOTIFICATION_BYTES_MAX = 8192;
const STATUS_CHARS_MAX = 200;
const PID_MAX = 4_194_304;
/** A week: nobody waits longer for a sign of life. */
const USEC_MAX: number = 7 * 24 * 3600 * 1_000_000;

/** Words that are accepted and need no answer: all that is open at an end is closed anyway. */
const WITHOUT_MEANING: ReadonlySet<string> = new Set([
  // These are taken where the descriptors are: see fd-store.ts.
  ...['FDSTORE', 'FDNAME', 'FDSTOREREMOVE', 'FDPOLL'],
  ...['BARRIER', 'MONOTONIC_USEC', 'INVOCATION_ID', 'NOTIFYACCESS', 'X_SYSTEMD_UNIT_ACTIVE'],
]);

/** Never fails: a line that is no assignment, or has a value that is none, says nothing. */
export function parseNotification(text: string): Notification {
  const said: { -readonly [K in keyof Notification]: Notification[K] } = {};
  const unknown = new Set<string>();
  const words: string[] = [];
  for (const line of text.split('\n')) {
    const equals = line.indexOf('=');
    if (equals < 1) continue;
    const [key, value] = [line.slice(0, equals), line.slice(equals + 1)];
    if (key === 'READY' && value === '1') said.ready = true;
    else if (key === 'RELOADING' && value === '1') said.reloading = true;
    else if (key === 'STOPPING' && value === '1') said.stopping = true;
    else if (key === 'STATUS') said.status = short(value);
    else if (key === 'ERRNO' || key === 'BUSERROR') words.push(`${key}=${short(value)}`);
    else if (key === 'MAINPID') takeNumber(value, PID_MAX, (n) => (said.mainPid = toPid(n)));
    else if (key === 'WATCHDOG' && value === '1') said.watchdog = 'ping';
    else if (key === 'WATCHDOG' && value === 'trigger') said.watchdog = 'trigger';
    else if (key === 'WATCHDOG_USEC') takeUsec(value, (time) => (said.watchdogEvery = time));
    else if (key === 'EXTEND_TIMEOUT_USEC') takeUsec(value, (time) => (said.extend = time));
    else if (!WITHOUT_MEANING.has(key)) unknown.add(short(key));
  }
  // A number that says why it fails is of no use to a program here, but to people it is.
  if (words.length > 0) said.status = [said.status ?? '', ...words].join(' ').trim();
  if (unknown.size > 0) said.unknown = [...unknown];
  return said;
}

/** Control characters and those that change the direction of text say nothing here. */
const short = (text: string): string =>
  text
    .slice(0, STATUS_CHARS_MAX)
    .toWellFormed()
    .replace(/[\p{Cc}\p{Cf}]/gu, ' ')
    .trim();

function takeNumber(value: string, max: number, take: (n: number) => void): void {
  const n = /^[0-9]{1,15}$/.test(value) ? Number(value) : 0;
  if (n >= 1 && n <= max) take(n);
}

const takeUsec = (value: string, take: (time: Millis) => void): void =>
  takeNumber(value, USEC_MAX, (usec) => take(ms(Math.max(1, Math.round(usec / 1000)))));
