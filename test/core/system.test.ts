/**
 * All services together: who starts when, who holds whom, and what the boot waits for.
 */
import t from 'tap';
import { ms } from '../../src/core/units.ts';
import { Bench } from './support/bench.ts';
import { bundle, longrun, oneshot, telling } from './support/builder.ts';

const HOUR = 3_600_000;

t.test('waves: of 1 before 2 and 3 before 4, 1 and 3 start together, then 2 and 4', async (t) => {
  const bench = new Bench([
    telling('1'),
    telling('2', { needs: ['1'] }),
    telling('3'),
    telling('4', { needs: ['3'] }),
  ]);
  t.same(bench.took(), ['start 1', 'start 3']);
  bench.ready('1', '3');
  t.same(bench.took(), ['start 2', 'start 4']);
});

t.test('waves have no barrier: 2 starts when 1 is ready, whatever 3 does', async (t) => {
  const bench = new Bench([
    telling('1'),
    telling('2', { needs: ['1'] }),
    telling('3'),
    telling('4', { needs: ['3'] }),
  ]);
  bench.took();
  bench.ready('1');
  t.same(bench.took(), ['start 2']);
});

t.test('a need that only runs, and one that is no longer ready, hold who needs them', async (t) => {
  const bench = new Bench([telling('db'), longrun('web', { needs: ['db'] })]);
  t.equal(bench.phases(), 'db:starting web:down');
  bench.ready('db');
  t.equal(bench.phases(), 'db:up web:up');
  bench.exit('db', 1);
  bench.exit('web', 1);
  bench.pass(200);
  t.equal(bench.phases(), 'db:starting web:down', 'web waits again');
});

t.test('starts are level-triggered: a need may come up an hour later', async (t) => {
  const once = { when: 'never', limit: null, window: ms(1000) } as const;
  const bench = new Bench(
    [longrun('db', { restart: once }), longrun('web', { needs: ['db'] })],
    {},
  );
  bench.exit('db', 1);
  bench.exit('web', 1);
  bench.pass(HOUR);
  t.equal(bench.phases(), 'db:failed web:down');
  bench.took();
  bench.tell('start', { names: ['db'] });
  t.same(bench.took(), ['start db', 'start web']);
});

t.test('a crash of a need leaves who needs it running', async (t) => {
  const bench = new Bench([longrun('db'), longrun('web', { needs: ['db'] })]);
  bench.took();
  bench.exit('db', 'SEGV');
  t.same([bench.phases(), bench.took()], ['db:backoff web:up', []]);
  bench.pass(200);
  t.same([bench.phases(), bench.took()], ['db:up web:up', ['start db']]);
});

t.test('wants are started too and waited for, but their failure holds nobody', async (t) => {
  const bench = new Bench([
    telling('cache', { initially: 'down' }),
    longrun('web', { wants: ['cache', 'nobody'] }),
  ]);
  t.equal(bench.phases(), 'cache:starting web:down');
  bench.exit('cache', 1);
  t.equal(bench.phases(), 'cache:backoff web:up');
});

t.test('after and before order what is wanted, and start nothing', async (t) => {
  const down = { initially: 'down' } as const;
  const bench = new Bench([
    telling('a', down),
    longrun('b', { after: ['a'] }),
    longrun('c', { before: ['b'], ...down }),
  ]);
  t.equal(bench.phases(), 'a:down b:up c:down', 'nobody wants a or c');
  bench.tell('stop', { names: ['b'], wait: false });
  bench.exit('b', 'TERM');
  bench.ask('start', { names: ['a', 'b', 'c'] });
  t.equal(bench.phases(), 'a:starting b:down c:up');
  bench.ready('a');
  t.equal(bench.phases(), 'a:up b:up c:up');
});

t.test('after is no longer waited for when it is no longer wanted', async (t) => {
  const bench = new Bench([telling('a'), longrun('b', { after: ['a'] })]);
  t.equal(bench.phases(), 'a:starting b:down');
  bench.ask('stop', { names: ['a'] });
  t.equal(bench.phases(), 'a:stopping b:up');
});

t.test('after does not wait for what cannot start, because its own need has failed', async (t) => {
  const bench = new Bench([], {});
  bench.refusals.set('disk', 'ENOENT');
  bench.scan([
    oneshot('disk'),
    longrun('db', { needs: ['disk'] }),
    longrun('web', { after: ['db'] }),
  ]);
  t.equal(bench.phases(), 'disk:failed db:down web:up');
});

