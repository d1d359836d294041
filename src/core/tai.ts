/**
 * TAI64N labels, the time of s6 and of runit (cr.yp.to/libtai/tai64.html): eight bytes of seconds
 * and four of nanoseconds, most significant first. The two count differently: s6 (skalibs) knows
 * the leap seconds, runit adds the ten seconds of 1972 whatever the date. It knows no clock.
 */

export const TAI64N_BYTES = 12;

/** Which seconds have been added to UTC: those of the leap-second table, or only the first ten. */
export type TaiScale = 'leap' | 'ten';

/** The label of a moment. @param unixMs Milliseconds since 1970, UTC, with fractions. */
export function tai64n(unixMs: number, scale: TaiScale): Uint8Array {
  const bytes = new Uint8Array(TAI64N_BYTES);
  const [seconds, nanoseconds] = split(unixMs);
  const view = new DataView(bytes.buffer);
  view.setBigUint64(0, EPOCH + BigInt(seconds + offsetOf(seconds, scale)));
  view.setUint32(8, nanoseconds);
  return bytes;
}

/** The moment of a label, in milliseconds since 1970; null when it is not one of ours. */
export function fromTai64n(label: Uint8Array, scale: TaiScale): number | null {
  if (label.length < TAI64N_BYTES) return null;
  const view = new DataView(label.buffer, label.byteOffset, TAI64N_BYTES);
  const tai = Number(view.getBigUint64(0) - EPOCH);
  const nanoseconds = view.getUint32(8);
  if (tai < 0 || tai > SECONDS_MAX || nanoseconds >= 1e9) return null;
  // Within a leap second the next one is given: nobody measures across it to the second.
  const leaps = LEAPS.filter((at, i) => tai >= at + FIRST_OFFSET + i + 1).length;
  const seconds = tai - FIRST_OFFSET - (scale === 'leap' ? leaps : 0);
  return seconds * 1000 + nanoseconds / 1e6;
}

/** 2^62: 1970-01-01 00:00:00 TAI. */
const EPOCH = 2n ** 62n;
/** TAI was that much ahead of UTC when leap seconds began. */
const FIRST_OFFSET = 10;
/** More is not a time of this machine. */
const SECONDS_MAX = 2 ** 40;

/** From when on there is one second more, as dates (IERS Bulletin C; none was announced since). */
const LEAP_DAYS: readonly string[] = [
  ...['1972-07-01', '1973-01-01', '1974-01-01', '1975-01-01', '1976-01-01', '1977-01-01'],
  ...['1978-01-01', '1979-01-01', '1980-01-01', '1981-07-01', '1982-07-01', '1983-07-01'],
  ...['1985-07-01', '1988-01-01', '1990-01-01', '1991-01-01', '1992-07-01', '1993-07-01'],
  ...['1994-07-01', '1996-01-01', '1997-07-01', '1999-01-01', '2006-01-01', '2009-01-01'],
  ...['2012-07-01', '2015-07-01', '2017-01-01'],
];
const LEAPS: readonly number[] = LEAP_DAYS.map((day) => Date.parse(`${day}T00:00:00Z`) / 1000);

/** Whole seconds and nanoseconds; a clock before 1970 is a clock that is not set. */
function split(unixMs: number): [seconds: number, nanoseconds: number] {
  const ms = Number.isFinite(unixMs) ? Math.max(0, unixMs) : 0;
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.floor((ms - seconds * 1000) * 1e6))];
}

function offsetOf(seconds: number, scale: TaiScale): number {
  if (scale === 'ten') return FIRST_OFFSET;
  return FIRST_OFFSET + LEAPS.filter((at) => seconds >= at).length;
}
