/**
 * What a scan changes, and what it leaves alone: the running set above all.
 */
import t from 'tap';
import type { Results } from '../../src/core/methods.ts';
import { ms } from '../../src/core/units.ts';
import { type Answer, Bench } from './support/bench.ts';
import { bundle, command, longrun, oneshot, problem, telling } from './support/builder.ts';

const found = (answer: Answer): Results['scan'] => {
  if (!answer.ok) throw new Error(answer.error.message);
  return answer.result as Results['scan'];
};

t.test('scan tells what was added, changed field by field, and removed', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b'), longrun('c')]);
  const { added, changed, removed, refused } = found(
    bench.scan([longrun('a'), longrun('b', { cwd: '/srv', needs: ['a'] }), longrun('d')]),
  );
  t.same(added, ['d']);
  t.same(changed, [{ name: 'b', fields: ['cwd', 'needs'] }]);
  t.same(removed, ['c']);
  t.same(refused, []);
});

t.test('scan that finds the same finds nothing, in whatever order it is told', async (t) => {
  const spec = longrun('a', { env: { A: '1' } });
  const turned = Object.fromEntries(Object.entries(spec).reverse()) as typeof spec;
  const bench = new Bench([spec]);
  t.match(found(bench.scan([turned])), { added: [], changed: [], removed: [], refused: [] });
  t.match(bench.tell('status', { names: ['a'] }), {
    result: { services: [{ definition: 'current' }] },
  });
});

t.test('what is new and wanted starts; what needs it waits for it', async (t) => {
  const bench = new Bench([longrun('a')]);
  bench.took();
  bench.scan([longrun('a'), telling('b'), longrun('c', { needs: ['b'] })]);
  t.same(bench.took(), ['start b']);
  bench.ready('b');
  t.same(bench.took(), ['start c']);
});

t.test('what has changed runs on as it was, until it is started again', async (t) => {
  const bench = new Bench([longrun('a', { stopSignal: 1 })]);
  bench.took();
  bench.scan([longrun('a', { stopSignal: 2 })]);
  t.same(bench.took(), []);
  t.match(bench.tell('status', { names: ['a'] }), {
    result: { services: [{ definition: 'changed', note: 'changed on disk' }] },
  });
  bench.ask('restart', { names: ['a'] });
  t.same(bench.took(), ['HUP a'], 'stopped as it was started');
  bench.exit('a', 'HUP');
  bench.ask('restart', { names: ['a'] });
  t.same(bench.took(), ['start a', 'INT a']);
});

t.test('what was removed runs on, marked, until it is stopped; then it is forgotten', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b')]);
  bench.scan([longrun('b')]);
  t.match(bench.tell('status', { names: ['a'] }), {
    result: { services: [{ state: 'up', definition: 'removed', note: 'no longer defined' }] },
  });
  bench.ask('stop', { names: ['a'] });
  bench.exit('a', 'TERM');
  t.equal(bench.phases(), 'b:up');
  t.equal(bench.system.intents.size, 0, 'nothing is held against one of the same name');
});

t.test(
  'what was removed while it was at rest is forgotten at once, and that is told',
  async (t) => {
    const bench = new Bench([longrun('a', { initially: 'down' }), longrun('b')]);
    const { changes } = bench.post(scanOf([longrun('b')], true));
    t.match(changes, [{ name: 'a', service: { phase: { at: 'down' } } }], 'its FIFO can go');
    t.equal(bench.phases(), 'b:up');
    bench.scan([longrun('a'), longrun('b')]);
    t.equal(bench.phases(), 'b:up a:up', 'and nothing is left of the prune');
  },
);

t.test('prune stops what was removed', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b')]);
  bench.took();
  bench.scan([longrun('b')], [], true);
  t.same(bench.took(), ['TERM a']);
  bench.exit('a', 'TERM');
  t.equal(bench.phases(), 'b:up');
});

t.test('a definition that can no longer be read stands as it was', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b', { needs: ['a'] })]);
  bench.took();
  const { removed, refused } = found(bench.scan([longrun('b', { needs: ['a'] })], [problem('a')]));
  t.same([removed, refused.map(({ name }) => name)], [[], ['a']]);
  bench.exit('a', 1);
  bench.pass(1000);
  t.equal(bench.phases(), 'a:up b:up');
});