t.test('early services start before all others, which then need not wait for them', async (t) => {
  const bench = new Bench([longrun('web'), telling('log', { early: true })]);
  t.equal(bench.phases(), 'web:down log:starting');
  bench.ready('log');
  t.equal(bench.phases(), 'web:up log:up');
  bench.exit('log', 1);
  bench.exit('web', 1);
  bench.pass(150);
  bench.took();
  t.equal(bench.phases(), 'web:up log:starting', 'the gate stays open');
});

t.test('early services that fail, or wait for what has failed, hold nobody', async (t) => {
  const bench = new Bench([]);
  bench.refusals.set('log', 'ENOENT');
  bench.scan([
    longrun('log', { early: true }),
    longrun('tty', { early: true, needs: ['log'] }),
    longrun('web'),
  ]);
  t.equal(bench.phases(), 'log:backoff tty:down web:up');
});

t.test('a target wants its members and what they need; without one, all are wanted', async (t) => {
  const specs = [
    longrun('db'),
    longrun('web', { needs: ['db'] }),
    longrun('extra'),
    longrun('always', { initially: 'up' }),
    longrun('never', { initially: 'down' }),
  ];
  t.equal(new Bench(specs).phases(), 'db:up web:up extra:up always:up never:down');
  const target = [...specs, bundle('default', ['web'])];
  t.equal(new Bench(target).phases(), 'db:up web:up extra:down always:up never:down');
  t.equal(
    new Bench(target, { target: 'other' }).phases(),
    'db:down web:down extra:down always:up never:down',
    'a target that is not there wants no service of its own',
  );
});

t.test(
  'a machine in trouble wants its early services, or only those with a terminal',
  async (t) => {
    const specs = [
      longrun('log', { early: true, essential: true }),
      longrun('devices', { early: true }),
      longrun('console', { early: true, tty: 'console' }),
      longrun('login', { tty: 'tty2' }),
      longrun('web', { initially: 'up' }),
      bundle('default', ['web', 'console']),
    ];
    const under = (target: string) => new Bench(specs, { target }).phases();
    t.equal(under('rescue'), 'log:up devices:up console:up login:down web:down');
    t.equal(under('emergency'), 'log:up devices:down console:up login:down web:down');
    t.equal(under('slip'), 'log:up devices:up console:up login:down web:up');
  },
);

t.test('parallel bounds how many are starting at once', async (t) => {
  const bench = new Bench([telling('a'), telling('b'), telling('c')], { parallel: 2 });
  t.equal(bench.phases(), 'a:starting b:starting c:down');
  bench.ready('b');
  t.equal(bench.phases(), 'a:starting b:up c:starting');
  bench.exit('a', 1);
  t.equal(bench.phases(), 'a:backoff b:up c:starting');
});

t.test('the boot settles once, when all that is wanted has had its chance', async (t) => {
  const bench = new Bench([telling('a'), oneshot('b')]);
  bench.ready('a');
  t.notOk(bench.took().includes('booted'));
  bench.exit('b', 1);
  t.same(bench.took(), ['booted']);
  bench.exit('a', 1);
  bench.pass(HOUR);
  t.notOk(bench.took().includes('booted'));
});

t.test('the boot settles although a need failed and others wait for it', async (t) => {
  const bench = new Bench([
    oneshot('disk'),
    longrun('db', { needs: ['disk'] }),
    longrun('web', { needs: ['db'] }),
  ]);
  bench.exit('disk', 1);
  t.same([bench.phases(), bench.took().at(-1)], ['disk:failed db:down web:down', 'booted']);
});

t.test('the boot settles when the last that it waits for is stopped, or nothing is', async (t) => {
  const bench = new Bench([telling('a')]);
  bench.took();
  bench.ask('stop', { names: ['a'] });
  t.same(bench.took().sort(), ['TERM a', 'booted']);
  const empty = new Bench();
  empty.scan([]);
  t.same(empty.took(), ['booted']);
  empty.scan([longrun('late')]);
  t.same(empty.took(), ['start late'], 'and only once');
});

t.test('the same events at the same instants give the same effects', async (t) => {
  const run = (): string[] => {
    const bench = new Bench([longrun('a'), longrun('b', { needs: ['a'] }), oneshot('c')]);
    bench.exit('a', 1);
    bench.pass(1234.5);
    bench.ask('stop', { names: ['*'], cascade: true });
    bench.pass(20_000);
    return bench.took();
  };
  t.same(run(), run());
});
