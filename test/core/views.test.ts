/**
 * Services as clients see them: one word for the state, one reason when it is not well.
 */
import t from 'tap';
import type { ServiceView } from '../../src/core/methods.ts';
import { ms } from '../../src/core/units.ts';
import { stateOf } from '../../src/core/views.ts';
import { Bench } from './support/bench.ts';
import { longrun, oneshot, telling } from './support/builder.ts';
import { inPhase, PHASES } from './support/table.ts';

function view(bench: Bench, name: string): ServiceView {
  const answer = bench.tell('status', { names: [name] });
  if (!answer.ok) throw new Error(answer.error.message);
  const [found] = (answer.result as { services: ServiceView[] }).services;
  if (found === undefined) throw new Error(`There is no ${name}`);
  return found;
}

const said = (bench: Bench, name: string): readonly [string, string] => {
  const { state, note } = view(bench, name);
  return [state, note];
};

t.test('stateOf() has a word for every phase', async (t) => {
  t.same(
    PHASES.map((phase) => stateOf(inPhase(phase, 'down'))).join(' '),
    'down starting starting up stopping finishing stopping backoff done failed',
  );
  t.equal(stateOf(inPhase({ at: 'down' }, 'up')), 'waiting');
});

t.test('viewOf() shows a service that is well, and its relations', async (t) => {
  const bench = new Bench([longrun('db'), longrun('web', { needs: ['db'] })]);
  bench.pass(2500);
  t.match(view(bench, 'db'), {
    type: 'longrun',
    state: 'up',
    want: 'up',
    pid: bench.pid('db'),
    forMs: 2500,
    restarts: 0,
    note: '',
    lastExit: null,
    lastExitMs: null,
    nextTryMs: null,
    needs: [],
    neededBy: ['web'],
    waitingFor: [],
    definition: 'current',
  });
});

t.test('viewOf() counts restarts, not starts', async (t) => {
  const bench = new Bench([longrun('web')]);
  for (let deaths = 0; deaths < 3; deaths += 1) {
    bench.pass(1000);
    bench.exit('web', 1);
  }
  t.match(view(bench, 'web'), { state: 'up', restarts: 3, lastExit: 'exit 1', lastExitMs: 0 });
});

t.test('viewOf() says what a waiting service waits for', async (t) => {
  const bench = new Bench([
    telling('log', { early: true }),
    telling('db'),
    longrun('web', { needs: ['db'], after: ['log'] }),
  ]);
  t.same(said(bench, 'db'), ['waiting', 'waits for the early services']);
  t.same(said(bench, 'web'), ['waiting', 'waits for db, log']);
  bench.ready('log');
  t.same(said(bench, 'web'), ['waiting', 'waits for db']);
  t.same(view(bench, 'web').waitingFor, ['db']);
});

t.test('viewOf() says why a service failed, and when it is tried again', async (t) => {
  const bench = new Bench([longrun('web', { dialect: 's6' }), oneshot('job')]);
  bench.exit('web', 'SEGV');
  bench.exit('job', 3);
  bench.pass(400);
  t.same(said(bench, 'web'), ['backoff', 'killed by SEGV; next try in 600 ms']);
  t.equal(view(bench, 'web').nextTryMs, 600);
  t.same(said(bench, 'job'), ['failed', 'exit 3']);
});

t.test('viewOf() tells a spawn that failed from a program that did', async (t) => {
  const bench = new Bench([longrun('web', { dialect: 's6' })]);
  bench.exit('web', 1);
  bench.refusals.set('web', 'ENOENT');
  bench.pass(1000);
  t.match(said(bench, 'web'), ['backoff', /^ENOENT; /]);
  bench.refusals.clear();
  bench.pass(1000);
  bench.exit('web', 2);
  t.match(said(bench, 'web'), ['backoff', /^exit 2; /]);
});

t.test('viewOf() says of both kinds of service that they were not ready in time', async (t) => {
  const late = { upWithin: ms(100) };
  const bench = new Bench([telling('web', late), oneshot('job', late)]);
  bench.pass(100);
  t.same(said(bench, 'web'), ['stopping', 'was not ready in time']);
  for (const name of ['web', 'job']) bench.exit(name, 'TERM');
  t.match(said(bench, 'web'), ['backoff', /^not ready in time; /]);
  t.same(said(bench, 'job'), ['failed', 'not ready in time']);
});

t.test('viewOf() says that all goes down, and keeps who asked', async (t) => {
  const bench = new Bench([longrun('web'), longrun('db', { stopWithin: null })]);
  bench.exit('web', 1);
  bench.tell('stop', { names: ['db'], wait: false });
  t.match(view(bench, 'db').cause, /^stop .*by uid 0$/);
  bench.tell('poweroff');
  t.match(view(bench, 'web'), {
    state: 'down',
    want: 'down',
    cause: 'poweroff: poweroff by uid 0',
  });
});
