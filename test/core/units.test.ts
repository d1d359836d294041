/** Durations: told to people, and read from them. */
import t from 'tap';
import { DURATION_PATTERN, parseDuration } from '../../src/core/duration.ts';
import { durationWords, later, ms, unreachable } from '../../src/core/units.ts';

t.test('durationWords() uses two units at most', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0 ms'],
    [850, '850 ms'],
    [4200, '4.2 s'],
    [59_000, '59 s'],
    [180_000, '3 min'],
    [7_500_000, '2 h 5 min'],
    [200_000_000, '2 d 7 h'],
  ];
  for (const [duration, words] of cases) t.equal(durationWords(duration), words);
});

t.test('later() adds, unreachable() is a bug and says which', async (t) => {
  t.equal(later(ms(5), ms(7)), 12);
  const surprise: unknown = { type: 'new' };
  t.throws(() => unreachable(surprise as never), { message: 'Unhandled case {"type":"new"}' });
});

t.test('parseDuration() reads a number with a unit', async (t) => {
  const cases: readonly (readonly [string, number])[] = [
    ['200ms', 200],
    ['5s', 5000],
    ['1.5s', 1500],
    ['0.001s', 1],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['7d', 604_800_000],
    ['0s', 0],
  ];
  for (const [text, value] of cases) {
    t.equal(parseDuration(text), value, text);
    t.match(text, new RegExp(DURATION_PATTERN));
  }
});

t.test('parseDuration() refuses everything else, a number without a unit above all', async (t) => {
  const wrong = [
    '',
    '5',
    '5 s',
    's',
    '-5s',
    '1e3s',
    '5sec',
    '5S',
    '.5s',
    '5.s',
    '5m',
    ' 5s',
    '5s\n',
  ];
  for (const text of wrong) {
    t.equal(parseDuration(text), null, JSON.stringify(text));
    t.notMatch(text, new RegExp(DURATION_PATTERN));
  }
  t.equal(parseDuration('9'.repeat(100_000)), null);
});
