/** What is named when ratios got worse, and what cannot be compared. */
import t from 'tap';
import { compare, type Ratios, ratiosOf } from '../../scripts/bench/compare.ts';
import { results } from './results.ts';

const [BUN, NODE] = ['svinit (Bun)', 'svinit (Node)'];

const of = (ratio: number, base = 'floor'): Ratios => ({ 'up/1000': { [BUN]: { ratio, base } } });

t.test('a ratio is to the limit, else the floor, else the best peer', async (t) => {
  const ours = { [BUN]: [30], [NODE]: [60] };
  const samples = {
    'up/1': { ...ours, 'limit (Bun)': [10], 'limit (Node)': [20], floor: [1] },
    'up/1000': { ...ours, floor: [10], s6: [5] },
    'stop/1000': { ...ours, s6: [20], runit: [15] },
    log: { ...ours, 's6-log': [60], svlogd: [20] },
    talk: ours,
    'idle-switches': { ...ours, 'limit (Bun)': [1] },
    waves: { [BUN]: [null], floor: [1] },
  };
  t.same(ratiosOf(results(samples)), {
    'up/1': {
      [BUN]: { ratio: 3, base: 'limit (Bun)' },
      [NODE]: { ratio: 3, base: 'limit (Node)' },
    },
    'up/1000': { [BUN]: { ratio: 3, base: 'floor' }, [NODE]: { ratio: 6, base: 'floor' } },
    'stop/1000': { [BUN]: { ratio: 2, base: 'runit' }, [NODE]: { ratio: 4, base: 'runit' } },
    talk: { [BUN]: { ratio: 30, base: '1 ms' }, [NODE]: { ratio: 60, base: '1 ms' } },
    'idle-switches': {
      [BUN]: { ratio: 30, base: '1 switches' },
      [NODE]: { ratio: 60, base: '1 switches' },
    },
    log: { [BUN]: { ratio: 2, base: 's6-log' }, [NODE]: { ratio: 1, base: 's6-log' } },
  });
});

t.test('only what got worse by more than a fifth is named', async (t) => {
  const none = '1 ratios compared, 0 worse by more than 20 %, 0 not compared.';
  t.same(compare(of(2), of(2)), [none]);
  t.same(compare(of(2), of(2.4)), [none]);
  t.same(compare(of(2), of(0.5)), [none], 'better is no news');
  t.same(compare(of(2), of(3)), [
    'worse by 50 %: up/1000 on svinit (Bun): ratio to floor 2 → 3',
    '1 ratios compared, 1 worse by more than 20 %, 0 not compared.',
  ]);
});

t.test('what is missing on either side is named', async (t) => {
  const count = '0 ratios compared, 0 worse by more than 20 %, 1 not compared.';
  const lost = 'not compared: up/1000 on svinit (Bun): ';
  t.same(compare(of(2), {}), [`${lost}it was not measured`, count]);
  t.same(compare({}, of(2)), [`${lost}it is not recorded`, count]);
  const moved = compare(of(2), of(2, 's6'));
  t.same(moved, [`${lost}the ratio was to floor, and is to s6`, count]);
  t.match(compare(null, of(2)), [/^Nothing is recorded/]);
});