t.test(
  'a scan that makes a cycle is refused and keeps the running set and its order',
  async (t) => {
    const bench = new Bench([longrun('a'), longrun('b', { needs: ['a'] })]);
    bench.took();
    const { refused } = found(
      bench.scan([longrun('a', { needs: ['b'] }), longrun('b', { needs: ['a'] })]),
    );
    t.match(refused, [{ name: 'a', reason: 'dependency cycle: a -> b -> a' }]);
    t.same([bench.phases(), bench.took()], ['a:up b:up', []]);
    bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
    t.same(bench.took(), ['TERM b'], 'b still needs a');
  },
);

t.test('one definition that stays as it was may make another stay as it was', async (t) => {
  // a goes back to needing b, because nobody is not there; then b cannot begin to follow a.
  const bench = new Bench([longrun('a', { needs: ['b'] }), longrun('b')]);
  const { refused, removed } = found(
    bench.scan([longrun('a', { needs: ['nobody'] }), longrun('b', { after: ['a'] })]),
  );
  t.same(removed, []);
  t.same(refused.map(({ name }) => name).sort(), ['a', 'b']);
  bench.took();
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
  t.same(bench.took(), ['TERM a'], 'both are known, and a needs b');
});

t.test('a need that is no longer there on disk holds nobody', async (t) => {
  const bench = new Bench([telling('a'), longrun('b', { needs: ['a'] })]);
  t.equal(bench.phases(), 'a:starting b:down');
  bench.scan([telling('a'), longrun('b')]);
  t.equal(bench.phases(), 'a:starting b:up');
});

t.test('a name that becomes a bundle stands for its members once it is at rest', async (t) => {
  const bench = new Bench([longrun('all'), longrun('a')]);
  bench.scan([bundle('all', ['a']), longrun('a')]);
  bench.exit('all', 'TERM');
  t.equal(bench.phases(), 'a:up');
  t.match(bench.tell('status', { names: ['all'] }), { result: { services: [{ name: 'a' }] } });
});

t.test('a longrun that has ended and becomes a oneshot has not run as one', async (t) => {
  const never = { when: 'never', limit: null, window: ms(1000) } as const;
  const bench = new Bench([longrun('a', { restart: never }), longrun('b', { after: ['a'] })]);
  bench.exit('a', 0);
  t.equal(bench.phase('a'), 'done');
  bench.scan([oneshot('a'), longrun('b', { needs: ['a'] })]);
  t.equal(bench.phases(), 'a:starting b:up');
});

t.test('a oneshot that is done is undone by the down that it was done with', async (t) => {
  const bench = new Bench([oneshot('mount', { down: command('umount') })]);
  bench.exit('mount', 0);
  bench.scan([oneshot('mount')]);
  bench.took();
  bench.ask('stop', { names: ['mount'] });
  t.same(bench.took(), ['down mount']);
});

t.test(
  'a service that stops being early while it runs still goes last on the way down',
  async (t) => {
    const bench = new Bench([longrun('log', { early: true }), longrun('web')]);
    bench.scan([longrun('log'), longrun('web')]);
    bench.took();
    bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
    bench.exit('web', 'TERM');
    bench.exit('log', 'TERM');
    t.same(bench.took(), ['TERM web', 'TERM log', 'halt poweroff 0']);
  },
);

function scanOf(specs: readonly ReturnType<typeof longrun>[], prune: boolean) {
  return { type: 'scanned', specs, problems: [], notices: [], prune, asker: null } as const;
}

t.test('a root whose definitions cannot be read keeps those that were known', async (t) => {
  const rooted = longrun('r', { root: 'os', directory: '/etc/svinit/services/r' });
  const own = longrun('a', { directory: '/etc/svinit/services/a' });
  const bench = new Bench([own, rooted]);
  const unread = problem('/run/svinit/roots/os.services');
  t.match(found(bench.scan([own], [unread])), { removed: [] });
  const other = problem('/etc/svinit/services');
  t.match(found(bench.scan([], [other])), { removed: ['r'] }, 'a directory holds only its own');
});
