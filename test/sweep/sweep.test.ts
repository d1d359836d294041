/**
 * The syscall sweep: a whole life, from power on to power off, with one call failing, for every C
 * function, each error it may plausibly answer, and many places in the life. It ends as if nothing
 * had been, or with less and a reason that was told, or in the rescue shell; never in another way.
 */
import t, { type Test } from 'tap';
import { takeOver } from './host.ts';

takeOver();
const { lead } = await import('./life.ts');
const { complaints } = await import('./oracle.ts');
const { faultsFor, mistakesFor } = await import('./plan.ts');
const { Tree } = await import('./tree.ts');
type Life = Awaited<ReturnType<typeof lead>>;

t.test('F12 F59 a life in which one call fails', async (t) => {
  await sweep(t, faultsFor);
});

t.test('F22 a life with a mistake in the program at one call', async (t) => {
  await sweep(t, mistakesFor);
});

async function sweep(t: Test, plan: typeof faultsFor): Promise<void> {
  const tree = new Tree();
  t.teardown(() => tree.remove());
  const quiet = await lead(tree, null);
  t.same(complaints(quiet, quiet), [], 'nothing is wrong with the quiet life');
  t.same([quiet.ended, quiet.unanswered], ['poweroff', []]);

  const faults = plan(quiet.counts);
  const ends = { up: 0, degraded: 0, rescue: 0 };
  let bad = 0;
  for (const fault of faults) {
    const life = await lead(tree, fault);
    ends[endOf(quiet, life)] += 1;
    const found = complaints(quiet, life);
    if (found.length === 0) continue;
    bad += 1;
    const { name, k, code, calls = 1 } = fault;
    t.fail(`${name} ${k} fails ${calls} times with ${code}: ${found.join('; ')}`);
    if (bad > 20) break;
  }
  t.equal(bad, 0, `${faults.length} lives`);
  t.ok(ends.up > 0 && ends.degraded > 0 && ends.rescue > 0, 'each end was seen');
  t.comment(`${new Set(faults.map(({ name }) => name)).size} functions, ${JSON.stringify(ends)}`);
}

/** Which of the three it was. */
function endOf(quiet: Life, life: Life): 'up' | 'degraded' | 'rescue' {
  if (life.ended === 'restart') return 'rescue';
  const same = JSON.stringify(quiet.states) === JSON.stringify(life.states);
  const kept = [...quiet.descriptors].every(([label, n]) => life.descriptors.get(label) === n);
  return same && kept && life.ended === 'poweroff' ? 'up' : 'degraded';
}
