/**
 * Durations as people write them in service.json and on the command line: `200ms`, `1.5s`, `2min`.
 */
import { type Millis, ms } from './units.ts';

/** The whole syntax, as a pattern for the published schema. */
export const DURATION_PATTERN = '^[0-9]{1,9}([.][0-9]{1,3})?(ms|s|min|h|d)$';

const SYNTAX = /^([0-9]{1,9}(?:[.][0-9]{1,3})?)(ms|s|min|h|d)$/;

const UNITS: ReadonlyMap<string, number> = new Map([
  ['ms', 1],
  ['s', 1000],
  ['min', 60_000],
  ['h', 3_600_000],
  ['d', 86_400_000],
]);

/** The duration `text` stands for, or null when it is none. A number without a unit is none. */
export function parseDuration(text: string): Millis | null {
  // The longest duration has 16 characters; anything longer is not worth matching.
  if (text.length > 16) return null;
  const [, number, unit] = SYNTAX.exec(text) ?? [];
  const factor = UNITS.get(unit ?? '');
  if (number === undefined || factor === undefined) return null;
  return ms(Math.round(Number(number) * factor));
}
