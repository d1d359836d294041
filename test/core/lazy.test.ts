/** Services that the first connection starts. */
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/checkpoint.ts';
import { hasSockets, isListening } from '../../src/core/lazy.ts';
import type { Spec } from '../../src/core/spec.ts';
import { Bench } from './support/bench.ts';
import { longrun } from './support/builder.ts';

const FLAGS = { reusePort: false, freeBind: false, v6only: false };
const SOCKET = {
  listen: '80',
  type: 'stream',
  name: 'web',
  mode: 0o666,
  backlog: 1,
  ...FLAGS,
} as const;
const lazy = (given: Partial<Spec> = {}): Spec =>
  longrun('web', { lazy: true, sockets: [SOCKET], ...given });
const listens = (bench: Bench): boolean => isListening(bench.system, 'web');
const open = ({ system }: Bench): boolean => {
  const unit = system.units.get('web');
  return unit !== undefined && hasSockets(system, 'web', unit);
};
const call = (bench: Bench) =>
  bench.post({ type: 'called', name: 'web', cause: 'a connection to 80' });

t.test('it listens, is started by a connection, and listens again', async (t) => {
  const bench = new Bench([lazy({ needs: ['db'] }), longrun('db', { initially: 'down' })]);
  t.same(bench.took(), ['booted'], 'nobody waits for it');
  t.ok(listens(bench) && open(bench));
  t.match(bench.tell('ls', {}), {
    result: { services: [{ name: 'web', state: 'down', note: 'listening on 80' }, {}] },
  });
  call(bench);
  t.same(bench.took(), ['start db', 'start web'], 'what it needs comes first');
  t.notOk(listens(bench));
  t.ok(open(bench));
  call(bench);
  t.same(bench.took(), [], 'it runs');
  bench.exit('web');
  t.equal(bench.phases(), 'web:down db:stopping');
  t.ok(listens(bench) && open(bench));
});

t.test('one that fails is started again as any other, and given up as any other', async (t) => {
  const bench = new Bench([
    lazy({ restart: { when: 'always', limit: 1, window: 60_000 as never } }),
  ]);
  call(bench);
  bench.exit('web', 1);
  t.equal(bench.phases(), 'web:backoff');
  t.ok(open(bench), 'the connection waits');
  bench.pass(1000);
  t.equal(bench.phases(), 'web:up');
  bench.exit('web', 1);
  t.equal(bench.phases(), 'web:failed');
  t.notOk(listens(bench) || open(bench), 'who connects is told at once');
  bench.tell('start', { names: ['web'] });
  t.equal(bench.phases(), 'web:up');
});

t.test('one that ends without taking the connection is not started for ever', async (t) => {
  const bench = new Bench([lazy()]);
  for (let i = 0; i < 20; i += 1) {
    call(bench);
    bench.exit('web');
  }
  t.ok(listens(bench));
  call(bench);
  t.equal(bench.phases(), 'web:failed');
  t.match(bench.tell('ls', {}), {
    result: { services: [{ note: /ended 20 times within 2 s without taking/ }] },
  });
  bench.tell('start', { names: ['web'] });
  bench.exit('web');
  t.ok(listens(bench), 'a person forgives');
  for (let i = 0; i < 30; i += 1) {
    bench.pass(150);
    call(bench);
    bench.exit('web');
  }
  t.ok(listens(bench), 'seldom enough');
});

t.test('start, stop and down', async (t) => {
  const bench = new Bench([lazy()]);
  bench.tell('start', { names: ['web'] });
  t.equal(bench.phases(), 'web:up');
  bench.exit('web');
  t.ok(listens(bench), 'it ended as it should');
  bench.tell('stop', { names: ['web'] });
  t.notOk(listens(bench) || open(bench), 'a stop that a connection undoes is none');
  call(bench);
  t.equal(bench.phases(), 'web:down');
  bench.tell('start', { names: ['web'] });
  t.equal(bench.phases(), 'web:up');
  const down = new Bench([lazy({ initially: 'down' })]);
  t.notOk(listens(down) || open(down));
});

t.test('who needs it starts it', async (t) => {
  const bench = new Bench([lazy(), longrun('app', { needs: ['web'] })]);
  t.equal(bench.phases(), 'web:up app:up');
  bench.exit('web');
  t.equal(bench.phases(), 'web:done app:up');
  t.ok(listens(bench));
  call(bench);
  t.equal(bench.phases(), 'web:up app:up');
});

t.test('a definition that appears, changes and goes', async (t) => {
  const bench = new Bench([longrun('other')]);
  bench.scan([longrun('other'), lazy()]);
  t.ok(listens(bench));
  t.ok(bench.post({ type: 'tick' }).touched.size === 0);
  bench.scan([longrun('other')]);
  t.notOk(listens(bench) || open(bench));
  bench.scan([longrun('other'), lazy()]);
  const next = decodeCheckpoint(encodeCheckpoint(bench.system), bench.system.options);
  if (!next.ok) throw new Error(next.reason);
  bench.system = next.system;
  t.ok(listens(bench), 'the next image knows');
  bench.tell('poweroff', {});
  t.notOk(listens(bench), 'nobody is started on the way down');
  t.notOk(new Bench([lazy()], { safe: true }).system.units.get('web')?.service.want === 'up');
});
