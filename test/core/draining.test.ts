/**
 * Who reads a pipe over the life of who writes it: started first, left alone by a stop of the
 * other, and on the way down let read to the end.
 */
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/checkpoint.ts';
import type { Spec } from '../../src/core/spec.ts';
import { ms } from '../../src/core/units.ts';
import { noteOf } from '../../src/core/views.ts';
import { Bench } from './support/bench.ts';
import { longrun } from './support/builder.ts';

const logger = (more: Partial<Spec> = {}): Spec =>
  longrun('web/log', { input: 'web/log', ...more });
const web = (more: Partial<Spec> = {}): Spec =>
  longrun('web', { output: 'web/log', wants: ['web/log'], ...more });

const pair = (): Bench => new Bench([web(), logger()]);

t.test('the logger is started first, and need not be up', async (t) => {
  const bench = pair();
  t.same(bench.took(), ['start web/log', 'start web', 'booted']);

  const alone = new Bench();
  alone.refusals.set('web/log', 'ENOENT');
  alone.scan([web(), logger()]);
  t.equal(alone.phase('web'), 'up', 'one that cannot be started holds nobody');
});

t.test('each is stopped without the other, and by its own signal', async (t) => {
  const bench = pair();
  bench.took();
  bench.ask('stop', { names: ['web'] });
  t.same(bench.took(), ['TERM web']);
  bench.exit('web', 'TERM');
  t.same(bench.took(), [], 'as s6 and runit do');
  bench.ask('start', { names: ['web'] });
  bench.took();
  bench.ask('stop', { names: ['web/log'] });
  t.same(bench.took(), ['TERM web/log'], 'what is in the pipe is kept for its next run');
  bench.exit('web/log', 'TERM');
  t.equal(bench.phase('web'), 'up');
  const unit = bench.system.units.get('web');
  if (unit === undefined) throw new TypeError();
  const note = noteOf(bench.system, 'web', unit, ms(bench.now));
  t.equal(note, 'nobody reads what it prints: web/log is down');
});

t.test('a halt lets the logger read to the end', async (t) => {
  const bench = pair();
  bench.took();
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
  t.same(bench.took(), ['TERM web'], 'not while anybody writes');
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['loosen web/log'], 'no signal: it ends by itself');
  bench.exit('web/log', 0);
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('a logger that does not end by itself is stopped, and the pipe kept', async (t) => {
  const bench = new Bench([web(), logger({ stopWithin: ms(3000) })]);
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
  bench.exit('web', 'TERM');
  bench.took();
  bench.pass(2999);
  t.same(bench.took(), []);
  bench.pass(1);
  t.same(bench.took(), ['hold web/log', 'TERM web/log']);
  bench.pass(3000);
  t.same(bench.took(), ['KILL all of web/log']);
});

t.test('without a time to stop in, it has five seconds to read', async (t) => {
  const bench = new Bench([web(), logger({ stopWithin: null })]);
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
  bench.exit('web', 'TERM');
  bench.pass(4999);
  bench.took();
  bench.pass(1);
  t.same(bench.took(), ['hold web/log', 'TERM web/log']);
});

t.test('what is pruned reads to the end too, once nobody writes', async (t) => {
  const bench = pair();
  bench.took();
  bench.scan([longrun('other', { initially: 'down' })], [], true);
  t.same(bench.took(), ['TERM web']);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['loosen web/log']);
  bench.exit('web/log', 0);
  t.same([...bench.system.units.keys()], ['other']);
});

t.test('a logger that comes and goes with its service reads to the end', async (t) => {
  const bench = new Bench([
    web({ initially: 'down' }),
    logger({ initially: 'target' }),
    longrun('default', { type: 'bundle', start: null }),
  ]);
  bench.ask('start', { names: ['web'] });
  t.equal(bench.phase('web/log'), 'up');
  bench.took();
  bench.ask('stop', { names: ['web'] });
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM web', 'loosen web/log']);
});

t.test('a funnel ends when the last of its producers has', async (t) => {
  const producer = (name: string): Spec => longrun(name, { output: 'end', needs: ['end'] });
  const bench = new Bench([producer('a'), producer('b'), longrun('end', { input: 'end' })]);
  bench.took();
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
  bench.exit('a', 'TERM');
  t.same(bench.took(), ['TERM a', 'TERM b']);
  bench.exit('b', 'TERM');
  t.same(bench.took(), ['loosen end']);
});

t.test('a checkpoint knows of pipes, and of one that is drained', async (t) => {
  const bench = pair();
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
  bench.exit('web', 'TERM');
  const decoded = decodeCheckpoint(encodeCheckpoint(bench.system), bench.system.options, []);
  if (!decoded.ok) throw new Error(decoded.reason);
  t.match(decoded.system.units.get('web/log')?.service.phase, { at: 'stopping', draining: true });
  t.equal(decoded.system.units.get('web')?.spec.output, 'web/log');
});
