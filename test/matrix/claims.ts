/**
 * Which tests claim, by a number in their title, to prove a row of a table: `F14` of the fault
 * matrix, `C5` of the security rules,
 * `R7` of the rows of compatibility. It reads titles and knows nothing of the tables.
 */
import { globSync, readFileSync } from 'node:fs';

/** F: faults, C: rules of security, R: rows of compatibility. */
export type Letter = 'C' | 'F' | 'R';

/** The title of `test('…'`, or `point('…'` in programs that print TAP, whatever its quotes. */
const TITLE = /\b(?:test|point)\(\s*(['"`])((?:\\.|(?!\1)[^\\])*)\1/gs;

/** The numbers behind `letter` in the titles of each file that has any, by its path in test/. */
export function claims(letter: Letter): ReadonlyMap<string, ReadonlySet<number>> {
  return new Map(
    globSync('test/**/*.ts').flatMap((file): [string, ReadonlySet<number>][] => {
      const titles = [...readFileSync(file, 'utf8').matchAll(TITLE)].map((found) => found[2] ?? '');
      const numbers = new Set(titles.flatMap((title) => numbersOf(letter, title)));
      return numbers.size === 0 ? [] : [[file.replace(/^test\//, ''), numbers]];
    }),
  );
}

/** F5, but neither F55 nor the F5 of a longer word. */
export function numbersOf(letter: Letter, title: string): number[] {
  const number = new RegExp(`(?<!\\w)${letter}(\\d+)(?!\\w)`, 'g');
  return [...title.matchAll(number)].map((found) => Number(found[1]));
}
