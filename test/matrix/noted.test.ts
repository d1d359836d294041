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
function looped(telling = false): { loop: Loop; done: string[]; clock: { now: number } } {
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
    told: (changes) => {
      if (telling) done.push(`tell ${changes.map(({ name }) => name).join(' ')}`);
    },
    together: (act) => act(),
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

t.test('what ends at once is noted one by one, and started again after that', async (t) => {
  const { loop, done, clock } = looped();
  loop.post(scanned('a', 'b'));
  done.splice(0);
  clock.now += 5000;
  loop.gather(() => {
    for (const number of [11, 12]) {
      loop.post({ type: 'exited', pid: pid(number), exit: { kind: 'code', code: 0 } });
      done.push(`reap ${number}`);
    }
  });
  t.same(done, ['note a', 'reap 11', 'note b', 'reap 12', 'spawn a', 'spawn b', 'note a b']);
});

t.test('people are told after what is urgent', async (t) => {
  const { loop, done, clock } = looped(true);
  loop.post(scanned('a'));
  done.splice(0);
  clock.now += 5000;
  loop.post({ type: 'exited', pid: pid(11), exit: { kind: 'code', code: 0 } });
  t.match(done, ['note a', 'spawn a', 'note a', /^tell a/]);
});

/** From here on each start takes two milliseconds. */
function slow(done: string[], clock: { now: number }): void {
  const push = done.push.bind(done);
  done.push = (...lines) => {
    if (lines[0]?.startsWith('spawn') === true) clock.now += 2;
    return push(...lines);
  };
}

t.test('who asks is heard between starts that take long', async (t) => {
  const { loop, done, clock } = looped();
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  loop.post(scanned('slow'));
  done.splice(0);
  slow(done, clock);
  loop.post(scanned('slow', ...names));
  const before = done.filter((line) => line.startsWith('spawn')).length;
  t.ok(before > 0 && before < names.length, `${before} of ${names.length} at once`);
  while (!loop.isQuiet()) await new Promise((turn) => setImmediate(turn));
  t.equal(done.filter((line) => line.startsWith('spawn')).length, names.length);
});

t.test('events between two bursts of starts do not bring another one', async (t) => {
  const { loop, done, clock } = looped();
  loop.post(scanned('slow'));
  done.splice(0);
  slow(done, clock);
  loop.post(scanned('slow', 'a', 'b', 'c', 'd', 'e', 'f'));
  const spawned = (): number => done.filter((line) => line.startsWith('spawn')).length;
  const before = spawned();
  for (let count = 0; count < 5; count += 1) loop.post({ type: 'tick' });
  t.equal(spawned(), before);
  await new Promise((turn) => setImmediate(turn));
  t.ok(spawned() > before);
});
