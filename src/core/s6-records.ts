/**
 * The files of a service that s6's clients read, as bytes: `supervise/status` (s6_svstatus_pack of
 * s6, the same in 2.11 and 2.15) and `supervise/death_tally`. What they say is decided elsewhere.
 */
import { decodeStatus } from './exit.ts';
import { fromTai64n, TAI64N_BYTES, tai64n } from './tai.ts';

export type S6Status = {
  /** Of the last change between up and down, milliseconds since 1970. */
  readonly changedAt: number;
  /** When it was last ready, or down for good. */
  readonly readyAt: number;
  /** Of `run`, of `finish` while that runs, or null. */
  readonly pid: number | null;
  /** Raw status of wait(2) of the last run. */
  readonly wstat: number;
  readonly paused: boolean;
  readonly finishing: boolean;
  readonly wantUp: boolean;
  /** Ready; of what is down: no `finish` runs any more. */
  readonly ready: boolean;
};

export const S6_STATUS_BYTES = 35;

/** s6-supervise(8) keeps so many unless `max-death-tally` says otherwise. */
export const DEATHS_MAX = 100;

export function encodeS6Status(status: S6Status): Uint8Array {
  const bytes = new Uint8Array(S6_STATUS_BYTES);
  const view = new DataView(bytes.buffer);
  bytes.set(tai64n(status.changedAt, 'leap'), 0);
  bytes.set(tai64n(status.readyAt, 'leap'), READY_AT);
  view.setBigUint64(PID_AT, BigInt(status.pid ?? 0));
  view.setUint16(WSTAT_AT, status.wstat & 0xffff);
  const flags: readonly [boolean, number][] = [
    [status.paused, PAUSED],
    [status.finishing, FINISHING],
    [status.wantUp, WANT_UP],
    [status.ready, READY],
  ];
  view.setUint8(
    FLAGS_AT,
    flags.reduce((sum, [is, bit]) => sum + (is ? bit : 0), 0),
  );
  return bytes;
}

/** What a status file says, or null when it is none. */
export function decodeS6Status(bytes: Uint8Array): S6Status | null {
  if (bytes.length < S6_STATUS_BYTES) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, S6_STATUS_BYTES);
  const changedAt = fromTai64n(bytes.subarray(0, TAI64N_BYTES), 'leap');
  const readyAt = fromTai64n(bytes.subarray(READY_AT, PID_AT), 'leap');
  const pid = Number(view.getBigUint64(PID_AT));
  if (changedAt === null || readyAt === null || pid > PID_MAX) return null;
  const flags = view.getUint8(FLAGS_AT);
  return {
    changedAt,
    readyAt,
    pid: pid === 0 ? null : pid,
    wstat: view.getUint16(WSTAT_AT),
    paused: (flags & PAUSED) !== 0,
    finishing: (flags & FINISHING) !== 0,
    wantUp: (flags & WANT_UP) !== 0,
    ready: (flags & READY) !== 0,
  };
}

/** One death more in a tally of `max`: the newest last, the oldest fall out (s6_dtally_pack). */
export function addDeath(
  tally: Uint8Array,
  at: number,
  wstat: number,
  max: number = DEATHS_MAX,
): Uint8Array {
  if (max === 0) return new Uint8Array(0);
  const whole = tally.length - (tally.length % DEATH_BYTES);
  const kept = tally.subarray(Math.max(0, whole - (max - 1) * DEATH_BYTES), whole);
  const exit = decodeStatus(wstat);
  const signal = exit.kind === 'signal' ? exit.signal : 0;
  const code = exit.kind === 'signal' ? 128 + exit.signal : exit.code;
  return Uint8Array.from([...kept, ...tai64n(at, 'leap'), code, signal]);
}

/** s6/s6-supervise.h: where the fields are, and the bits of the last byte. */
const READY_AT = 12;
const PID_AT = 24;
const WSTAT_AT = 32;
const FLAGS_AT = 34;
const PAUSED = 1;
const FINISHING = 2;
const WANT_UP = 4;
const READY = 8;

/** PID_MAX_LIMIT of linux/threads.h on 64 bits. */
const PID_MAX = 2 ** 22;

/** A label, the code, the signal. */
const DEATH_BYTES: number = TAI64N_BYTES + 2;
