/**
 * What services say of themselves, and what it moves.
 */
import t from 'tap';
import { up } from '../../src/core/notified.ts';
import { parseNotification } from '../../src/core/notify.ts';
import { newService, type Service, type Step } from '../../src/core/phase.ts';
import { step } from '../../src/core/service.ts';
import type { Spec } from '../../src/core/spec.ts';
import { ms, pid } from '../../src/core/units.ts';
import { longrun } from './support/builder.ts';

t.test('parseNotification() takes what it understands and passes over the rest', async (t) => {
  t.same(parseNotification('READY=1\nSTATUS=Listening on 80\nMAINPID=42\n'), {
    ready: true,
    status: 'Listening on 80',
    mainPid: 42,
  });
  t.same(parseNotification('WATCHDOG=1'), { watchdog: 'ping' });
  t.same(parseNotification('WATCHDOG=trigger\nWATCHDOG_USEC=20000000'), {
    watchdog: 'trigger',
    watchdogEvery: 20_000,
  });
  t.same(parseNotification('EXTEND_TIMEOUT_USEC=1500000\nSTOPPING=1'), {
    extend: 1500,
    stopping: true,
  });
  t.same(parseNotification('RELOADING=1\nMONOTONIC_USEC=123456'), { reloading: true });
  t.same(parseNotification('ERRNO=2\nBUSERROR=x.y.Z\nSTATUS=no file'), {
    status: 'no file ERRNO=2 BUSERROR=x.y.Z',
  });
  t.same(parseNotification('X_MINE=1\nX_MINE=2'), { unknown: ['X_MINE'] });
  for (const nonsense of ['', '=', 'READY', 'MAINPID=-1', 'MAINPID=1e9', '\0\n=\n']) {
    t.same(parseNotification(nonsense), {}, JSON.stringify(nonsense));
  }
  t.same(parseNotification('STATUS=a\x1b[2J\u202eb'), { status: 'a [2J b' });
  t.same(parseNotification(`STATUS=${'x'.repeat(500)}`), { status: 'x'.repeat(200) });
});

const NOW = ms(1000);
const spec: Spec = { ...longrun('web'), ready: { by: 'notify' }, watchdog: ms(500) };

function starting(): Service {
  const [spawning] = step({ ...newService(NOW), want: 'up' }, { type: 'admit' }, spec, NOW);
  const [service] = step(spawning, { type: 'spawned', pid: pid(7) }, spec, NOW);
  return service;
}

const says = (service: Service, text: string, now = NOW, of: Spec = spec): Step =>
  step(service, { type: 'notified', said: parseNotification(text) }, of, now);

t.test('READY=1 makes it ready, and begins to count its signs of life', async (t) => {
  const [service] = says(starting(), 'READY=1\nSTATUS=here');
  t.match(service, { status: 'here', phase: { at: 'up', alive: { every: 500, by: 1500 } } });
  const byPipe = { ...spec, ready: { by: 'fd', fd: 3 } } as const;
  t.match(says(starting(), 'READY=1', NOW, byPipe)[0].phase, { at: 'starting' });
});

t.test('without a sign of life it is asked for a core, and started again', async (t) => {
  const [isUp] = says(starting(), 'READY=1');
  const [alive] = says(isUp, 'WATCHDOG=1', ms(1400));
  t.match(alive.phase, { alive: { by: 1900 } });
  t.same(step(alive, { type: 'deadline' }, spec, ms(1899)), [alive, []]);
  const [stopping, effects] = step(alive, { type: 'deadline' }, spec, ms(1900));
  t.match(stopping, { cause: 'watchdog: no sign of life', phase: { why: 'unwell' } });
  t.match(effects, [{ do: 'signal', signal: 6 }, {}]);
  const exit = { kind: 'signal', signal: 6, core: true } as const;
  const [after] = step(stopping, { type: 'exited', exit }, spec, ms(1950));
  t.match(after.phase, { at: 'backoff' }, 'it is a failure');
  t.match(says(alive, 'WATCHDOG=trigger')[0].phase, { at: 'stopping', why: 'unwell' });
});

t.test('it may ask for more time, and never for less', async (t) => {
  const limited = { ...spec, upWithin: ms(100) };
  const [spawning] = step({ ...newService(NOW), want: 'up' }, { type: 'admit' }, limited, NOW);
  const [service] = step(spawning, { type: 'spawned', pid: pid(7) }, limited, NOW);
  const [more] = says(service, 'EXTEND_TIMEOUT_USEC=300000', NOW, limited);
  t.match(more.phase, { at: 'starting', readyBy: 1300 });
  t.equal(says(more, 'EXTEND_TIMEOUT_USEC=1000', NOW, limited)[0], more);
  t.equal(says(starting(), 'EXTEND_TIMEOUT_USEC=300000')[0].phase.at, 'starting', 'no limit: none');
});

t.test('another main process takes its place; words end with the process', async (t) => {
  const [service] = says(starting(), 'READY=1\nMAINPID=9\nSTATUS=x');
  t.match(service.phase, { at: 'up', pid: 9 });
  const [exited] = step(service, { type: 'exited', exit: { kind: 'code', code: 1 } }, spec, NOW);
  const [again] = step(exited, { type: 'retry', cause: '' }, spec, NOW);
  const [spawning] = step(again, { type: 'admit' }, spec, NOW);
  const [next] = step(spawning, { type: 'spawned', pid: pid(10) }, spec, NOW);
  t.notOk('status' in next);
  t.same(says(newService(NOW), 'READY=1'), [newService(NOW), []], 'who does not run says nothing');
});

t.test('a reload is told while it lasts', async (t) => {
  const [service] = says(starting(), 'READY=1');
  const [reloading] = says(service, 'RELOADING=1\nMONOTONIC_USEC=5');
  t.equal(reloading.status, 'reloading');
  t.notOk('status' in says(reloading, 'READY=1')[0]);
  t.same(up(pid(1), NOW, longrun('x'), NOW), { at: 'up', pid: 1, startedAt: NOW });
});
