/**
 * What follows from deaths, oneshots, `finish`, and spawns that fail, seen from the system.
 */
import t from 'tap';
import type { RestartPolicy, Spec } from '../../src/core/spec.ts';
import { type System, wakeAt } from '../../src/core/system.ts';
import { ms } from '../../src/core/units.ts';
import { Bench } from './support/bench.ts';
import { command, longrun, oneshot, telling } from './support/builder.ts';

const policy = (when: RestartPolicy['when'], limit: number | null = null): Partial<Spec> => ({
  restart: { when, limit, window: ms(60_000) },
});

/** Milliseconds until the next thing is due. */
const dueIn = ({ system, now }: { system: System; now: number }): number =>
  (wakeAt(system) ?? Infinity) - now;

t.test('always: comes back after a good end and a bad one', async (t) => {
  for (const how of [0, 1, 'KILL']) {
    const bench = new Bench([longrun('web', policy('always'))]);
    bench.exit('web', how);
    t.equal(bench.phase('web'), 'backoff', `${how}`);
    bench.pass(150);
    t.equal(bench.phase('web'), 'up', `${how}`);
  }
});

t.test('on-failure: done after a good end', async (t) => {
  const bench = new Bench([
    longrun('good', policy('on-failure')),
    longrun('bad', policy('on-failure')),
  ]);
  bench.exit('good', 0);
  bench.exit('bad', 'KILL');
  t.equal(bench.phases(), 'good:done bad:backoff');
});

t.test('never: done after a good end, failed after a bad one or none at all', async (t) => {
  const bench = new Bench();
  bench.refusals.set('none', 'ENOENT');
  bench.scan(['good', 'bad', 'none'].map((name) => longrun(name, policy('never'))));
  bench.exit('good', 0);
  bench.exit('bad', 1);
  t.equal(bench.phases(), 'good:done bad:failed none:failed');
});

t.test('a run of a second is followed by the next at once, natively', async (t) => {
  const bench = new Bench([longrun('web')]);
  bench.pass(1000);
  bench.took();
  bench.exit('web', 1);
  t.same(bench.took(), ['start web']);
});

t.test('deaths in a row wait longer and longer, at most thirty seconds and a tenth', async (t) => {
  const bench = new Bench([longrun('web')]);
  for (const plain of [100, 200, 400, 800, 1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000]) {
    bench.exit('web', 1);
    const wait = dueIn(bench);
    t.ok(wait >= plain * 0.9 && wait <= plain * 1.1, `${wait} is about ${plain}`);
    bench.pass(wait);
  }
});

t.test('more deaths than the limit are the end, until someone asks again', async (t) => {
  const bench = new Bench([longrun('web', policy('always', 2))]);
  for (const expected of ['backoff', 'backoff', 'failed']) {
    bench.exit('web', 1);
    t.equal(bench.phase('web'), expected);
    bench.pass(expected === 'failed' ? 3_600_000 : 220);
  }
  t.equal(bench.phase('web'), 'failed');
  bench.tell('start', { names: ['web'] });
  bench.exit('web', 1);
  t.equal(bench.phase('web'), 'backoff', 'with a clean slate');
});

t.test('a longrun that is not ready in time is stopped, and that is a failure', async (t) => {
  const bench = new Bench([telling('web', { upWithin: ms(500), stopWithin: ms(100) })]);
  bench.took();
  bench.pass(500);
  t.same(bench.took(), ['TERM web']);
  bench.pass(100);
  t.same(bench.took(), ['KILL all of web']);
  bench.exit('web', 'KILL');
  t.match(bench.service('web'), { phase: { at: 'backoff' }, cause: 'not ready in time' });
});

t.test('readiness that comes with the last moment is in time', async (t) => {
  const bench = new Bench([telling('web', { upWithin: ms(500) })]);
  bench.now = 500;
  bench.ready('web');
  t.equal(bench.phase('web'), 'up');
});

t.test('a oneshot is up when it has ended well, and is undone by its down', async (t) => {
  const bench = new Bench([
    oneshot('mount', { down: command('down') }),
    longrun('web', { needs: ['mount'] }),
  ]);
  t.same([bench.phases(), bench.took()], ['mount:starting web:down', ['start mount']]);
  bench.exit('mount', 0);
  t.equal(bench.phases(), 'mount:done web:up');
  bench.took();
  bench.ask('stop', { names: ['mount'], cascade: true });
  t.same(bench.took(), ['TERM web'], 'what needs it goes first');
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['down mount']);
  bench.exit('mount', 1);
  t.equal(bench.phases(), 'mount:down web:down', 'even if its down fails');
});

t.test('a oneshot that fails or takes too long is failed, and not tried again', async (t) => {
  const bench = new Bench([oneshot('bad'), oneshot('slow', { upWithin: ms(500) })]);
  bench.exit('bad', 1);
  bench.pass(500);
  bench.exit('slow', 'TERM');
  bench.pass(3_600_000);
  t.equal(bench.phases(), 'bad:failed slow:failed');
  t.equal(bench.service('slow').cause, 'not ready in time');
});

