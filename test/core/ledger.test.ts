/**
 * The ledger: a checkpoint and the records behind it say at every moment what the system is.
 */
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/checkpoint.ts';
import { turnRecord } from '../../src/core/ledger.ts';
import type { System } from '../../src/core/system.ts';
import { canonical } from './support/canonical.ts';
import { World } from './support/world.ts';

/** The state as a value in a fixed order: maps are played back in another. */
function stateOf(system: System): unknown {
  const { image: _, units, intents, jobs, booting, ...rest } = JSON.parse(encodeCheckpoint(system));
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);
  const byNumber = (a: { number: number }, b: { number: number }) => a.number - b.number;
  const lists = { intents: intents.sort(), jobs: jobs.sort(byNumber), booting: booting.sort() };
  return { ...rest, units: units.sort(byName), ...lists };
}

t.test('turnRecord() and replay: what is played back is what was', async (t) => {
  for (let seed = 1; seed <= 300; seed += 1) {
    let base = '';
    let records: unknown[] = [];
    let known: System | null = null;
    let definitions: unknown = null;
    let steps = 0;
    const world = new World({
      seed,
      watch: (system, { touched, jobs, whole }) => {
        if (system !== known || system.definitions !== definitions) {
          base = encodeCheckpoint(system);
          records = [];
        } else if (touched.size > 0 || jobs.size > 0 || whole) {
          records.push(JSON.parse(JSON.stringify(turnRecord(system, touched, jobs))));
        }
        known = system;
        definitions = system.definitions;
        steps += 1;
        if (steps % 10 !== 0) return;
        const decoded = decodeCheckpoint(base, system.options, records);
        if (!decoded.ok) throw new Error(`seed ${seed}: ${decoded.reason}`);
        const [found, wanted] = [stateOf(decoded.system), stateOf(system)];
        const [one, other] = [found, wanted].map((state) => canonical(JSON.stringify(state)));
        if (one === other) return;
        t.same(found, wanted, `seed ${seed}, step ${steps}`);
        throw new Error(`seed ${seed}: played back wrongly`);
      },
    });
    try {
      world.chaos(120);
    } catch (error) {
      t.fail(String(error).slice(0, 2000));
      return;
    }
  }
  t.pass('300 worlds were the same after every tenth step');
});

t.test(
  'F32 C3 replay: a record that does not fit ends it, and what came before stands',
  async (t) => {
    const world = new World({ seed: 7 });
    world.chaos(50);
    const { system } = world;
    const base = encodeCheckpoint(system);
    const good = turnRecord(system, system.units.keys(), system.jobs.keys());
    for (const bad of [null, 1, 'x', {}, [], { ...good, units: 1 }, { ...good, more: true }]) {
      const decoded = decodeCheckpoint(base, system.options, [bad, good]);
      t.ok(decoded.ok, JSON.stringify(bad)?.slice(0, 40));
      if (decoded.ok) t.same(stateOf(decoded.system), stateOf(system));
    }
  },
);
