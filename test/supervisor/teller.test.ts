/** What the console is told while a boot takes long, and on the way down. */
import t from 'tap';
import { ms } from '../../src/core/units.ts';
import type { Journal } from '../../src/supervisor/journal.ts';
import { Teller } from '../../src/supervisor/teller.ts';
import { Bench } from '../core/support/bench.ts';
import { telling } from '../core/support/builder.ts';

function tellerOf(bench: Bench, quiet: boolean) {
  const said: string[] = [];
  const silent = (): void => {};
  const journal: Journal = { info: silent, warn: silent, error: silent, together: (act) => act() };
  const teller = new Teller(bench.system, journal, {
    say: (line) => said.push(line),
    quiet,
    beganAt: 0,
    kernel: { monotonic: () => ms(bench.now) },
  });
  // As the reconcile tick does it.
  const pass = (seconds: number): void => {
    for (let passed = 0; passed < seconds; passed += 1) {
      bench.pass(1000);
      teller.waiting();
    }
  };
  return { said, pass };
}

t.test('a boot that takes long says what it waits for, in plain lines', async (t) => {
  const bench = new Bench([telling('disk', { upWithin: null }), telling('net')]);
  bench.ready('net');
  const { said, pass } = tellerOf(bench, false);
  pass(4);
  t.same(said, [], 'nobody needs to know yet');
  pass(12);
  t.same(said, [
    'svinit: boot waits since 5.0 s for disk (starting, 5.0 s, no limit)',
    'svinit: boot waits since 10 s for disk (starting, 10 s, no limit)',
    'svinit: boot waits since 15 s for disk (starting, 15 s, no limit)',
  ]);
  bench.ready('disk');
  pass(60);
  t.equal(said.length, 3, 'all have had their chance');
  bench.ask('poweroff', {});
  pass(5);
  t.equal(said.length, 3, 'the way down has its own time');
  pass(1);
  t.match(said[3], /^svinit: poweroff waits for /);
});

t.test('a quiet boot says nothing of it', async (t) => {
  const { said, pass } = tellerOf(new Bench([telling('disk', { upWithin: null })]), true);
  pass(30);
  t.same(said, []);
});
