/**
 * Requests that are answered when something has come true, or will not any more.
 */
import t from 'tap';
import { EXIT, WAITS_MAX } from '../../src/core/protocol.ts';
import { ms } from '../../src/core/units.ts';
import { Bench, refusalOf } from './support/bench.ts';
import { longrun, oneshot, telling } from './support/builder.ts';

const down = { initially: 'down' } as const;

t.test('start is answered when all are ready', async (t) => {
  const bench = new Bench([telling('a', down), telling('b', down)]);
  const id = bench.ask('start', { names: ['a', 'b'] });
  bench.ready('a');
  t.notOk(bench.answers.has(id));
  bench.ready('b');
  t.same(bench.answer(id), {
    ok: true,
    result: {
      services: [
        { name: 'a', state: 'up', note: '' },
        { name: 'b', state: 'up', note: '' },
      ],
    },
  });
});

t.test('start says who has failed, and why, when each is decided', async (t) => {
  const bench = new Bench([oneshot('bad', down), telling('good', down)]);
  const id = bench.ask('start', { names: ['bad', 'good'] });
  bench.exit('bad', 3);
  t.notOk(bench.answers.has(id), 'good is still open');
  bench.ready('good');
  t.same(refusalOf(bench.answer(id)), [EXIT.failed, 'bad is failed: exit 3']);
});

t.test(
  'start says at once that the program cannot be run, and when it is tried again',
  async (t) => {
    const bench = new Bench([longrun('web', { ...down, dialect: 's6' })]);
    bench.refusals.set('web', 'ENOENT');
    const answer = bench.tell('start', { names: ['web'] });
    t.same(refusalOf(answer), [EXIT.failed, 'web is backoff: ENOENT; next try in 1.0 s']);
  },
);

t.test('start of what needs something that has failed is answered with exit 6', async (t) => {
  const never = { when: 'never', limit: null, window: ms(1000) } as const;
  const needs = (...names: string[]) => ({ ...down, needs: names });
  const bench = new Bench([
    oneshot('disk', down),
    longrun('db', needs('disk')),
    longrun('web', needs('db')),
    telling('ended', { ...down, restart: never }),
    longrun('after', needs('ended')),
  ]);
  const id = bench.ask('start', { names: ['web'] });
  bench.exit('disk', 1);
  const text = 'web needs disk, which is failed: exit 1';
  t.same(refusalOf(bench.answer(id)), [EXIT.dependencyFailed, text]);
  const other = bench.ask('start', { names: ['after'] });
  bench.exit('ended', 0);
  const ended = [EXIT.dependencyFailed, 'after needs ended, which is done'];
  t.same(refusalOf(bench.answer(other)), ended, 'a longrun that has ended is no good either');
});

t.test('start is not put off by a crash behind a need that is up', async (t) => {
  const bench = new Bench(
    [
      longrun('disk', { dialect: 's6' }),
      longrun('db', { needs: ['disk'] }),
      telling('busy', down),
      longrun('web', { ...down, needs: ['db'] }),
    ],
    { parallel: 1 },
  );
  bench.exit('disk', 1);
  bench.ask('start', { names: ['busy'] });
  const id = bench.ask('start', { names: ['web'] });
  t.equal(bench.phases(), 'disk:backoff db:up busy:starting web:down');
  t.notOk(bench.answers.has(id), 'web only waits for its place');
  bench.ready('busy');
  t.ok(bench.answer(id).ok);
});

t.test('start that is overtaken by a stop says so, and the stop is done', async (t) => {
  const bench = new Bench([telling('web', down)]);
  const start = bench.ask('start', { names: ['web'] });
  const stop = bench.ask('stop', { names: ['web'] });
  t.same(refusalOf(bench.answer(start)), [EXIT.failed, 'web was asked to stop']);
  bench.exit('web', 'TERM');
  t.ok(bench.answer(stop).ok);
});

t.test('stop is answered when the process is gone, not before', async (t) => {
  const bench = new Bench([longrun('web', { stopWithin: ms(100) })]);
  const id = bench.ask('stop', { names: ['web'] });
  bench.pass(200);
  t.notOk(bench.answers.has(id), 'killed, and not yet reaped');
  bench.exit('web', 'KILL');
  t.ok(bench.answer(id).ok);
  t.ok(bench.tell('stop', { names: ['web'] }).ok, 'and again, at once');
});

t.test('restart is answered by the next process, not by the one there was', async (t) => {
  const bench = new Bench([telling('web')]);
  bench.ready('web');
  const id = bench.ask('restart', { names: ['web'] });
  t.notOk(bench.answers.has(id));
  bench.exit('web', 'TERM');
  t.equal(bench.phase('web'), 'starting');
  t.notOk(bench.answers.has(id));
  bench.ready('web');
  t.ok(bench.answer(id).ok);
});

t.test('restart starts what is down, and what has nothing to run is done', async (t) => {
  const bench = new Bench([longrun('web', down), oneshot('nothing', { ...down, start: null })]);
  t.ok(bench.tell('restart', { names: ['web', 'nothing'] }).ok);
  t.equal(bench.phases(), 'web:up nothing:done');
});

t.test('wait is patient: it outlasts failures, and is answered by what it waits for', async (t) => {
  const bench = new Bench([telling('web', { dialect: 's6' }), oneshot('job')]);
  const conditions = [
    { name: 'web', goal: 'ready' },
    { name: 'job', goal: 'done' },
  ];
  const id = bench.ask('wait', { conditions });
  bench.exit('web', 1);
  bench.exit('job', 0);
  bench.pass(1000);
  t.notOk(bench.answers.has(id));
  bench.ready('web');
  t.ok(bench.answer(id).ok);
});

