/**
 * What is started has been noted before: an image that dies right after a spawn leaves a process
 * that the next one knows only if it expected it. Otherwise it would be started a second time.
 */
import t from 'tap';
import { newSystem, type SystemEvent } from '../../src/core/system.ts';
import { ms, pid } from '../../src/core/units.ts';
import { Loop } from '../../src/supervisor/loop.ts';
import { longrun, optionsOf } from '../core/support/builder.ts';

/** A loop over a system of its own, and what it did, in order. */
function looped(): { loop: Loop; done: string[]; clock: { now: number } } {
  const done: string[] = [];
  const clock = { now: 1000 };
  let pids = 10;
  const loop: Loop = new Loop(newSystem(optionsOf(), ms(0)), {
    now: () => ms(clock.now),
    spawn: ({ name }): SystemEvent => {
      done.push(`spawn ${name}`);
      pids += 1;
      return { type: 'spawned', name, pid: pid(pids) };
    },
    perform: () => {},
    changed: () => {},
    settled: ({ touched }) => done.push(`note ${[...touched].sort().join(' ')}`),
    redefined: () => done.push('note definitions'),
    reconcile: () => {},
    failed: (what, error) => done.push(`${what}: ${error}`),
  });
  t.teardown(() => loop.stop());
  return { loop, done, clock };
}

const scanned = (...names: readonly string[]): SystemEvent => ({
  type: 'scanned',
  specs: names.map((name) => longrun(name)),
  problems: [],
  notices: [],
  prune: false,
  asker: null,
});

t.test('definitions are noted before anything of them is started', async (t) => {
  const { loop, done } = looped();
  loop.post(scanned('a', 'b'));
  t.same(done, ['note definitions', 'note a b', 'spawn a', 'spawn b', 'note a b']);
});

t.test('an end and what follows from it are noted before the next start', async (t) => {
  const { loop, done, clock } = looped();
  loop.post(scanned('a', 'b'));
  done.splice(0);
  // So long has it run that it is started again at once.
  clock.now += 5000;
  loop.post({ type: 'exited', pid: pid(11), exit: { kind: 'code', code: 0 } });
  t.same(done, ['note a', 'spawn a', 'note a']);
});
