/** Medians of samples, and how sure they are. */
import t from 'tap';
import { add, figure, quantile, short, uncertainty } from '../../scripts/bench/results.ts';
import { results } from './results.ts';

t.test('quantile()', async (t) => {
  t.equal(quantile([1, 2, 9], 0.5), 2);
  t.equal(quantile([1, 2, 4, 9], 0.5), 3, 'the mean of the two in the middle');
  t.equal(quantile([0, 10], 0.99), 9.9);
  t.equal(quantile([7], 0.99), 7);
});

t.test('figure()', async (t) => {
  const all = results({});
  t.equal(figure(all, 'up/1', 's6'), null, 'nothing was measured');
  add(all, 'up/1', 's6', 3, 1);
  add(all, 'up/1', 's6', 2);
  t.same(figure(all, 'up/1', 's6'), { median: 2, min: 1, max: 3 }, 'of all rounds, in any order');
  add(all, 'orphans', 'pm2', 5, null, null);
  t.equal(figure(all, 'orphans', 'pm2')?.median, Infinity, 'most never came');
  t.equal(figure(all, 'orphans', 'pm2')?.min, 5);
});

t.test('uncertainty()', async (t) => {
  t.equal(uncertainty([]), null);
  t.equal(uncertainty([5]), null, 'one sample says nothing of others');
  t.equal(uncertainty([5, null]), null, 'one never came');
  t.equal(uncertainty([5, 5, 5]), 0);
  const few = uncertainty([90, 95, 100, 105, 110]) ?? 0;
  t.ok(few > 0.03 && few < 0.06, `five samples around 100: ${few}`);
  const many = uncertainty(Array.from({ length: 20 }, () => [90, 95, 100, 105, 110]).flat()) ?? 0;
  t.ok(many < few / 3, 'it falls with their number');
  const out = uncertainty([90, 95, 100, 105, 10_000]) ?? 0;
  t.equal(out, few, 'one that is far out does not matter');
});

t.test('short()', async (t) => {
  const told = [0.012345, 1.25, 12.34, 123.4, 12_345.6, Infinity].map(short);
  t.same(told, ['0.012', '1.3', '12.3', '123', '12,346', '∞']);
});
