/** What the console is told of a boot that takes long. */
import t from 'tap';
import { bootWords, tellBootAt } from '../../src/core/boot-waits.ts';
import { ms } from '../../src/core/units.ts';
import { Bench } from './support/bench.ts';
import { longrun, telling } from './support/builder.ts';

const words = (bench: Bench): string | null => bootWords(bench.system, ms(bench.now));

t.test('who is waited for, for how long, and until when', async (t) => {
  const bench = new Bench([
    telling('disk', { upWithin: ms(60_000) }),
    telling('net', { upWithin: null }),
    longrun('web', { needs: ['disk', 'net'] }),
  ]);
  bench.pass(7000);
  t.equal(
    words(bench),
    'boot waits since 7.0 s for disk (starting, 7.0 s, limit in 53 s), ' +
      'net (starting, 7.0 s, no limit) and 1 more',
  );
  bench.ready('disk');
  t.equal(words(bench), 'boot waits since 7.0 s for net (starting, 7.0 s, no limit) and 1 more');
  bench.ready('net');
  t.equal(words(bench), null, 'all have had their chance');
});

t.test('many are counted', async (t) => {
  const bench = new Bench(Array.from({ length: 9 }, (_, i) => telling(`s${i}`)));
  t.match(words(bench), /^boot waits since 0 ms for s0 \(.*s3 \([^)]*\) and 5 more$/);
});

t.test('a way down is no boot', async (t) => {
  const bench = new Bench([telling('disk')]);
  bench.ask('poweroff', {});
  t.equal(words(bench), null);
});

t.test('it is told soon, then less and less often', async (t) => {
  const { system } = new Bench([telling('disk')]);
  let at = tellBootAt(system, null);
  const told = [at];
  while (at < 600_000) {
    at = tellBootAt(system, at);
    told.push(at);
  }
  t.same(told.slice(0, 4), [5000, 10_000, 15_000, 22_500]);
  t.ok(told.length < 16, 'ten minutes are a dozen lines');
});
