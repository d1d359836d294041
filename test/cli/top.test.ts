/** The screen of `svctl top`: exactly as large as the terminal, the chosen service in sight. */
import t from 'tap';
import { type Figures, type Looked, NO_FIGURES, NOTHING_LOOKED_AT } from '../../src/cli/gauge.ts';
import { keysIn } from '../../src/cli/keys.ts';
import { widthOf } from '../../src/cli/table.ts';
import { press } from '../../src/cli/top-keys.ts';
import { arrange, type Order, type Row } from '../../src/cli/top-rows.ts';
import {
  BEGIN,
  draw,
  paneRows,
  type Size,
  settle,
  type Top,
  tableRows,
} from '../../src/cli/top-screen.ts';
import type { ServiceView } from '../../src/core/methods.ts';
import { view } from './fake.ts';

const style = { columns: 80, colour: false, unicode: false };
const services = Array.from({ length: 30 }, (_, i) => view(`s${String(i).padStart(2, '0')}`, {}));
const size: Size = { rows: 24, columns: 80 };
const flat = (all: readonly ServiceView[]): Row[] => arrange(all, NOTHING_LOOKED_AT, BEGIN.order);
const rows = flat(services);

/** Presses keys one after the other. */
function after(...keys: readonly string[]): Top {
  return keys.reduce(
    (top, key) => {
      const found = press(key, top, rows, size);
      return found === null ? top : settle(found.top, rows, size);
    },
    settle(BEGIN, rows, size),
  );
}

function drawn(top: Top, all: readonly Row[], at: Size = size, pane: readonly string[] = []) {
  const views = all.flatMap((row) => row.view ?? []);
  const { machine } = NOTHING_LOOKED_AT;
  return draw(top, { version: null, machine, services: views, rows: all, pane }, at, style);
}

t.test('draw() fills the terminal and is no wider, whatever its size', async (t) => {
  const all = flat([view('x'.repeat(64), { note: 'a very long note '.repeat(20) }), ...services]);
  for (const rows of [6, 10, 24, 50]) {
    for (const columns of [30, 80, 200]) {
      const now = settle(BEGIN, all, { rows, columns });
      const lines = drawn(now, all, { rows, columns }, ['y'.repeat(300), 'short']);
      t.equal(lines.length, rows, `${rows} rows`);
      const wide = lines.filter((line) => widthOf(line) > columns);
      t.same(wide, [], `${columns} columns`);
    }
  }
});

t.test('the chosen one is marked, and stays in sight', async (t) => {
  const shown = (top: Top) => drawn(top, rows).filter((line) => line.startsWith('> '));
  t.match(shown(after()), [/s00/]);
  t.match(shown(after('j', 'j', 'k')), [/s01/]);
  t.match(shown(after('G')), [/s29/]);
  t.match(shown(after('G', 'j', 'j')), [/s29/], 'there is nothing behind the last');
  t.match(shown(after('G', 'g', '\x1b[A')), [/s00/]);
  t.match(shown(after(' ')), [new RegExp(`s${tableRows(size) - 1}`)]);
  const few = rows.slice(0, 3);
  t.match(drawn(settle(after('G'), few, size), few)[3], /> .*s00/, 'it went away');
});

t.test('keys act on the chosen one, change the pane, and leave', async (t) => {
  const top = after('j');
  t.match(press('r', top, rows, size), { act: { verb: 'restart', name: 's01' } });
  t.match(press('s', top, rows, size), { act: { verb: 'stop', name: 's01' } });
  t.match(press('u', top, rows, size), { act: { verb: 'start', name: 's01' } });
  t.match(press('w', top, rows, size), { act: null, top: { pane: 'why' } });
  t.match(press('x', top, rows, size), { act: null, top });
  for (const key of ['q', '\x03']) t.equal(press(key, top, rows, size), null);
  t.match(press('r', BEGIN, [], size), { act: null }, 'where there is none nothing is done');
});

t.test('what a service says cannot move the cursor', async (t) => {
  const evil = flat([view('evil', { note: 'a\x1b[2Jb', description: '\x1b[1;1H' })]);
  t.notMatch(drawn(settle(BEGIN, evil, size), evil).join('\n'), '\x1b[2J');
  t.ok(paneRows(size) > 0);
});

