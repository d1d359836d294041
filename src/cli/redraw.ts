/**
 * From what stands on a terminal to what shall stand there, with few bytes: a serial line carries a
 * thousand in a second. Lines that are the same are not written; of the others only what is behind
 * the first difference, or between the first and the last.
 */

/** Cursor position and erase in line of ECMA-48 (8.3.21, 8.3.41). */
const at = (row: number, column: number): string => `\x1b[${row};${column}H`;
const CLEAR_TO_END = '\x1b[K';
const RESET = '\x1b[0m';

/** `before` is what stands there, line by line; where it has no line, anything may stand. */
export function redraw(before: readonly string[], lines: readonly string[]): string {
  return lines
    .flatMap((line, i) => (line === before[i] ? [] : [patch(i + 1, before[i] ?? null, line)]))
    .join('');
}

function patch(row: number, before: string | null, line: string): string {
  const start = before === null ? 0 : begin(before, line);
  const prefix = line.slice(0, start).replaceAll(SGR, '');
  // How wide other characters are is for the terminal to say, which may see it otherwise.
  if (before === null || !isAscii(prefix)) return `${at(row, 1)}${line}${CLEAR_TO_END}`;
  const here = at(row, prefix.length + 1);
  const end = before.length === line.length ? lastDifference(before, line) + 1 : line.length;
  const middles = before.slice(start, end) + line.slice(start, end);
  if (before.length === line.length && isAscii(middles)) return here + line.slice(start, end);
  return `${here}${line.slice(start)}${CLEAR_TO_END}`;
}

/** A colour: ECMA-48, 8.3.117. */
const SGR = /\x1b\[[0-9;]*m/g;

/** How much of both is the same, up to where no colour is on. */
function begin(before: string, line: string): number {
  let start = 0;
  while (start < line.length && before[start] === line[start]) start += 1;
  const colours = [...line.matchAll(SGR)].filter(({ index }) => index < start);
  const last = colours.at(-1);
  if (last === undefined) return start;
  const isOff = last[0] === RESET && last.index + RESET.length <= start;
  if (isOff) return start;
  // The reset itself was cut in two: what it ends began before.
  return last[0] === RESET ? (colours.at(-2)?.index ?? last.index) : last.index;
}

function lastDifference(before: string, line: string): number {
  let last = line.length - 1;
  while (last >= 0 && before[last] === line[last]) last -= 1;
  return last;
}

const isAscii = (text: string): boolean => /^[\x20-\x7e]*$/.test(text);
