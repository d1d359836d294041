/** Definitions that ask for terminals, as the system gets them. */
import t from 'tap';
import { plainSpec } from '../../src/core/builtins.ts';
import type { Spec } from '../../src/core/spec.ts';
import { expandTerminals, type Terminals } from '../../src/core/terminals.ts';

const HERE: Terminals = {
  console: '/dev/ttyS0',
  consoles: ['/dev/ttyS1', '/dev/tty1'],
  folder: '/run/svinit/terminals',
  program: { path: '/usr/bin/svinit', env: { A: 'b' } },
};

const spec = (name: string, more: Partial<Spec> = {}): Spec =>
  plainSpec({ name, description: '', start: { path: './run', argv: ['./run', name] }, ...more });

const byName = (specs: readonly Spec[], terminals = HERE): Map<string, Spec> =>
  new Map(expandTerminals(specs, terminals).specs.map((one) => [one.name, one]));

t.test('a service with a terminal of its own needs who holds it', async (t) => {
  const specs = byName([spec('game', { tty: 'pty', needs: ['db'], early: true }), spec('db')]);
  t.strictSame([...specs.keys()], ['game', 'game.pty', 'db']);
  t.match(specs.get('game'), {
    tty: '/run/svinit/terminals/game/tty',
    needs: ['db', 'game.pty'],
    env: { TERM: 'xterm' },
    start: { path: './run' },
  });
  t.match(specs.get('game.pty'), {
    type: 'longrun',
    tty: null,
    needs: [],
    early: true,
    initially: 'down',
    ready: { by: 'fd', fd: 3 },
    env: { A: 'b' },
    start: { path: '/usr/bin/svinit', argv: ['svpty', '--ready-fd', '3', '--service', 'game'] },
  });
  const own = byName([spec('game', { tty: 'pty', env: { TERM: 'linux' } }), spec('game.pty')]);
  t.equal(own.get('game')?.env['TERM'], 'linux');
  t.match(own.get('game.pty'), { start: { path: './run' } }, 'a directory takes its place');
});

t.test('a name that leaves no room for the holder is refused', async (t) => {
  const name = 'x'.repeat(61);
  const { specs, problems } = expandTerminals([spec(name, { tty: 'pty' }), spec('db')], HERE);
  t.strictSame(
    specs.map((one) => one.name),
    ['db'],
  );
  t.match(problems, [{ name, file: 'service.json', reason: /a name that is too long/ }]);
});

t.test('one for all consoles is there once for each', async (t) => {
  const bundle = plainSpec({ name: 'default', description: '', start: null, type: 'bundle' });
  const getty = spec('getty', { tty: 'consoles', early: true });
  const specs = byName([{ ...bundle, contents: ['getty', 'web'] }, getty]);
  t.strictSame(
    [...specs.values()].map(({ name, tty }) => [name, tty]),
    [
      ['default', null],
      ['getty', 'console'],
      ['getty-ttyS1', '/dev/ttyS1'],
      ['getty-tty1', '/dev/tty1'],
    ],
  );
  t.strictSame(specs.get('default')?.contents, ['getty', 'getty-ttyS1', 'getty-tty1', 'web']);
  t.match(specs.get('getty-tty1'), { early: true, start: { argv: ['./run', 'getty'] } });
});

t.test('where there is no terminal there is nothing to do', async (t) => {
  const specs = [spec('a', { tty: 'console' }), spec('b', { tty: 'consoles' }), spec('c')];
  const none = byName(specs, { ...HERE, console: null });
  t.strictSame([...none.keys()], ['a', 'b', 'c']);
  for (const name of ['a', 'b']) {
    t.match(none.get(name), { type: 'oneshot', start: null, description: '(no terminal here)' });
  }
  t.match(byName(specs).get('a'), { type: 'longrun', tty: 'console' });
});
