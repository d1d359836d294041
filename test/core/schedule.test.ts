/**
 * A way down that is to begin later: it comes when it was said, people are told, and it is called
 * off or replaced without a trace.
 */
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/checkpoint.ts';
import { EXIT } from '../../src/core/protocol.ts';
import { wakeAt } from '../../src/core/system.ts';
import { Bench, refusalOf } from './support/bench.ts';
import { longrun } from './support/builder.ts';

const MINUTE = 60_000;

function scheduled(inMs: number, message = '', kind = 'reboot'): Bench {
  const bench = new Bench([longrun('web')]);
  bench.took();
  bench.tell('schedule', { kind, inMs, message });
  return bench;
}

t.test('it begins when its time has come, and not before', async (t) => {
  const bench = scheduled(90_000, 'new kernel');
  t.same(bench.took(), ['wall The machine restarts in 90 s: new kernel']);
  const view = { kind: 'reboot', cause: 'reboot by uid 0', message: 'new kernel', inMs: 90_000 };
  t.match(bench.tell('version'), { result: { halting: null, scheduled: view } });
  bench.pass(30_000);
  t.same(bench.took(), ['wall The machine restarts in 60 s: new kernel']);
  t.match(bench.tell('shutdown'), { result: { halting: null, scheduled: { inMs: 60_000 } } });
  bench.pass(59_999);
  t.same(bench.took(), ['wall The machine restarts in 10 s: new kernel']);
  bench.pass(1);
  t.same(bench.took(), ['wall The machine restarts now: new kernel', 'TERM web']);
  t.match(bench.tell('version'), { result: { halting: 'reboot', scheduled: null } });
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['halt reboot 0']);
});

t.test('people are told the more often the nearer it is', async (t) => {
  const bench = scheduled(100 * MINUTE, '', 'poweroff');
  bench.pass(100 * MINUTE);
  const told = bench.took().filter((word) => word.startsWith('wall'));
  const times = ['100 min', '60 min', '30 min', '15 min', '10 min', '5 min', '2 min', '60 s'];
  t.same(
    told.map((word) => word.replace('wall The machine is switched off ', '')),
    [...times.map((time) => `in ${time}`), 'in 10 s', 'now'],
  );
});

t.test('a warning is told, and nothing comes of it', async (t) => {
  const bench = new Bench([longrun('web')]);
  bench.took();
  const params = { kind: 'halt', inMs: MINUTE, message: 'bye', pretend: true };
  t.match(bench.tell('schedule', params), { ok: true, result: { kind: 'halt', inMs: MINUTE } });
  t.same(bench.took(), ['wall The machine is halted in 60 s: bye']);
  t.match(bench.tell('version'), { result: { halting: null, scheduled: null } });
  bench.pass(2 * MINUTE);
  t.same(bench.took(), []);
});

t.test('at once, with a message', async (t) => {
  t.same(scheduled(0, 'bye').took(), ['wall The machine restarts now: bye', 'TERM web']);
});

t.test('in a container it is its end', async (t) => {
  const bench = new Bench([], { stopKind: 'exit' });
  t.match(bench.tell('schedule', { kind: 'halt', inMs: 5 }), { result: { kind: 'exit' } });
  bench.pass(5);
  t.same(bench.took(), [
    'wall This container ends in 5 ms',
    'wall This container ends now',
    'halt exit 0',
  ]);
});

t.test('it is called off, once', async (t) => {
  const bench = scheduled(MINUTE);
  bench.took();
  t.match(bench.tell('cancel'), { result: { cancelled: { kind: 'reboot', inMs: MINUTE } } });
  t.same(bench.took(), ['wall The machine does not go down: cancelled (by uid 0)']);
  t.same(bench.tell('cancel'), { ok: true, result: { cancelled: null } });
  t.equal(wakeAt(bench.system), null);
  bench.pass(10 * MINUTE);
  t.same(bench.took(), []);
});

t.test('the last one counts, and none is left when the machine goes down', async (t) => {
  const bench = scheduled(MINUTE);
  bench.tell('schedule', { kind: 'poweroff', inMs: 2 * MINUTE });
  bench.took();
  bench.pass(MINUTE);
  t.same(bench.took(), ['wall The machine is switched off in 60 s']);
  bench.tell('halt');
  t.same(bench.took(), ['TERM web']);
  t.match(bench.tell('shutdown'), { result: { halting: { kind: 'halt' }, scheduled: null } });
  const why = 'a halt is under way (halt by uid 0)';
  t.same(refusalOf(bench.tell('cancel')), [EXIT.failed, `Cannot cancel: ${why}`]);
  const more = bench.tell('schedule', { kind: 'reboot', inMs: 1 });
  t.same(refusalOf(more), [EXIT.failed, `Cannot schedule a reboot: ${why}`]);
});

t.test('it survives a re-exec, and tells nothing twice', async (t) => {
  const bench = scheduled(90_000);
  bench.pass(30_000);
  bench.took();
  const decoded = decodeCheckpoint(encodeCheckpoint(bench.system), bench.system.options);
  if (!decoded.ok) throw new Error(decoded.reason);
  bench.system = decoded.system;
  bench.post({ type: 'resumed' });
  t.same(bench.took(), []);
  bench.pass(MINUTE);
  t.same(bench.took(), [
    'wall The machine restarts in 10 s',
    'wall The machine restarts now',
    'TERM web',
  ]);
});

t.test('a message does nothing on a terminal', async (t) => {
  const bench = scheduled(MINUTE, 'a\x1b[2J\r\nb\x9b1m\u202ec');
  t.same(bench.took(), ['wall The machine restarts in 60 s: a [2J  b 1m c']);
});
