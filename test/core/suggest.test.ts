/** "Did you mean". */
import t from 'tap';
import { closest, didYouMean, editDistance } from '../../src/core/suggest.ts';

t.test('editDistance() counts insertions, deletions, substitutions and swaps', async (t) => {
  const cases: readonly (readonly [string, string, number])[] = [
    ['', '', 0],
    ['abc', 'abc', 0],
    ['', 'abc', 3],
    ['abc', '', 3],
    ['kitten', 'sitting', 3],
    ['need', 'needs', 1],
    ['neesd', 'needs', 1],
    ['ab', 'ba', 1],
    ['ca', 'abc', 3],
  ];
  for (const [a, b, distance] of cases) t.equal(editDistance(a, b), distance, `${a} -> ${b}`);
});

t.test('editDistance() is the same both ways', async (t) => {
  const words = ['', 'a', 'needs', 'wants', 'description', 'restart', 'start'];
  for (const a of words) for (const b of words) t.equal(editDistance(a, b), editDistance(b, a));
});

t.test('closest() takes the nearest candidate, or none', async (t) => {
  const keys = ['description', 'needs', 'wants', 'restart', 'start'];
  t.equal(closest('descripton', keys), 'description');
  t.equal(closest('Needs', keys), 'needs', 'upper case does not count');
  t.equal(closest('strat', keys), 'start');
  t.equal(closest('bananas', keys), null);
  t.equal(closest('x', ['y']), 'y', 'one edit is always near');
  t.equal(closest('needs', []), null);
  t.equal(closest('a'.repeat(10_000), keys), null, 'what is very long is not compared');
  t.equal(closest('ab', ['b'.repeat(100), 'abc']), 'abc');
});

t.test('didYouMean() is ready to stand behind a message', async (t) => {
  t.equal(didYouMean('need', ['needs']), ", did you mean 'needs'?");
  t.equal(didYouMean('zzzz', ['needs']), '');
});