t.test('a filter is typed, kept, and given up', async (t) => {
  const typing = after('/', 's', '2', 'q');
  t.match(typing, { typing: true, order: { filter: 's2q' } }, 'letters are no commands');
  t.match(after('/', 's', '2', 'q', '\x7f', '\r'), { typing: false, order: { filter: 's2' } });
  t.match(after('/', 's', '2', '\x1b'), { typing: false, order: { filter: '' } });
  t.match(after('/', '\x07', ' ', 'é'), { order: { filter: '' } }, 'no name has such');
  t.equal(press('\x03', typing, rows, size), null, 'ctrl-C leaves all the same');
  const found = arrange(services, NOTHING_LOOKED_AT, { ...BEGIN.order, filter: '29' });
  t.same(
    found.map(({ key }) => key),
    ['s29'],
  );
});

const figures = (more: Partial<Figures>): Figures => ({ ...NO_FIGURES, ...more });
const family = [
  view('a', { needs: ['c'], neededBy: [], restarts: 3 }),
  view('b', { needs: ['c', 'd'] }),
  view('c', { needs: ['d'], neededBy: ['a', 'b'] }),
  view('d', { neededBy: ['b', 'c'] }),
];
const looked: Looked = {
  ...NOTHING_LOOKED_AT,
  services: new Map([
    ['a', figures({ cpuPercent: 1, memoryBytes: 500, slice: 'web' })],
    ['b', figures({ cpuPercent: 50, memoryBytes: 100, slice: 'data' })],
    ['c', figures({ pressure: { cpu: 0, memory: 3, io: 12.5 }, slice: 'data' })],
  ]),
  slices: new Map([
    ['data', figures({ cpuPercent: 51 })],
    ['web', figures({ cpuPercent: 2 })],
  ]),
};
const names = (order: Partial<Order>): string[] =>
  arrange(family, looked, { ...BEGIN.order, ...order }).map(
    ({ name, depth, view: of }) => `${'.'.repeat(depth)}${name}${of === null ? '/' : ''}`,
  );

t.test('arrange() sorts the largest first, and the unknown last', async (t) => {
  t.same(names({ sort: 'cpu' }), ['b', 'a', 'c', 'd']);
  t.same(names({ sort: 'memory' }), ['a', 'b', 'c', 'd']);
  t.same(names({ sort: 'pressure' }), ['c', 'a', 'b', 'd']);
  t.same(names({ sort: 'restarts' }), ['a', 'b', 'c', 'd']);
});

t.test('arrange() groups by slice, and as a tree of needs', async (t) => {
  t.same(names({ shape: 'slices', sort: 'cpu' }), ['data/', '.b', '.c', 'web/', '.a', 'd']);
  t.same(names({ shape: 'slices', filter: 'a' }), ['web/', '.a'], 'no slice without members');
  t.same(names({ shape: 'tree' }), ['a', '.c', '..d', 'b'], 'each once');
  const cycle = [view('x', { needs: ['y'], neededBy: ['y'] }), view('y', { needs: ['x'] })];
  t.equal(arrange(cycle, looked, { ...BEGIN.order, shape: 'tree' }).length, 2);
});

t.test('the figures of a service are on its line, those of the machine above', async (t) => {
  const all = arrange(family, looked, { ...BEGIN.order, shape: 'slices' });
  const lines = drawn(settle(BEGIN, all, size), all);
  t.equal(lines[1], 'cpu -  psi -');
  t.match(lines.join('\n'), / no cgroups: main processes only --$/m);
  t.match(lines[3], /^> \/ data +slice +51\.0 +- +- +-$/);
  t.match(lines[5], /^ {4}\* c +up +4h12m +- +- +- +i12\.5 +0 +212$/, 'of all pressure the worst');
  t.match(press('r', settle(BEGIN, all, size), all, size), { act: null }, 'a slice has no process');
});

t.test('keysIn() takes what a slow line brings in pieces', async (t) => {
  t.same(keysIn('ja\x1b[Bk', false), { keys: ['j', 'a', '\x1b[B', 'k'], rest: '' });
  t.same(keysIn('j\x1b', false), { keys: ['j'], rest: '\x1b' });
  t.same(keysIn('\x1b[1', false), { keys: [], rest: '\x1b[1' });
  t.same(keysIn('\x1bOA', false), { keys: ['\x1bOA'], rest: '' });
  t.same(keysIn('\x1b', true), { keys: ['\x1b'], rest: '' }, 'nothing followed: the key escape');
});
