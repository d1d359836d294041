/**
 * Lives of the real core in a model world, and the proof that mistakes in it would be found and made
 * small. `node scripts/simulate.ts` lives more of them.
 */
import t from 'tap';
import { PHASES } from '../core/support/table.ts';
import { decodeStretches, encodeStretches, type Life, live, wholeLife } from './life.ts';
import { MUTANTS, type Mutant } from './mutants.ts';
import { fewest, shrink } from './shrink.ts';

const SEEDS = 10_000;
/** A mistake shows within so many. */
const MUTANT_SEEDS = 2000;
/** What is left of a life of 200 stretches that fails. */
const SMALL = 80;

t.test(`F2 F27 F33 F47 C12 ${SEEDS} lives keep every invariant`, async (t) => {
  const visited = new Set<string>();
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const { failure } = live(wholeLife(seed), undefined, (_, { changes }) => {
      for (const { service } of changes) visited.add(service.phase.at);
    });
    if (failure === null) continue;
    const { stretches, omit } = shrink(wholeLife(seed));
    t.fail(`${live({ seed, stretches, omit }).failure}\nstretches ${encodeStretches(stretches)}`);
    return;
  }
  t.same([...visited].sort(), PHASES.map(({ at }) => at).sort(), 'each phase has been seen');
});

t.test('the same life goes the same way', async (t) => {
  const life = { ...wholeLife(42), stretches: [...Array(60).keys()], omit: ['b'] };
  t.equal(live(life).story, live(life).story);
  t.not(live(life).story, live({ ...life, omit: [] }).story);
});

for (const mutant of MUTANTS) {
  t.test(`C12 a mistake is found: ${mutant.mistake}`, async (t) => {
    const failing = firstFailing(mutant);
    if (failing === null) return t.fail(`not within ${MUTANT_SEEDS} seeds`);
    const smallest = shrink(failing, mutant.core);
    const { failure } = live(smallest, mutant.core);
    t.ok(smallest.stretches.length <= SMALL, `${smallest.stretches.length} stretches are left`);
    t.equal(live(smallest).failure, null, 'the core as it is lives through it');
    t.equal(live(smallest, mutant.core).failure, failure, 'it fails the same way again');
    return;
  });
}

t.test('fewest() keeps what is needed', async (t) => {
  const needs = (wanted: readonly number[]) => (some: readonly number[]) =>
    wanted.every((item) => some.includes(item));
  const all = [...Array(100).keys()];
  for (const wanted of [[], [0], [99], [3, 50, 51, 98], all]) {
    t.same(fewest(all, needs(wanted)), wanted);
  }
});

t.test('stretches are written and read', async (t) => {
  for (const [text, stretches] of [
    ['', []],
    ['7', [7]],
    ['1-3,5,8-9', [1, 2, 3, 5, 8, 9]],
  ] as const) {
    t.equal(encodeStretches(stretches), text);
    t.same(decodeStretches(text), stretches);
  }
  for (const text of ['x', '1-', '-1', '1,,2', '1 2']) t.throws(() => decodeStretches(text), text);
});

/** The first life that fails as the mistake should. */
function firstFailing({ core, found }: Mutant): Life | null {
  for (let seed = 1; seed <= MUTANT_SEEDS; seed += 1) {
    const { failure } = live(wholeLife(seed), core);
    if (failure !== null && found.test(failure)) return wholeLife(seed);
  }
  return null;
}
