/**
 * The lifecycle of one service: the whole table of phase × event, and lives at random.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import type { Effect, Phase } from '../../src/core/phase.ts';
import { deadline, newService } from '../../src/core/phase.ts';
import { step } from '../../src/core/service.ts';
import type { Spec } from '../../src/core/spec.ts';
import { ms, pid } from '../../src/core/units.ts';
import { command, exitOf, longrun, oneshot, telling } from './support/builder.ts';
import { Life } from './support/life.ts';
import { randomFrom } from './support/random.ts';
import { COLUMNS, inPhase, KINDS, NOW, PHASES, transitionTable } from './support/table.ts';

const README = readFileSync(new URL('../../src/README.md', import.meta.url), 'utf8');

const SPECS: readonly Spec[] = [
  longrun('plain'),
  telling('telling', { finish: command('finish'), upWithin: ms(1000), finishWithin: ms(1000) }),
  longrun('once', { restart: { when: 'never', limit: null, window: ms(1000) } }),
  longrun('limited', { restart: { when: 'on-failure', limit: 1, window: ms(60_000) } }),
  longrun('s6', { dialect: 's6', stopWithin: null }),
  longrun('runit', { dialect: 'runit', finish: command('finish') }),
  oneshot('plain'),
  oneshot('mount', { down: command('down'), upWithin: ms(1000), downWithin: ms(1000) }),
  oneshot('nothing', { start: null }),
];

t.test('step() is the table that src/README.md shows', async (t) => {
  for (const kind of KINDS) {
    const table = transitionTable(kind);
    t.ok(README.includes(table), `${kind.title}: the table is\n${table}`);
  }
});

t.test('step() has an outcome for every phase and event of every kind of service', async (t) => {
  const known = new Set<string>(PHASES.map(({ at }) => at));
  let pairs = 0;
  for (const spec of SPECS) {
    for (const phase of PHASES) {
      for (const { want, event, title } of COLUMNS) {
        const svc = inPhase(phase, want);
        const [next, effects] = step(svc, event, spec, NOW);
        const what = `${spec.type} ${spec.name}: ${phase.at} × ${title}`;
        if (!known.has(next.phase.at) || effects.length > 2) t.fail(what);
        if (next.phase !== phase && next.since !== NOW && next.phase.at !== phase.at) t.fail(what);
        const due = deadline(next.phase);
        if (event.type === 'deadline' && due !== null && due <= NOW) t.fail(`${what}: due again`);
        pairs += 1;
      }
    }
  }
  t.equal(pairs, SPECS.length * PHASES.length * COLUMNS.length);
});

t.test('step() keeps a service as it is when the event does not fit', async (t) => {
  const up: Phase = { at: 'up', pid: pid(7), startedAt: ms(0) };
  for (const event of [
    { type: 'want', want: 'up', cause: 'again' },
    { type: 'admit' },
    { type: 'release' },
    { type: 'spawned', pid: pid(8) },
    { type: 'ready' },
    { type: 'deadline' },
  ] as const) {
    const svc = inPhase(up, 'up');
    t.equal(step(svc, event, longrun('web'), NOW)[0], svc, event.type);
  }
});

t.test(
  'step() stops by the signal of the service, then CONT, then KILL to the group',
  async (t) => {
    const spec = longrun('web', { stopSignal: 2, stopWithin: ms(100) });
    const [stopping, first] = step(
      inPhase({ at: 'up', pid: pid(7), startedAt: ms(0) }, 'down'),
      { type: 'release' },
      spec,
      NOW,
    );
    t.same(first, [signal(2, false), signal(18, false)]);
    t.equal(deadline(stopping.phase), NOW + 100);
    t.same(step(stopping, { type: 'deadline' }, spec, ms(NOW + 99))[1], [], 'not before its time');
    const [killed, second] = step(stopping, { type: 'deadline' }, spec, ms(NOW + 100));
    t.same(second, [signal(9, true)]);
    t.equal(deadline(killed.phase), NOW + 100 + 5000, 'and again after five seconds');
  },
);

t.test('step() never kills a service without a time limit', async (t) => {
  const spec = longrun('web', { stopWithin: null });
  const svc = inPhase({ at: 'up', pid: pid(7), startedAt: ms(0) }, 'down');
  t.equal(deadline(step(svc, { type: 'release' }, spec, NOW)[0].phase), null);
});

t.test('step() starts anew what a person asks for, with nothing held against it', async (t) => {
  const tired = { failures: 5, failedAt: [ms(1), ms(2)], refusals: 3 };
  for (const at of ['failed', 'done'] as const) {
    const svc = { ...inPhase({ at }, 'up'), ...tired };
    const expected = { phase: { at: 'down' }, failures: 0, failedAt: [], refusals: 0 };
    t.match(step(svc, { type: 'retry', cause: 'start' }, longrun('web'), NOW)[0], expected);
    const stop = { type: 'want', want: 'down', cause: 'stop' } as const;
    t.match(step(svc, stop, longrun('web'), NOW)[0], expected, 'also by stopping it first');
  }
});

t.test('step() starts only what is wanted, and releases only what is not', async (t) => {
  const down = inPhase({ at: 'down' }, 'down');
  t.equal(step(down, { type: 'admit' }, longrun('web'), NOW)[0], down);
  const up = inPhase({ at: 'up', pid: pid(7), startedAt: ms(0) }, 'up');
  t.equal(step(up, { type: 'release' }, longrun('web'), NOW)[0], up);
});

t.test('step() leaves a oneshot done that is asked for again', async (t) => {
  const svc = inPhase({ at: 'done' }, 'up');
  t.equal(step(svc, { type: 'retry', cause: 'start' }, oneshot('mount'), NOW)[0], svc);
});

t.test('step() undoes a oneshot that was done when nobody wanted it any more', async (t) => {
  const spec = oneshot('mount', { down: command('down') });
  const starting = PHASES.find(({ at }) => at === 'starting') ?? { at: 'down' };
  const [done] = step(inPhase(starting, 'down'), { type: 'exited', exit: exitOf(0) }, spec, NOW);
  t.equal(done.phase.at, 'done');
  t.same(step(done, { type: 'release' }, spec, NOW)[1], [{ do: 'spawn', role: 'down' }]);
});

t.test('step() says that a service was not ready in time, whatever ended it', async (t) => {
  for (const spec of [telling('web'), telling('web', SPECS[2]), oneshot('mount')]) {
    const late: Phase = {
      at: 'stopping',
      pid: pid(7),
      startedAt: ms(0),
      killAt: null,
      why: 'unready',
    };
    const [next] = step(inPhase(late, 'up'), { type: 'exited', exit: exitOf('TERM') }, spec, NOW);
    t.equal(next.cause, 'not ready in time');
  }
});

t.test('step() gives up at once on a program that is started once and cannot be', async (t) => {
  const [svc] = step(
    newService(NOW),
    { type: 'want', want: 'up', cause: 'boot' },
    longrun('x'),
    NOW,
  );
  const spawning = { ...svc, phase: { at: 'spawning' } as const };
  const failure = { type: 'spawnFailed', reason: 'ENOENT', transient: false } as const;
  const never = longrun('x', { restart: { when: 'never', limit: null, window: ms(1000) } });
  t.match(step(spawning, failure, never, NOW)[0], { phase: { at: 'failed' }, error: 'ENOENT' });
  t.match(step(spawning, failure, longrun('x'), NOW)[0], { phase: { at: 'backoff' } });
});

t.test(
  'step() at random keeps one process, signals only it, and gets where it is asked',
  async (t) => {
    const visited = new Set<string>();
    for (let seed = 1; seed <= 3000; seed += 1) {
      const random = randomFrom(seed);
      const life = new Life(step, random.pick(SPECS), random);
      try {
        for (let events = 80; events > 0; events -= 1) life.anything();
        life.settle('down');
        life.settle('up');
      } catch (error) {
        t.fail(`seed ${seed}: ${error instanceof Error ? error.message : error}`);
        return;
      }
      for (const at of life.visited) visited.add(at);
    }
    t.same([...visited].sort(), PHASES.map(({ at }) => at).sort(), 'every phase was visited');
  },
);

t.test('Life notices a reducer that spawns while the old process still runs', async (t) => {
  const hasty: typeof step = (svc, event, spec, now) => {
    const [next, effects] = step(svc, event, spec, now);
    const planted = event.type === 'want' && event.want === 'up' && svc.phase.at === 'stopping';
    const more: Effect[] = planted ? [{ do: 'spawn', role: 'start' }] : [];
    return [next, [...effects, ...more]];
  };
  t.throws(() => {
    for (let seed = 1; seed <= 100; seed += 1) {
      const life = new Life(hasty, longrun('web'), randomFrom(seed));
      for (let events = 80; events > 0; events -= 1) life.anything();
    }
  }, /a second one/);
});

function signal(number: number, group: boolean): Effect {
  return { do: 'signal', pid: pid(7), signal: number, group };
}
