/**
 * What each request does, and which it refuses without having done anything.
 */
import t from 'tap';
import { EXIT } from '../../src/core/protocol.ts';
import { Bench, refusalOf } from './support/bench.ts';
import { bundle, command, longrun, oneshot, problem, telling } from './support/builder.ts';

const stack = (): Bench =>
  new Bench([
    longrun('db'),
    longrun('web', { needs: ['db'] }),
    longrun('proxy', { needs: ['web'] }),
    longrun('other'),
  ]);

t.test('stop of a need is refused when others would stop too, and changes nothing', async (t) => {
  const bench = stack();
  bench.took();
  const [exit, message] = refusalOf(bench.tell('stop', { names: ['db'] })) ?? [];
  t.equal(exit, EXIT.dependencyFailed);
  t.equal(message, 'web, proxy would stop too, for want of db');
  t.same([bench.phases(), bench.took()], ['db:up web:up proxy:up other:up', []]);
  t.equal(bench.system.intents.size, 0);
});

t.test('stop --cascade stops dependants first, one after the other', async (t) => {
  const bench = stack();
  bench.took();
  const id = bench.ask('stop', { names: ['db'], cascade: true });
  t.same(bench.took(), ['TERM proxy']);
  bench.exit('proxy', 'TERM');
  t.same(bench.took(), ['TERM web']);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM db']);
  t.notOk(bench.answers.has(id));
  bench.exit('db', 'TERM');
  t.match(bench.answer(id), { ok: true, result: { services: [{ name: 'db', state: 'down' }] } });
  t.equal(bench.phases(), 'db:down web:down proxy:down other:up');
});

t.test('stop of all that hang together needs no cascade', async (t) => {
  const bench = stack();
  t.equal(bench.answers.has(bench.ask('stop', { names: ['db', 'web', 'proxy'] })), false);
  t.equal(bench.phases(), 'db:up web:up proxy:stopping other:up');
});

t.test('start after stop brings back what needed it, unless that was stopped itself', async (t) => {
  const bench = stack();
  bench.ask('stop', { names: ['proxy'] });
  bench.exit('proxy', 'TERM');
  bench.ask('stop', { names: ['db'], cascade: true });
  bench.exit('web', 'TERM');
  bench.exit('db', 'TERM');
  bench.took();
  bench.tell('start', { names: ['db'] });
  t.same(bench.took(), ['start db', 'start web']);
  t.equal(bench.phases(), 'db:up web:up proxy:down other:up');
});

t.test('start starts what it needs, even what was stopped before', async (t) => {
  const bench = stack();
  bench.ask('stop', { names: ['db', 'web', 'proxy'] });
  for (const name of ['proxy', 'web', 'db']) bench.exit(name, 'TERM');
  bench.took();
  bench.tell('start', { names: ['proxy'] });
  t.same(bench.took(), ['start db', 'start web', 'start proxy']);
});

t.test('start of what is already so is done, and disturbs nothing', async (t) => {
  const bench = new Bench([longrun('web'), oneshot('mount', { down: command('down') })]);
  bench.exit('mount', 0);
  bench.took();
  t.ok(bench.tell('start', { names: ['web', 'mount'] }).ok);
  t.same(bench.took(), []);
});

t.test('start tries at once what waits for its time', async (t) => {
  const bench = new Bench([longrun('web')]);
  bench.exit('web', 1);
  bench.took();
  t.ok(bench.tell('start', { names: ['web'] }).ok);
  t.same(bench.took(), ['start web']);
});

t.test('essential services stop only with --force, also by cascade', async (t) => {
  const bench = new Bench([longrun('db'), longrun('ssh', { needs: ['db'], essential: true })]);
  const text = 'ssh: essential, not stopped without --force';
  for (const names of [['ssh'], ['db'], ['*']]) {
    const refusal = refusalOf(bench.tell('stop', { names, cascade: true }));
    t.same(refusal, [EXIT.failed, text], names.join());
  }
  bench.ask('stop', { names: ['db'], cascade: true, force: true });
  t.equal(bench.phases(), 'db:up ssh:stopping');
});

t.test(
  'restart of a need leaves its dependants up, and of a oneshot runs down and up',
  async (t) => {
    const bench = new Bench([
      longrun('db'),
      longrun('web', { needs: ['db'] }),
      oneshot('mount', { down: command('down') }),
    ]);
    bench.exit('mount', 0);
    bench.took();
    bench.ask('restart', { names: ['db', 'mount'] });
    t.same(bench.took(), ['TERM db', 'down mount']);
    bench.exit('db', 'TERM');
    bench.exit('mount', 0);
    t.same([bench.took(), bench.phase('web')], [['start db', 'start mount'], 'up']);
  },
);

