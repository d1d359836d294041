/**
 * Which calls fail, and how: each C function that the quiet life calls, with each error it may
 * plausibly answer, at the first calls, at some in between and at the last; once, three times in a
 * row, and from the first on for ever.
 */
import { type CName, SIGNATURES } from '../../src/sys/signatures.ts';
import { ERRNOS } from './errnos.ts';
import { type Fault, THROWS } from './machine.ts';

/** So many places of each function are tried with each error; where it is called less, all. */
const PLACES_MAX = 8;

export function faultsFor(counts: ReadonlyMap<CName, number>): Fault[] {
  return [...counts].flatMap(([name, count]) =>
    (ERRNOS[name] ?? []).flatMap((code, shift) => [
      ...placesOf(count, shift).flatMap((k) => [
        { name, k, code },
        { name, k, code, calls: 3 },
      ]),
      { name, k: 1, code, calls: Infinity },
    ]),
  );
}

/** An error that is thrown in the middle of whatever makes that call. */
export function mistakesFor(counts: ReadonlyMap<CName, number>): Fault[] {
  const failing = [...counts].filter(([name]) => SIGNATURES[name].fails !== 'never');
  return failing.flatMap(([name, count]) =>
    placesOf(count, 0).map((k) => ({ name, k, code: THROWS })),
  );
}

/** The first and the last, and between them in even steps, at other places for each error. */
function placesOf(count: number, shift: number): number[] {
  if (count <= PLACES_MAX) return Array.from({ length: count }, (_, i) => i + 1);
  const step = count / PLACES_MAX;
  const between = Array.from({ length: PLACES_MAX - 1 }, (_, i) =>
    Math.min(count, 1 + Math.floor(i * step) + (shift % Math.max(1, Math.floor(step)))),
  );
  return [...new Set([...between, count])];
}
