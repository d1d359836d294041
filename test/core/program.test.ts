/**
 * What programs of a service are started with.
 */
import t from 'tap';
import type { Exit } from '../../src/core/exit.ts';
import { finishArguments, resolveEnvironment } from '../../src/core/program.ts';
import type { Dialect } from '../../src/core/spec.ts';
import { pid } from '../../src/core/units.ts';
import { exitOf, longrun } from './support/builder.ts';

const core: Exit = { kind: 'signal', signal: 11, core: true };

/** s6-supervise(8): code or 256, signal, name, pgid. runsv(8): code or -1, low byte of status. */
const CASES: readonly (readonly [Dialect, Exit | null, string])[] = [
  ['s6', exitOf(0), '0 0 web 42'],
  ['s6', exitOf(111), '111 0 web 42'],
  ['s6', exitOf('TERM'), '256 15 web 42'],
  ['s6', core, '256 11 web 42'],
  ['s6', null, '0 0 web 42'],
  ['svinit', exitOf('KILL'), '256 9 web 42'],
  ['runit', exitOf(0), '0 0'],
  ['runit', exitOf(111), '111 0'],
  ['runit', exitOf('TERM'), '-1 15'],
  ['runit', core, '-1 139'],
];

t.test('finishArguments() are those of the dialect', async (t) => {
  for (const [dialect, exit, expected] of CASES) {
    const spec = longrun('web', { dialect });
    t.equal(finishArguments({ spec, exit, exitPid: pid(42) }).join(' '), expected, dialect);
  }
});

t.test('finishArguments() have a process group of 0 when there was no process', async (t) => {
  const spec = longrun('web');
  t.same(finishArguments({ spec, exit: null, exitPid: null }), ['0', '0', 'web', '0']);
});

t.test('resolveEnvironment() puts the own on top of the common, in a fixed order', async (t) => {
  const resolved = resolveEnvironment(
    { PATH: '/bin', Z: '1', HOME: '/' },
    { HOME: '/srv', A: '2' },
  );
  t.same(Object.entries(resolved), [
    ['A', '2'],
    ['HOME', '/srv'],
    ['PATH', '/bin'],
    ['Z', '1'],
  ]);
});

t.test('resolveEnvironment() changes neither of its arguments', async (t) => {
  const base = Object.freeze({ B: '1' });
  const own = Object.freeze({ A: '2' });
  t.same(resolveEnvironment(base, own), { A: '2', B: '1' });
});
