/**
 * Patterns of names, compared with regular expressions.
 */
import t from 'tap';
import { isPattern, matches } from '../../src/core/glob.ts';
import { randomFrom } from './support/random.ts';

const CASES: readonly (readonly [pattern: string, yes: string, no: string])[] = [
  ['web', 'web', 'webs'],
  ['*', '', '-'],
  ['web*', 'web', 'we'],
  ['*web', 'my-web', 'web2'],
  ['w?b', 'wob', 'wb'],
  ['getty-*-?', 'getty-tty-1', 'getty-tty-10'],
  ['a*b*c', 'a-b-b-c', 'a-c-b'],
  ['?*', 'x', ''],
  ['a.b', 'a.b', 'a+b'],
  ['[ab]', '[ab]', 'a'],
  ['**', 'anything', '-'],
];

t.test('matches() knows * and ?, and nothing else is special', async (t) => {
  for (const [pattern, yes, no] of CASES) {
    t.ok(matches(pattern, yes), `${pattern} matches '${yes}'`);
    if (no !== '-') t.notOk(matches(pattern, no), `${pattern} does not match '${no}'`);
  }
});

t.test('matches() agrees with a regular expression', async (t) => {
  const letters = ['a', 'b', '*', '?'];
  for (let seed = 1; seed <= 20_000; seed += 1) {
    const random = randomFrom(seed);
    const text = (length: number): string =>
      Array.from({ length }, () => random.pick(letters)).join('');
    const pattern = text(random.below(7));
    const name = text(random.below(9));
    const inWords = pattern.replaceAll('*', '.*').replaceAll('?', '.');
    if (matches(pattern, name) !== new RegExp(`^${inWords}$`).test(name)) {
      t.fail(`seed ${seed}: '${pattern}' and '${name}'`);
    }
  }
  t.pass('20000 pairs');
});

t.test('matches() needs no more steps than pattern times name', async (t) => {
  // Backtracking over every star would take longer than this machine will exist.
  t.notOk(matches(`${'a*'.repeat(32)}b`, 'a'.repeat(64)));
});

t.test('isPattern() tells a pattern from a name', async (t) => {
  t.ok(isPattern('a*') && isPattern('?'));
  t.notOk(isPattern('a.b-c_d@e:f+g'));
});
