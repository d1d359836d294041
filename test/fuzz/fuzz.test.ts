/**
 * Each target lives through its corpus, and through a few seconds of random inputs. `make fuzz`
 * takes longer, and puts what fails into the corpus.
 */
import t from 'tap';
import { report } from './fuzzer.ts';
import { fuzzers } from './targets/all.ts';
import { checkAllStatuses } from './targets/proc.ts';

for (const target of fuzzers()) {
  t.test(`${target.name}: the corpus`, async (t) => {
    for (const file of target.corpus) {
      const failure = await target.replay(file);
      t.equal(failure === null ? null : report(failure), null, file);
    }
  });

  t.test(`${target.name}: ${target.rounds} random inputs`, async (t) => {
    for (let seed = 1; seed <= target.rounds; seed += 1) {
      const failure = await target.round(seed);
      if (failure !== null) return t.fail(report(failure));
    }
    t.pass(`${target.rounds} inputs`);
    return;
  });
}

t.test('each wait status there can be', async (t) => {
  checkAllStatuses();
  t.pass('65536 of them');
});
