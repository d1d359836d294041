/**
 * How soon after a death, and when no more.
 */
import t from 'tap';
import { delayBeforeRestart, withinLimit } from '../../src/core/pacing.ts';
import type { RestartPolicy } from '../../src/core/spec.ts';
import { type Millis, ms } from '../../src/core/units.ts';

const delays = (failures: number, ranFor: number): number[] =>
  Array.from({ length: 2000 }, (_, i) =>
    delayBeforeRestart('svinit', failures, ms(ranFor), ms(5000 + i)),
  );

t.test('delayBeforeRestart() doubles from 100 ms to 30 s, natively', async (t) => {
  const plain = [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000];
  for (const [index, delay] of plain.entries()) {
    const all = delays(index + 1, 0);
    t.ok(Math.min(...all) >= delay * 0.9 - 1e-6, `${index + 1}: not below ${delay} - 10 %`);
    t.ok(Math.max(...all) <= delay * 1.1 + 1e-6, `${index + 1}: not above ${delay} + 10 %`);
  }
  t.ok(Number.isFinite(delays(5000, 0)[0]), 'and never overflows');
});

t.test('delayBeforeRestart() scatters neighbouring instants over the whole jitter', async (t) => {
  const all = delays(1, 0);
  t.ok(new Set(all).size > 500, 'whole milliseconds do not fall together');
  t.ok(Math.min(...all) < 91 && Math.max(...all) > 109);
  t.equal(delays(1, 0)[7], delays(1, 0)[7], 'the same instant gives the same');
});

t.test('delayBeforeRestart() is nothing after a run of a second, natively', async (t) => {
  t.equal(delays(9, 1000)[0], 0);
  t.not(delays(9, 999)[0], 0);
});

t.test('delayBeforeRestart() is a second for s6, of which some may be over', async (t) => {
  for (const ranFor of [0, 999, 1_000_000]) {
    t.equal(delayBeforeRestart('s6', 3, ms(ranFor), ms(1)), 1000);
    t.equal(delayBeforeRestart('s6', 3, ms(ranFor), ms(1), ms(300)), 700);
    t.equal(delayBeforeRestart('s6', 3, ms(ranFor), ms(1), ms(5000)), 0);
  }
});

t.test('delayBeforeRestart() is a second for runit, and nothing if it lived one', async (t) => {
  t.equal(delayBeforeRestart('runit', 3, ms(999), ms(1)), 1000);
  t.equal(delayBeforeRestart('runit', 3, ms(1000), ms(1)), 0);
});

t.test('withinLimit() counts deaths in a row, and a healthy run ends the row', async (t) => {
  const policy: RestartPolicy = { when: 'always', limit: null, window: ms(60_000) };
  const count = (failures: number, ranFor: number): number =>
    withinLimit({ failures, failedAt: [] }, ms(ranFor), policy, ms(0)).failures;
  t.equal(count(0, 0), 1);
  t.equal(count(4, 9999), 5);
  t.equal(count(4, 10_000), 1);
});

t.test('withinLimit() gives up at more than the limit within the window', async (t) => {
  const policy: RestartPolicy = { when: 'always', limit: 3, window: ms(60_000) };
  t.same(givenUp(policy, [0, 1000, 2000, 3000]), [false, false, false, true]);
  t.same(givenUp(policy, [0, 20_000, 40_000, 59_999]), [false, false, false, true]);
  t.same(givenUp(policy, [0, 20_000, 40_000, 60_000]), [false, false, false, false]);
  t.same(givenUp({ ...policy, limit: 0 }, [5]), [true], 'zero means the first');
  t.same(givenUp({ ...policy, limit: null }, [0, 0, 0, 0, 0, 0]), Array(6).fill(false));
});

t.test('withinLimit() remembers no more deaths than it needs', async (t) => {
  const policy: RestartPolicy = { when: 'always', limit: 2, window: ms(1e9) };
  let failedAt: readonly Millis[] = [];
  for (let i = 0; i < 100; i += 1) {
    failedAt = withinLimit({ failures: i, failedAt }, ms(0), policy, ms(i)).failedAt;
  }
  t.same(failedAt, [97, 98, 99]);
});

function givenUp(policy: RestartPolicy, deaths: readonly number[]): boolean[] {
  let state: { failures: number; failedAt: readonly Millis[] } = { failures: 0, failedAt: [] };
  return deaths.map((at) => {
    const next = withinLimit(state, ms(100), policy, ms(at));
    state = next;
    return next.givenUp;
  });
}
