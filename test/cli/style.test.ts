import t from 'tap';
import { layout, shorten, widthOf } from '../../src/cli/table.ts';
import { type Style, styleOf, type World } from '../../src/cli/terminal.ts';
import { shortDuration } from '../../src/cli/words.ts';

t.test('layout() counts terminal columns, not characters', async (t) => {
  t.equal(widthOf('naïve'), 5);
  t.equal(widthOf('日本'), 4);
  t.equal(widthOf('e\u0301'), 1);
  t.equal(shorten('日本語', 5, '…'), '日本…');
  t.equal(shorten('日本語', 4, '…'), '日…');
  t.equal(shorten('abc', 0, '…'), '…');
  const columns = [
    { title: 'A', align: 'left', give: 'keep' },
    { title: 'B', align: 'right', give: 'drop' },
  ] as const;
  const lines = layout(columns, [[{ text: '日本' }, { text: '1' }], [{ text: 'x' }]], null, '…');
  t.strictSame(lines, ['A     B', '日本  1', 'x']);
});

t.test('shortDuration() is short', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [850, '850ms'],
    [12_400, '12s'],
    [250_000, '4m10s'],
    [7_500_000, '2h5m'],
    [273_600_000, '3d4h'],
  ];
  for (const [duration, text] of cases) t.equal(shortDuration(duration), text);
});

t.test('styleOf() asks terminal, locale and wishes', async (t) => {
  const of = (env: Record<string, string>, isTerminal = true, noColor = false): Style => {
    const world: World = {
      env,
      stdoutIsTerminal: isTerminal,
      stderrIsTerminal: isTerminal,
      columns: () => 80,
      write: () => {},
      readStdin: () => Promise.resolve(''),
    };
    return styleOf(world, noColor);
  };
  const utf = { TERM: 'xterm', LANG: 'en_GB.UTF-8' };
  t.strictSame(of(utf), { columns: 80, colour: true, unicode: true });
  t.strictSame(of(utf, false), { columns: null, colour: false, unicode: true });
  t.strictSame(of({ ...utf, COLUMNS: '40' }).columns, 40);
  t.strictSame(of({ ...utf, COLUMNS: '40' }, false).columns, null);
  for (const columns of ['x', '0', '-3', '']) t.equal(of({ ...utf, COLUMNS: columns }).columns, 80);
  t.equal(of(utf, true, true).colour, false);
  t.equal(of({ ...utf, NO_COLOR: '1' }).colour, false);
  t.equal(of({ ...utf, NO_COLOR: '' }).colour, true, 'empty counts as not set');
  t.match(of({ ...utf, TERM: 'dumb' }), { colour: false, unicode: false });
  t.match(of({ ...utf, TERM: 'linux' }), { colour: true, unicode: false });
  t.equal(of({ TERM: 'xterm' }).unicode, false);
  t.equal(of({ ...utf, LC_ALL: 'C' }).unicode, false, 'LC_ALL outranks LANG');
  t.equal(of({ TERM: 'xterm', LC_CTYPE: 'C.utf8' }).unicode, true);
});