t.test('wait knows every goal', async (t) => {
  const bench = new Bench([longrun('web'), oneshot('good'), oneshot('bad'), longrun('off', down)]);
  bench.exit('good', 0);
  bench.exit('bad', 1);
  const wait = (name: string, goal: string) =>
    bench.tell('wait', { conditions: [{ name, goal }], timeoutMs: 0 }).ok;
  t.same([wait('web', 'up'), wait('web', 'ready'), wait('web', 'down')], [true, true, false]);
  t.same([wait('good', 'done'), wait('bad', 'failed'), wait('off', 'down')], [true, true, true]);
  t.same([wait('bad', 'done'), wait('good', 'failed'), wait('off', 'up')], [false, false, false]);
});

t.test('a timeout says what is not so, at its instant and not before', async (t) => {
  const bench = new Bench([telling('web', down)]);
  const id = bench.ask('start', { names: ['web'], timeoutMs: 500 });
  bench.pass(499);
  t.notOk(bench.answers.has(id));
  bench.pass(1);
  t.same(refusalOf(bench.answer(id)), [EXIT.timeout, 'Time is up: web is starting, not up']);
  t.equal(bench.phase('web'), 'starting', 'the wish remains');
});

t.test('the same goal many times over is one goal', async (t) => {
  const bench = new Bench([telling('web')]);
  const conditions = Array.from({ length: 1000 }, () => ({ name: 'w*', goal: 'up' }));
  bench.ask('wait', { conditions });
  t.equal([...bench.system.jobs.values()][0]?.goals.length, 1);
});

t.test('one client may wait for so many answers at once, others for theirs', async (t) => {
  const bench = new Bench([telling('web')]);
  const conditions = [{ name: 'web', goal: 'up' }];
  for (let open = 0; open < WAITS_MAX; open += 1) bench.ask('wait', { conditions }, 5);
  const refused = bench.answer(bench.ask('wait', { conditions }, 5));
  t.match(refusalOf(refused), [EXIT.failed, /No more than 64 requests/]);
  t.notOk(bench.answers.has(bench.ask('wait', { conditions }, 6)));
});

t.test('a client that hangs up leaves no job, others keep theirs', async (t) => {
  const bench = new Bench([telling('web')]);
  const conditions = [{ name: 'web', goal: 'up' }];
  const gone = bench.ask('wait', { conditions }, 5);
  const stays = bench.ask('wait', { conditions }, 6);
  bench.post({ type: 'hangup', client: 5 });
  bench.ready('web');
  t.notOk(bench.answers.has(gone));
  t.ok(bench.answer(stays).ok);
  t.equal(bench.system.jobs.size, 0);
});

t.test('progress is told to whoever waits, of what it waits for', async (t) => {
  const bench = new Bench([longrun('db', down), telling('web', { ...down, needs: ['db'] })]);
  const id = bench.ask('start', { names: ['web'] });
  t.same(bench.notices.at(-1), { id, name: 'web', state: 'starting', note: '' });
  t.notOk(bench.notices.some((notice) => Object(notice)['name'] === 'db'));
});

t.test('a service that goes away while it is waited for decides the wait', async (t) => {
  const bench = new Bench([telling('web', down)]);
  const up = bench.ask('wait', { conditions: [{ name: 'web', goal: 'up' }] });
  bench.scan([]);
  t.same(refusalOf(bench.answer(up)), [EXIT.failed, 'web is no longer defined']);
});

t.test(
  'whoever watches hears of all that moves, new services too, and is never answered',
  async (t) => {
    const bench = new Bench([longrun('db', down), telling('web', down)]);
    const id = bench.ask('watch', {}, 7);
    t.same(bench.notices, [], 'what is, is asked for');
    const twice = bench.answer(bench.ask('watch', {}, 7));
    t.same(refusalOf(twice), [EXIT.failed, 'This connection watches already']);
    bench.ask('start', { names: ['db'], wait: false }, 8);
    const told = (): string[] =>
      bench.notices.splice(0).map((notice) => {
        const { name, state } = notice as { name: string; state: string };
        return `${name} ${state}`;
      });
    t.ok(told().includes('db up'));
    bench.scan([longrun('db', down), longrun('new')]);
    const after = told();
    t.ok(after.includes('new up'), 'one that was not there');
    t.ok(
      after.some((text) => text.startsWith('web ')),
      'one that is gone',
    );
    t.notOk(bench.answers.has(id));
    bench.post({ type: 'hangup', client: 7 });
    bench.ask('stop', { names: ['db'], wait: false }, 8);
    t.same(bench.notices, [], 'nobody is left to hear of it');
  },
);

t.test('whoever watches hears of a wish that moves nothing yet', async (t) => {
  const bench = new Bench([telling('db'), longrun('late', { needs: ['db'] })]);
  t.equal(bench.phase('late'), 'down', 'it waits');
  bench.ask('watch', {}, 7);
  bench.ask('stop', { names: ['late'], wait: false }, 8);
  const service = { name: 'late', want: 'down', pid: null, once: false, announces: false };
  t.match(bench.notices, [{ name: 'late', state: 'down', service }], 'and sees all of it');
});
