/**
 * A service that is to run once, and signals for what runs.
 */
import t from 'tap';
import { EXIT } from '../../src/core/protocol.ts';
import { Bench, refusalOf } from './support/bench.ts';
import { longrun } from './support/builder.ts';

t.test('start --once: it is not restarted, and is started again by a start', async (t) => {
  const bench = new Bench([longrun('job', { initially: 'down' }), longrun('other')]);
  bench.took();
  bench.tell('start', { names: ['job'], once: true });
  t.same(bench.took(), ['start job']);
  bench.exit('job', 3);
  t.same(bench.took(), []);
  t.equal(bench.phases(), 'job:down other:up');
  t.match(bench.tell('ls', {}), { result: { services: [{ want: 'down', wstat: 0x300 }, {}] } });
  bench.tell('start', { names: ['job'] });
  bench.took();
  bench.exit('job', 3);
  t.notSame(bench.phases(), 'job:down other:up', 'an ordinary start is for ever');
});

t.test('start --once of what runs: it goes on, and is not restarted', async (t) => {
  const bench = new Bench([longrun('job'), longrun('user', { needs: ['job'] })]);
  bench.took();
  t.match(bench.tell('start', { names: ['job'], once: true }), { ok: true });
  t.same(bench.took(), []);
  bench.exit('job', 'KILL');
  t.same(bench.took(), ['TERM user'], 'what needs it cannot go on either');
  bench.exit('user', 'TERM');
  t.equal(bench.phases(), 'job:down user:down');
});

t.test('signal reaches the main process of each, or nobody', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b', { initially: 'down' })]);
  bench.took();
  t.match(bench.tell('signal', { names: ['a'], signal: 1 }), { result: { signalled: ['a'] } });
  t.same(bench.took(), ['HUP a']);
  const [exit, message] = refusalOf(bench.tell('signal', { names: ['a', 'b'], signal: 1 })) ?? [];
  t.equal(exit, EXIT.failed);
  t.equal(message, 'b does not run: nobody to signal');
  t.same(bench.took(), []);
  t.throws(() => bench.tell('signal', { names: ['a'], signal: 65 }), /Expected <=64/);
});
