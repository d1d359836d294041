/** What the outcome of a probe moves: a service, those that wait for it, and what is told of it. */
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/checkpoint.ts';
import { newService, type Service, type Step } from '../../src/core/phase.ts';
import type { ProbeOutcome } from '../../src/core/probe.ts';
import { step } from '../../src/core/service.ts';
import type { Spec } from '../../src/core/spec.ts';
import { recognise } from '../../src/core/survivors.ts';
import { newSystem } from '../../src/core/system.ts';
import { ms, pid } from '../../src/core/units.ts';
import { viewOf } from '../../src/core/views.ts';
import { Bench } from './support/bench.ts';
import { longrun } from './support/builder.ts';

const NOW = ms(1000);
const usual = { interval: ms(250), timeout: ms(2000), retries: null };
const probe = { ...usual, tcp: '127.0.0.1:80' };
const alive = {
  ...{ ...usual, exec: ['check'], retries: 3 },
  ...{ startPeriod: ms(0), action: 'restart' as const },
};
const spec: Spec = longrun('web', { ready: { by: 'probe', probe }, alive, upWithin: ms(5000) });

function starting(of: Spec = spec): Service {
  const [spawning] = step({ ...newService(NOW), want: 'up' }, { type: 'admit' }, of, NOW);
  return step(spawning, { type: 'spawned', pid: pid(7) }, of, NOW)[0];
}

const found = (
  service: Service,
  kind: 'ready' | 'alive',
  ok: ProbeOutcome['ok'],
  detail = 'x',
  of: Spec = spec,
): Step => step(service, { type: 'probed', kind, ok, detail }, of, NOW);

t.test('a probe makes it ready, and nothing else does', async (t) => {
  const [waiting, none] = found(starting(), 'ready', null, 'refused');
  t.match(waiting, {
    phase: { at: 'starting' },
    probes: { ready: { ok: null, detail: 'refused' } },
  });
  t.same(none, []);
  t.match(found(waiting, 'ready', true)[0], { cause: 'ready', phase: { at: 'up', pid: 7 } });
  t.equal(found(waiting, 'alive', true)[0], waiting, 'nobody asked that yet');
  const plain = starting(longrun('web'));
  t.equal(found(plain, 'ready', true, 'x', longrun('web'))[0], plain, 'it has no probe');
  t.match(step(waiting, { type: 'deadline' }, spec, ms(6000))[0].phase, { why: 'unready' });
});

t.test('one that is given up on the way ends as one that was not ready', async (t) => {
  const [stopping, effects] = found(starting(), 'ready', false, 'refused, 3 times in a row');
  t.match(stopping, {
    cause: 'probe: not ready: refused, 3 times in a row (tcp 127.0.0.1:80)',
    phase: { at: 'stopping', why: 'probe' },
  });
  t.match(effects, [{ do: 'signal', signal: 15, group: false }, {}], 'the signal of a stop');
});

t.test('one that is not alive is stopped and started again, and says why', async (t) => {
  const [isUp] = found(starting(), 'ready', true);
  const [well] = found(isUp, 'alive', true);
  t.equal(found(well, 'ready', true)[0], well, 'that is known');
  const [stopping] = found(well, 'alive', false, 'exit 1');
  t.match(stopping.phase, { at: 'stopping', why: 'probe' });
  const exit = { kind: 'code', code: 0 } as const;
  const [after] = step(stopping, { type: 'exited', exit }, spec, NOW);
  t.match(after, { cause: 'probe: not alive: exit 1 (exec check)', failures: 1 });
  t.match(after.phase, { at: 'backoff' }, 'a failure, however well it ended');
  const never = { ...spec, restart: { ...spec.restart, when: 'never' as const } };
  t.match(step(stopping, { type: 'exited', exit }, never, NOW)[0].phase, { at: 'failed' });
  const [down] = step(after, { type: 'deadline' }, spec, ms(999_999));
  const [spawning] = step(down, { type: 'admit' }, spec, NOW);
  const [again] = step(spawning, { type: 'spawned', pid: pid(8) }, spec, NOW);
  t.strictSame(again.probes, { alive: { ok: false, detail: 'exit 1' } }, 'why it runs again');
});

t.test('what is only to be reported is', async (t) => {
  const quiet = { ...spec, ready: { by: 'spawn' }, alive: { ...alive, action: 'report' } } as const;
  const [told, effects] = found(starting(quiet), 'alive', false, 'exit 1', quiet);
  t.match([told.phase.at, effects], ['up', []]);
  const options = new Bench([]).system.options;
  const view = viewOf(newSystem(options, NOW), 'web', { service: told, spec: quiet }, NOW);
  t.match(view, { note: /^not alive: exit 1/, probes: { alive: { ok: false } } });
});

t.test('probed is of the process that runs, or of no interest', async (t) => {
  const bench = new Bench([spec, longrun('after', { needs: ['web'] })]);
  t.equal(bench.phases(), 'web:starting after:down');
  const running = [...bench.system.pids.keys()][0] ?? 0;
  const tell = (more: object) =>
    bench.tell('probed', {
      name: 'web',
      pid: running,
      kind: 'ready',
      ok: true,
      detail: '',
      ...more,
    });
  t.match(tell({ pid: running + 1 }), { ok: true, result: { taken: false } });
  t.match(tell({ name: 'nobody' }), { ok: true, result: { taken: false } });
  t.match(tell({ kind: 'alive' }), { ok: true, result: { taken: false } });
  t.equal(bench.phases(), 'web:starting after:down');
  t.match(tell({}), { ok: true, result: { taken: true } });
  t.equal(bench.phases(), 'web:up after:up', 'who waited for it starts');
  t.match(tell({}), { ok: true, result: { taken: false } }, 'once is enough');
});

t.test('probes and what came of them outlive an image', async (t) => {
  const bench = new Bench([spec]);
  const [running] = bench.system.pids.keys();
  const told = { name: 'web', pid: running, kind: 'ready', ok: null, detail: 'refused' };
  bench.tell('probed', told);
  const { options } = bench.system;
  const decoded = decodeCheckpoint(encodeCheckpoint(bench.system), options, []);
  if (!decoded.ok) throw new Error(decoded.reason);
  t.strictSame(decoded.system.units.get('web'), bench.system.units.get('web'));
});

t.test(
  'one that is found running, with all else lost, is asked anew and without a limit',
  async (t) => {
    const bench = new Bench([spec]);
    const { options, definitions } = bench.system;
    const system = newSystem(options, NOW);
    system.definitions = definitions;
    system.units.set('web', { service: newService(NOW), spec });
    const survivor = { pid: pid(9), startedAt: ms(1), name: 'web', isHeard: false };
    t.same(recognise(system, [survivor], true), []);
    t.match(system.units.get('web')?.service.phase, { at: 'starting', pid: 9, readyBy: null });
  },
);
