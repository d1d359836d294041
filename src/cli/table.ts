/**
 * Columns of text that adapt to a width: what does not fit is left out from the right, and a
 * column that may be cut is cut first. It knows nothing of services.
 */

export type Column = {
  readonly title: string;
  readonly align: 'left' | 'right';
  /** `extra` goes as soon as anything must give way, `keep` never goes, `cut` may be shortened. */
  readonly give: 'keep' | 'drop' | 'cut' | 'extra';
};

export type Cell = {
  readonly text: string;
  /** Adds colour; never changes the width. */
  readonly paint?: (text: string) => string;
};

/** A shortened column is not narrower than this. */
const CUT_COLUMNS_MIN = 12;
const GAP = '  ';

/** One line a row, the titles first. `width` null: nothing is left out or cut. */
export function layout(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  width: number | null,
  ellipsis: string,
): string[] {
  const all = [columns.map(({ title }): Cell => ({ text: title })), ...rows];
  const natural = columns.map((_, i) => Math.max(...all.map((row) => widthOf(row[i]?.text ?? ''))));
  const shown = choose(columns, natural, width);
  const excess = width === null ? 0 : Math.max(0, total(natural, shown) - width);
  const room = (index: number): number =>
    at(natural, index) - (columns[index]?.give === 'cut' ? excess : 0);
  return all.map((row) => {
    const cells = shown.map((index) => {
      const { text, paint = same } = row[index] ?? { text: '' };
      const fitting = shorten(text, room(index), ellipsis);
      const gap = ' '.repeat(Math.max(0, room(index) - widthOf(fitting)));
      if (columns[index]?.align === 'right') return gap + paint(fitting);
      return index === shown.at(-1) ? paint(fitting) : paint(fitting) + gap;
    });
    return cells.join(GAP).trimEnd();
  });
}

/** Terminal columns that `text` takes: wide characters count twice, combining ones not at all. */
export function widthOf(text: string): number {
  let width = 0;
  for (const char of text) width += charWidth(char.codePointAt(0) ?? 0);
  return width;
}

/** `text` in at most `room` columns, with `ellipsis` where it was cut. */
export function shorten(text: string, room: number, ellipsis: string): string {
  if (widthOf(text) <= room) return text;
  let shown = '';
  let left = room - widthOf(ellipsis);
  for (const char of text) {
    left -= charWidth(char.codePointAt(0) ?? 0);
    if (left < 0) break;
    shown += char;
  }
  return shown + ellipsis;
}

/** Indices of the columns that are shown. */
function choose(
  columns: readonly Column[],
  natural: readonly number[],
  width: number | null,
): number[] {
  const everything = columns.map((_, i) => i);
  if (width === null || total(natural, everything) <= width) return everything;
  const least = columns.map(({ give }, i) =>
    give === 'cut' ? Math.min(at(natural, i), CUT_COLUMNS_MIN) : at(natural, i),
  );
  let shown = everything.filter((i) => columns[i]?.give !== 'extra');
  while (total(least, shown) > width) {
    const victim = shown.findLast((i) => columns[i]?.give !== 'keep');
    if (victim === undefined) return shown;
    shown = shown.filter((i) => i !== victim);
  }
  return shown;
}

/** The width of the columns `shown` with the gaps between them. */
function total(widths: readonly number[], shown: readonly number[]): number {
  return shown.reduce((sum, i) => sum + at(widths, i), GAP.length * (shown.length - 1));
}

const same = (text: string): string => text;
const at = (numbers: readonly number[], index: number): number => numbers[index] ?? 0;

/** Ranges of wide characters (Unicode East Asian Width W and F, and emoji), first and last. */
const WIDE: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1faff],
  [0x20000, 0x3fffd],
];

function charWidth(code: number): number {
  if (code < 0x300) return 1;
  if (code <= 0x36f || (code >= 0x200b && code <= 0x200f) || (code >= 0xfe00 && code <= 0xfe0f)) {
    return 0;
  }
  return WIDE.some(([first, final]) => code >= first && code <= final) ? 2 : 1;
}
