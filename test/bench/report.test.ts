/** How far a figure is from what is to be reached, and what is said of it; the plots. */
import t from 'tap';
import { aims, judge, misses } from '../../scripts/bench/aims.ts';
import { plot, ticks } from '../../scripts/bench/plot.ts';
import { machineOf, summary } from '../../scripts/bench/report.ts';
import { ROWS } from '../../scripts/bench/rows.ts';
import { WHY } from '../../scripts/bench/why.ts';
import { results } from './results.ts';

const row = (key: string) => {
  const found = ROWS.find((one) => one.key === key);
  if (found?.aim === undefined) throw new Error(`${key} has no aim`);
  return { row: found, aim: found.aim };
};

const measured = results({
  'up/1': { 'svinit (Bun)': [30], 'limit (Bun)': [7.5], 'svinit (Node)': [10] },
  'up/1000': { 'svinit (Bun)': [90], floor: [30], 'limit (Bun)': [60] },
  'talk-rate': { 'svinit (Bun)': [10_000], 'svinit (Node)': [2500] },
  boot: { 'svinit (Bun)': [3], 'busybox init': [2] },
});

const verdict = (key: string, name: string) => {
  const { row: found, aim } = row(key);
  return judge(measured, found, aim, name);
};

t.test('judge()', async (t) => {
  const [bun, node] = ['svinit (Bun)', 'svinit (Node)'];
  t.same(verdict('up/1', bun), { value: 30, bound: 15, factor: 2, unit: 'ms' });
  t.match(verdict('up/1000', bun), { value: 3, factor: 3 / 1.8, unit: '×' }, 'of the floor');
  t.equal(verdict('up/1000', node), null, 'it was not measured');
  t.equal(verdict('talk-rate', bun)?.factor, 0.5, 'more is better');
  t.equal(verdict('talk-rate', node)?.factor, 2);
  t.match(verdict('boot', bun), { value: 1, bound: 0.6, unit: 's' }, 'over another');
  t.equal(verdict('log', bun), null, 'what it is compared with was not measured');
});

t.test('the tables say what is reached, and of what is missed the limit', async (t) => {
  const table = aims(measured).join('\n');
  t.match(table, '| 30: missed by 2 × | 7.5 | 10: reached | – |');
  const missed = misses(measured);
  t.equal(missed.length, 2 + 4, 'a head, and a line for each that is missed');
  const text = missed.join('\n');
  t.match(text, '| 30 ms, ≤ 15 ms: 2 × that | 7.5 ms; svinit takes 4 × as much |');
  t.match(text, '| 2 ×: misses it too; svinit takes 1.5 × as much |');
  t.notMatch(text, '{', 'every median in a sentence was found');
  t.same(misses(results({ 'up/1': { 'svinit (Bun)': [1] } })), ['None is missed.']);
});

t.test(
  'every reason is for a figure that is to be reached, and names rows there are',
  async (t) => {
    for (const [key, why] of Object.entries(WHY)) {
      t.ok(row(key), key);
      for (const [, name = ''] of Object.values(why)
        .join(' ')
        .matchAll(/\{[^:}]+: ([^}]+)\}/g)) {
        t.ok(
          ROWS.some((one) => one.key === name),
          `${key}: ${name}`,
        );
      }
    }
  },
);

t.test('a busy machine is told', async (t) => {
  const lines = (load: string) => machineOf(results({}, { processors: '2 × x', load })).join('\n');
  t.notMatch(lines('1.00'), 'busy');
  t.match(lines('1.10'), 'busy');
  t.match(lines('?'), 'busy', 'it is not known to be quiet');
});

t.test('summary()', async (t) => {
  const samples = {
    'up/1': { 'svinit (Bun)': [10], s6: [1], systemd: [40] },
    log: { 'svinit (Bun)': [100], 's6-log': [20] },
  };
  const [, , ...lines] = summary(results(samples));
  t.equal(lines.length, 2, 'what was not measured has no line');
  t.match(lines[0], / s6 0.1, systemd 4 \|$/);
  t.match(lines[1], / s6-log 5 \|$/, 'more is better: it does a fifth');
});

t.test('plot()', async (t) => {
  t.same(ticks(0.7, 30), [1, 2, 5, 10, 20]);
  t.same(ticks(0.7, 30_000), [1, 10, 100, 1000, 10_000]);
  const rows = ROWS.filter(({ key }) => key.startsWith('memory/'));
  const samples = {
    'memory/10': { s6: [1], 'svinit (Bun)': [10] },
    'memory/1000': { s6: [100], 'svinit (Bun)': [10] },
  };
  const svg = plot(rows, ['s6', 'runit', 'svinit (Bun)'], results(samples));
  t.match(svg, '<title>PSS of all that supervises</title>');
  t.notMatch(svg, 'runit', 'who was not measured has no line');
  t.notMatch(svg, 'NaN');
  const [first, second] = [...svg.matchAll(/points="([^ ]+) ([^"]+)"/g)].map(
    ([, from = '', to = '']) => [from.split(','), to.split(',')].map(([, y]) => Number(y)),
  );
  t.ok((first?.[0] ?? 0) > (first?.[1] ?? 0), 's6 comes first, for it ends higher, and grows');
  t.equal(second?.[0], second?.[1], 'what does not grow is flat');
  t.match(svg, 'line ours');
});

t.test('what is to be reached may be another on Node', async (t) => {
  const samples = { 'idle-switches': { 'svinit (Bun)': [30], 'svinit (Node)': [30] } };
  const line = aims(results(samples)).find((text) => text.includes('switches')) ?? '';
  t.match(line, /on Node 15 \| 30: reached \| – \| 30: missed by 2 × \| – \|$/);
});
