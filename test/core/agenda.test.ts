/**
 * The earliest of many deadlines, compared with the slow and obvious way.
 */
import t from 'tap';
import { earliest, newAgenda, note, takeDue } from '../../src/core/agenda.ts';
import { type Millis, ms } from '../../src/core/units.ts';
import { randomFrom } from './support/random.ts';

t.test('earliest() is null when nothing is noted, or nothing noted is true', async (t) => {
  const agenda = newAgenda();
  t.equal(
    earliest(agenda, () => null),
    null,
  );
  note(agenda, 'a', ms(5));
  t.equal(
    earliest(agenda, () => null),
    null,
  );
  t.equal(agenda.heap.length, 0, 'what is not true is not kept');
});

t.test('takeDue() gives what is due, with its instant included', async (t) => {
  const agenda = newAgenda();
  for (const [name, at] of [
    ['c', 30],
    ['a', 10],
    ['b', 20],
  ] as const)
    note(agenda, name, ms(at));
  t.same(takeDue(agenda, ms(9)), []);
  t.same(takeDue(agenda, ms(20)), ['a', 'b']);
  t.same(takeDue(agenda, ms(20)), []);
  t.same(takeDue(agenda, ms(99)), ['c']);
});

t.test('an agenda agrees with a plain map through random changes', async (t) => {
  for (let seed = 1; seed <= 100; seed += 1) {
    const random = randomFrom(seed);
    const truth = new Map<string, Millis>();
    const dueOf = (name: string): Millis | null => truth.get(name) ?? null;
    const agenda = newAgenda();
    for (let now = 0; now < 300; now += 1) {
      const name = `s${random.below(10)}`;
      if (random.chance(0.2)) truth.delete(name);
      else {
        const at = ms(now + 1 + random.below(40));
        truth.set(name, at);
        note(agenda, name, at);
      }
      for (const due of new Set(takeDue(agenda, ms(now)))) {
        if ((dueOf(due) ?? Infinity) <= now) truth.delete(due);
      }
      const expected = truth.size === 0 ? null : Math.min(...truth.values());
      if (earliest(agenda, dueOf) !== expected) t.fail(`seed ${seed} at ${now}: not ${expected}`);
      if ((expected ?? Infinity) <= now) t.fail(`seed ${seed} at ${now}: missed ${expected}`);
    }
  }
  t.pass('100 seeds of 300 changes');
});

t.test('an agenda does not grow with entries that are long stale', async (t) => {
  const agenda = newAgenda();
  const dueOf = (name: string): Millis | null => (name === 'kept' ? ms(500) : null);
  note(agenda, 'kept', ms(500));
  let most = 0;
  for (let i = 0; i < 100_000; i += 1) {
    // A client that waits for a day and is answered at once, again and again.
    note(agenda, `/job/${i}`, ms(86_400_000 + i));
    if (earliest(agenda, dueOf) !== 500) t.fail('the entry that counts is lost');
    most = Math.max(most, agenda.heap.length);
  }
  t.ok(most < 5000, `${most} entries at most`);
});
