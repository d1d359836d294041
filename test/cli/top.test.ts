/** The screen of `svctl top`: exactly as large as the terminal, the chosen service in sight. */
import t from 'tap';
import { widthOf } from '../../src/cli/table.ts';
import {
  BEGIN,
  draw,
  paneRows,
  press,
  type Size,
  settle,
  tableRows,
} from '../../src/cli/top-screen.ts';
import { view } from './fake.ts';

const style = { columns: 80, colour: false, unicode: false };
const services = Array.from({ length: 30 }, (_, i) => view(`s${String(i).padStart(2, '0')}`, {}));
const size: Size = { rows: 24, columns: 80 };

/** Presses keys one after the other. */
function after(...keys: readonly string[]) {
  return keys.reduce(
    (top, key) => {
      const found = press(key, top, services, size);
      return found === null ? top : settle(found.top, services, size);
    },
    settle(BEGIN, services, size),
  );
}

t.test('draw() fills the terminal and is no wider, whatever its size', async (t) => {
  const long = view('x'.repeat(64), { note: 'a very long note '.repeat(20) });
  for (const rows of [5, 10, 24, 50]) {
    for (const columns of [30, 80, 200]) {
      const now = settle(BEGIN, [long, ...services], { rows, columns });
      const pane = ['y'.repeat(300), 'short'];
      const lines = draw(now, null, [long, ...services], pane, { rows, columns }, style);
      t.equal(lines.length, rows, `${rows} rows`);
      const wide = lines.filter((line) => widthOf(line) > columns);
      t.same(wide, [], `${columns} columns`);
    }
  }
});

t.test('the chosen one is marked, and stays in sight', async (t) => {
  const shown = (top: ReturnType<typeof after>) =>
    draw(top, null, services, [], size, style).filter((line) => line.startsWith('> '));
  t.match(shown(after()), [/s00/]);
  t.match(shown(after('j', 'j', 'k')), [/s01/]);
  t.match(shown(after('G')), [/s29/]);
  t.match(shown(after('G', 'j', 'j')), [/s29/], 'there is nothing behind the last');
  t.match(shown(after('G', 'g', '\x1b[A')), [/s00/]);
  t.match(shown(after(' ')), [new RegExp(`s${tableRows(size) - 1}`)]);
  const fewer = settle(after('G'), services.slice(0, 3), size);
  t.match(draw(fewer, null, services.slice(0, 3), [], size, style)[2], /> .*s00/, 'it went away');
});

t.test('keys act on the chosen one, change the pane, and leave', async (t) => {
  const top = after('j');
  t.match(press('r', top, services, size), { act: { verb: 'restart', name: 's01' } });
  t.match(press('s', top, services, size), { act: { verb: 'stop', name: 's01' } });
  t.match(press('u', top, services, size), { act: { verb: 'start', name: 's01' } });
  t.match(press('w', top, services, size), { act: null, top: { pane: 'why' } });
  t.match(press('x', top, services, size), { act: null, top });
  for (const key of ['q', '\x03']) t.equal(press(key, top, services, size), null);
  t.match(press('r', BEGIN, [], size), { act: null }, 'where there is none nothing is done');
});

t.test('what a service says cannot move the cursor', async (t) => {
  const evil = view('evil', { note: 'a\x1b[2Jb', description: '\x1b[1;1H' });
  const lines = draw(settle(BEGIN, [evil], size), null, [evil], [], size, style);
  t.notMatch(lines.join('\n'), '\x1b[2J');
  t.ok(paneRows(size) > 0);
});
