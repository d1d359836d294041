/**
 * What tests of logs share: numbers that repeat, stored files read back, bytes put together again.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type LogRecord, parseRecord } from '../../src/core/logline.ts';

/** Numbers below a bound, the same ones in every run (a linear congruential generator). */
export function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}

/** Bytes of all kinds, with a newline every `lineBytes` or so: NUL, controls, no UTF-8, empty lines. */
export function randomBytes(
  random: (bound: number) => number,
  size: number,
  lineBytes: number,
): Buffer {
  return Buffer.from(
    Uint8Array.from({ length: size }, () => (random(lineBytes) === 0 ? 0x0a : random(256))),
  );
}

/** Records of stored bytes, which must be whole and svlog's. */
export function recordsIn(stored: Buffer): LogRecord[] {
  const records: LogRecord[] = [];
  for (let from = 0; from < stored.length; ) {
    const newline = stored.indexOf(0x0a, from);
    const record = newline < 0 ? null : parseRecord(stored.subarray(from, newline));
    if (record === null)
      throw new Error(`No record at ${from}: ${stored.subarray(from, from + 80)}`);
    records.push(record);
    from = newline + 1;
  }
  return records;
}

/** The bytes a service wrote, from what was stored of them. */
export function originalOf(records: readonly LogRecord[]): Buffer {
  return Buffer.concat(
    records.flatMap(({ kind, text }) => {
      if (kind === 'remark') return [];
      return kind === 'part' ? [text] : [text, Buffer.from('\n')];
    }),
  );
}

/** Names of the files of one log, oldest first. */
export function filesOf(dir: string): string[] {
  const names = readdirSync(dir);
  const archives = names.filter((name) => name.startsWith('@')).sort();
  return names.includes('current') ? [...archives, 'current'] : archives;
}

/** All stored bytes of one log, oldest first. */
export function storedIn(dir: string): Buffer {
  return Buffer.concat(filesOf(dir).map((name) => readFileSync(join(dir, name))));
}