t.test('a oneshot with nothing to run is done by being wanted', async (t) => {
  const bench = new Bench([oneshot('all', { start: null }), longrun('web', { needs: ['all'] })]);
  t.same([bench.phases(), bench.took()], ['all:done web:up', ['start web', 'booted']]);
});

t.test('finish runs after each death, and the next start waits for its end', async (t) => {
  const bench = new Bench([longrun('web', { dialect: 's6', finish: command('finish') })]);
  bench.took();
  bench.exit('web', 1);
  t.same([bench.phase('web'), bench.took()], ['finishing', ['finish web']]);
  bench.pass(60_000);
  t.equal(bench.phase('web'), 'finishing', 'for as long as it takes');
  bench.exit('web', 0);
  t.equal(bench.phase('web'), 'backoff');
  bench.pass(1000);
  t.equal(bench.phase('web'), 'up');
});

t.test('R36 s6 waits a second after an end, or after what was ready said so', async (t) => {
  const finish = command('finish');
  const web = longrun('web', { dialect: 's6', ready: { by: 'fd', fd: 3 }, finish });
  const bench = new Bench([web]);
  bench.exit('web', 1);
  bench.pass(500);
  bench.exit('web', 0);
  t.equal(dueIn(bench), 1000, 'it had not said so');
  bench.pass(1000);
  bench.ready('web');
  bench.pass(400);
  bench.exit('web', 1);
  bench.pass(100);
  bench.exit('web', 0);
  t.equal(dueIn(bench), 500);
  bench.pass(500);
  bench.ready('web');
  bench.pass(2000);
  bench.exit('web', 1);
  bench.exit('web', 0);
  t.equal(bench.phase('web'), 'starting', 'at once');
});

t.test('finish that takes too long is killed, and life goes on', async (t) => {
  const bench = new Bench([longrun('web', { finish: command('finish'), finishWithin: ms(300) })]);
  bench.exit('web', 1);
  bench.took();
  bench.pass(300);
  t.same(bench.took(), ['KILL all of web']);
  bench.exit('web', 'KILL');
  t.equal(bench.phase('web'), 'backoff');
});

t.test('finish 125 means never again, but not in runit', async (t) => {
  for (const [dialect, expected] of [
    ['s6', 'failed'],
    ['svinit', 'failed'],
    ['runit', 'backoff'],
  ] as const) {
    const bench = new Bench([longrun('web', { dialect, finish: command('finish') })]);
    bench.exit('web', 1);
    bench.exit('web', 125);
    t.equal(bench.phase('web'), expected, dialect);
  }
});

t.test('finish is told of the run before it', async (t) => {
  const bench = new Bench([longrun('web', { finish: command('finish') })]);
  const pid = bench.pid('web');
  bench.holdSpawns = true;
  const { effects } = bench.post({ type: 'exited', pid, exit: { kind: 'code', code: 3 } });
  t.match(effects, [{ do: 'spawn', role: 'finish', exit: { code: 3 }, exitPid: pid }]);
});

t.test('spawns refused for want of a resource: again after 1, 2, 4 … 30 seconds', async (t) => {
  const bench = new Bench();
  bench.refusals.set('web', 'EAGAIN');
  bench.scan([longrun('web', policy('always', 1))]);
  const waits = Array.from({ length: 7 }, () => {
    const wait = dueIn(bench);
    bench.pass(wait);
    return wait;
  });
  t.same(waits, [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000], 'and the limit does not count');
  bench.refusals.clear();
  bench.pass(30_000);
  t.match(bench.service('web'), { phase: { at: 'up' }, refusals: 0, failures: 0, error: null });
});

t.test('spawns that cannot work count as deaths', async (t) => {
  const bench = new Bench();
  bench.refusals.set('web', 'ENOENT');
  bench.scan([longrun('web', policy('always', 2))]);
  bench.pass(3_600_000);
  t.match(bench.service('web'), { phase: { at: 'failed' }, error: 'ENOENT', starts: 0 });
});

t.test('stopping while the spawn is under way stops what then appears', async (t) => {
  const bench = new Bench();
  bench.holdSpawns = true;
  bench.scan([longrun('web')]);
  bench.ask('stop', { names: ['web'] });
  t.same([bench.phase('web'), bench.took()], ['spawning', ['start web', 'booted']]);
  bench.holdSpawns = false;
  bench.spawnAll();
  t.same([bench.phase('web'), bench.took()], ['stopping', ['TERM web']]);
});

t.test('stopping while a spawn is under way that then fails is being down', async (t) => {
  for (const reason of ['EAGAIN', 'ENOENT']) {
    const bench = new Bench();
    bench.holdSpawns = true;
    bench.refusals.set('web', reason);
    bench.scan([longrun('web')]);
    const id = bench.ask('stop', { names: ['web'] });
    bench.holdSpawns = false;
    bench.spawnAll();
    t.equal(bench.phase('web'), 'down', reason);
    t.ok(bench.answer(id).ok);
  }
});
