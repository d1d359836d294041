/**
 * Whole lives of whole systems, by the thousand, with everything going wrong that can: see
 * support/world.ts for what must hold. A failure names its seed; SVINIT_SEED=N has it again.
 */
import t from 'tap';
import { PHASES } from './support/table.ts';
import { World } from './support/world.ts';

const SEEDS = 2000;
const EVENTS = 300;

t.test('random lives keep every invariant, come up when faults stop, and go down', async (t) => {
  const given = process.env['SVINIT_SEED'];
  const first = given === undefined ? 1 : Number(given);
  const last = given === undefined ? SEEDS : first;
  const visited = new Set<string>();
  for (let seed = first; seed <= last; seed += 1) {
    const world = new World({
      seed,
      watch: (_, { changes }) => {
        for (const { service } of changes) visited.add(service.phase.at);
      },
    });
    try {
      world.chaos(EVENTS);
      world.calm();
      world.goDown();
    } catch (error) {
      t.fail(error instanceof Error ? error.message : String(error));
      return;
    }
  }
  t.pass(`${last - first + 1} lives of ${EVENTS} events`);
  if (given === undefined) t.same([...visited].sort(), PHASES.map(({ at }) => at).sort());
});

t.test('the same seed is the same life', async (t) => {
  const live = (): string => {
    const world = new World({ seed: 42 });
    world.chaos(EVENTS);
    world.calm();
    return world.story;
  };
  t.equal(live(), live());
});