t.test('a bundle stands for its members, and a pattern for what it matches', async (t) => {
  const bench = new Bench([longrun('a1'), longrun('a2'), longrun('b'), bundle('all', ['a1', 'b'])]);
  bench.tell('stop', { names: ['all'], wait: false });
  t.equal(bench.phases(), 'a1:stopping a2:up b:stopping');
  bench.tell('stop', { names: ['a?'], wait: false });
  t.equal(bench.phases(), 'a1:stopping a2:stopping b:stopping');
});

t.test('a bundle without members is a name like any other', async (t) => {
  const bench = new Bench([longrun('a'), bundle('none', [])]);
  t.same(bench.tell('start', { names: ['none'] }), { ok: true, result: { services: [] } });
});

t.test('what was stopped stays down although another wants it', async (t) => {
  const bench = new Bench([longrun('cache'), longrun('web', { wants: ['cache'] })]);
  bench.tell('stop', { names: ['cache'], wait: false });
  bench.exit('cache', 'TERM');
  bench.ask('restart', { names: ['web'] });
  bench.exit('web', 'TERM');
  t.equal(bench.phases(), 'cache:down web:up');
});

t.test('names that mean nothing are answered with what might have been meant', async (t) => {
  const bench = new Bench([longrun('nginx')]);
  const answers = ['nginz', 'zzz*', 'qqqqqq'].map((name) => bench.tell('start', { names: [name] }));
  t.match(answers[0], {
    error: { message: 'There is no service nginz', data: { exit: 4, hint: 'Did you mean nginx?' } },
  });
  t.match(answers[1], { error: { message: 'No service matches zzz*', data: { exit: 4 } } });
  t.match(answers[2], { error: { data: { exit: 4, hint: 'svctl ls shows them all' } } });
});

t.test('names whose definition was refused are answered with the reason, and exit 8', async (t) => {
  const bench = new Bench();
  bench.scan([longrun('web', { needs: ['nobody'] })], [problem('bad')]);
  t.same(refusalOf(bench.tell('start', { names: ['bad'] })), [
    EXIT.invalidDefinition,
    'bad is refused: run: is not executable',
  ]);
  t.match(refusalOf(bench.tell('status', { names: ['web'] })), [
    EXIT.invalidDefinition,
    /^web is refused: .*needs 'nobody', which is not defined anywhere$/,
  ]);
});

t.test('a request in which one name is wrong does nothing for the others', async (t) => {
  const bench = stack();
  bench.took();
  for (const method of ['start', 'stop', 'restart', 'status'] as const) {
    t.match(refusalOf(bench.tell(method, { names: ['other', 'nobody'] })), [EXIT.noSuchService]);
  }
  t.same(bench.took(), []);
});

t.test('without --wait the answer is that the wish was noted', async (t) => {
  const bench = new Bench([telling('web')]);
  for (const method of ['start', 'restart', 'stop'] as const) {
    t.same(bench.tell(method, { names: ['web'], wait: false }), {
      ok: true,
      result: { services: [] },
    });
  }
});

t.test('ls and status show services; ls also what was refused', async (t) => {
  const bench = stack();
  bench.scan([longrun('db')], [problem('bad')]);
  t.match(bench.tell('ls'), {
    result: { services: [{ name: 'db', state: 'up' }, {}, {}, {}], problems: [{ name: 'bad' }] },
  });
  t.match(bench.tell('ls', { names: ['d*'] }), { result: { services: [{ name: 'db' }] } });
  t.match(bench.tell('status', { names: ['db'] }), { result: { services: [{ name: 'db' }] } });
});

t.test('version tells how long it has been up, and what it is about to do', async (t) => {
  const bench = stack();
  bench.pass(1500);
  t.match(bench.tell('version'), { result: { uptimeMs: 1500, image: 1, halting: null } });
  bench.tell('reboot');
  t.match(bench.tell('version'), { result: { halting: 'reboot' } });
});

t.test('scan and reexec are handed to the supervisor, with who asked', async (t) => {
  const bench = stack();
  bench.took();
  bench.ask('scan', { prune: true });
  bench.ask('reexec');
  t.same(bench.took(), ['scan', 'reexec']);
});

t.test('going down, nothing is started and no image replaced', async (t) => {
  const bench = stack();
  bench.tell('poweroff');
  const going = (act: string): readonly [number, string] => [
    EXIT.failed,
    `Cannot ${act}: going down (poweroff)`,
  ];
  t.same(refusalOf(bench.tell('start', { names: ['db'] })), going('start services'));
  t.same(refusalOf(bench.tell('restart', { names: ['db'] })), going('start services'));
  t.same(refusalOf(bench.tell('reexec')), going('re-exec'));
});
