/**
 * The way down: in reverse order, in bounded time, once.
 */
import t from 'tap';
import { waitingWords } from '../../src/core/blockers.ts';
import { decodeCheckpoint, encodeCheckpoint } from '../../src/core/checkpoint.ts';
import type { Results } from '../../src/core/methods.ts';
import { EXIT } from '../../src/core/protocol.ts';
import { ms } from '../../src/core/units.ts';
import { type Answer, Bench, refusalOf } from './support/bench.ts';
import { command, longrun, oneshot } from './support/builder.ts';

const halt = (bench: Bench): void => {
  bench.took();
  bench.post({ type: 'halt', kind: 'poweroff', cause: 'test' });
};

t.test('halt stops in reverse order of needs, each as soon as it may', async (t) => {
  const bench = new Bench([
    longrun('db'),
    longrun('web', { needs: ['db'] }),
    longrun('late', { after: ['web'] }),
    longrun('other'),
  ]);
  halt(bench);
  t.same(bench.took(), ['TERM late', 'TERM other']);
  bench.exit('late', 'TERM');
  t.same(bench.took(), ['TERM web']);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM db']);
  bench.exit('db', 'TERM');
  t.same(bench.took(), [], 'other still runs');
  bench.exit('other', 'TERM');
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('halt stops early services when no other is left', async (t) => {
  const bench = new Bench([
    longrun('log', { early: true }),
    longrun('tty', { early: true, needs: ['log'] }),
    longrun('web'),
  ]);
  halt(bench);
  t.same(bench.took(), ['TERM web']);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM tty']);
  bench.exit('tty', 'TERM');
  t.same(bench.took(), ['TERM log']);
  bench.exit('log', 'TERM');
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('halt undoes oneshots, and waits for finish', async (t) => {
  const bench = new Bench([
    oneshot('mount', { down: command('umount') }),
    longrun('web', { needs: ['mount'], finish: command('finish') }),
  ]);
  bench.exit('mount', 0);
  halt(bench);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM web', 'finish web']);
  bench.exit('web', 0);
  t.same(bench.took(), ['down mount']);
  bench.exit('mount', 0);
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('halt with nothing to stop ends in the same turn', async (t) => {
  const bench = new Bench();
  bench.scan([longrun('web', { initially: 'down' })]);
  halt(bench);
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('halt kills what does not heed, and is over when its time is up', async (t) => {
  const bench = new Bench(
    [longrun('deaf', { stopWithin: ms(1000) }), longrun('endless', { stopWithin: null })],
    { haltWithin: ms(7000) },
  );
  halt(bench);
  t.same(bench.took(), ['TERM deaf', 'TERM endless']);
  bench.pass(6999);
  t.same(bench.took(), ['KILL all of deaf', 'KILL all of deaf']);
  bench.pass(1);
  t.same(bench.took(), ['halt poweroff 0']);
  bench.pass(60_000);
  bench.exit('endless', 'KILL');
  t.notOk(
    bench.took().some((word) => word.startsWith('halt')),
    'and only once',
  );
});

t.test('halt brings nothing back that dies on the way', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b', { needs: ['a'] }), longrun('c')]);
  bench.exit('c', 1);
  halt(bench);
  bench.exit('a', 1);
  bench.pass(1000);
  t.same(bench.took(), ['TERM b']);
  t.equal(bench.phases(), 'a:down b:stopping c:down');
});

t.test('asked twice it is one halt; asked for another kind it is refused', async (t) => {
  const bench = new Bench([longrun('web')]);
  bench.took();
  t.same(bench.tell('poweroff'), { ok: true, result: { halting: 'poweroff' } });
  t.same(bench.tell('poweroff'), { ok: true, result: { halting: 'poweroff' } });
  t.same(refusalOf(bench.tell('reboot')), [
    EXIT.failed,
    'Cannot reboot: a poweroff is under way (poweroff by uid 0)',
  ]);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM web', 'halt poweroff 0']);
});

const NEXT = { root: '/mnt', init: '/sbin/init', arguments: ['single'] } as const;

/** The last answer to `switchRoot`, after a look that found `problem`. */
function switched(bench: Bench, params: object, problem: string | null): Answer {
  const id = bench.ask('switchRoot', params);
  t.notOk(bench.answers.has(id), 'first it is looked at');
  const look = bench.looks.shift();
  if (look === undefined) throw new Error('nothing is looked at');
  bench.post({ type: 'looked', ...look, problem });
  return bench.answer(id);
}

t.test('a hand-over is looked at first, and nothing is stopped for one that fails', async (t) => {
  const next = { init: NEXT.init, arguments: NEXT.arguments };
  const bench = new Bench([longrun('web')], { next });
  bench.took();
  const refused = switched(bench, { root: '/mnt/' }, '/mnt is no mount point');
  t.same(refusalOf(refused), [EXIT.failed, 'Cannot switch-root: /mnt is no mount point']);
  t.same([bench.phases(), bench.took()], ['web:up', []]);

  t.same(switched(bench, { root: '/mnt/' }, null), {
    ok: true,
    result: { halting: 'switch-root' },
  });
  t.same(bench.system.halt?.to, NEXT, 'what is not said is what this boot was told');
  t.same(switched(bench, { root: '/mnt' }, null).ok, true, 'twice is once');
  const other = switched(bench, { root: '/mnt', init: '/bin/sh' }, null);
  t.match(refusalOf(other), [EXIT.failed, /a switch-root is under way/], 'another is refused');
  t.match(refusalOf(bench.tell('kexec')), [EXIT.failed, /^Cannot kexec: a switch-root is under/]);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM web', 'halt switch-root 0']);
});

t.test('a hand-over goes on in the next image', async (t) => {
  const bench = new Bench([longrun('web')]);
  switched(bench, { root: null, init: '/init', arguments: [] }, null);
  const decoded = decodeCheckpoint(encodeCheckpoint(bench.system), bench.system.options);
  const to = { root: '/run/svinit/roots/os', init: '/init', arguments: [] };
  t.match(decoded, { ok: true, system: { halt: { kind: 'switch-root', to } } });
});

t.test('kexec is looked at first too; neither is for a container', async (t) => {
  const bench = new Bench([]);
  const id = bench.ask('kexec');
  const [look] = bench.looks.splice(0);
  t.match(look, { kind: 'kexec' });
  if (look !== undefined) bench.post({ type: 'looked', ...look, problem: null });
  t.same(bench.answer(id), { ok: true, result: { halting: 'kexec' } });
  t.same(bench.took(), ['halt kexec 0']);
  const inside = new Bench([], { stopKind: 'exit' });
  t.same(refusalOf(inside.tell('kexec')), [EXIT.failed, 'Cannot kexec: this is no machine']);
  t.match(refusalOf(inside.tell('switchRoot')), [EXIT.failed, /^Cannot switch-root: this is no/]);
});

t.test('forced it waits for nobody, also when it is under way already', async (t) => {
  const bench = new Bench([longrun('a'), longrun('b', { needs: ['a'] })]);
  bench.took();
  t.same(bench.tell('reboot'), { ok: true, result: { halting: 'reboot' } });
  t.same(bench.took(), ['TERM b']);
  t.same(bench.tell('reboot', { force: true }), { ok: true, result: { halting: 'reboot' } });
  t.same(bench.took(), ['halt reboot 0']);
});

t.test('in a container every way down is its end', async (t) => {
  for (const method of ['poweroff', 'reboot', 'halt'] as const) {
    const bench = new Bench([], { stopKind: 'exit' });
    t.same(bench.tell(method), { ok: true, result: { halting: 'exit' } });
    t.same(bench.took(), ['halt exit 0']);
  }
});

const never = { when: 'never', limit: null, window: ms(1000) } as const;

t.test('the end of the main service is the end of the container, with its code', async (t) => {
  for (const [how, code] of [
    [0, 0],
    [42, 42],
    ['TERM', 143],
    ['KILL', 137],
  ] as const) {
    const specs = [longrun('log', { early: true }), longrun('main', { restart: never })];
    const bench = new Bench(specs, { main: 'main', stopKind: 'exit' });
    bench.took();
    bench.exit('main', how);
    t.same(bench.took(), ['TERM log']);
    bench.exit('log', 'TERM');
    t.same(bench.took(), [`halt exit ${code}`]);
  }
});

t.test('a main service that cannot be started ends the container, and not well', async (t) => {
  for (const [reason, code] of [
    ['ENOENT', 127],
    ['EACCES', 126],
  ] as const) {
    const bench = new Bench([], { main: 'main', stopKind: 'exit' });
    bench.refusals.set('main', reason);
    bench.scan([longrun('main', { restart: never })]);
    t.equal(bench.took().at(-1), `halt exit ${code}`, reason);
  }
});

t.test('a main service that is started again is not at its end', async (t) => {
  const bench = new Bench([longrun('main')], { main: 'main', stopKind: 'exit' });
  bench.exit('main', 1);
  t.notOk(bench.took().some((word) => word.startsWith('halt')));
  bench.pass(1000);
  bench.post({ type: 'halt', kind: 'exit', cause: 'TERM' });
  bench.exit('main', 'TERM');
  t.equal(bench.took().at(-1), 'halt exit 143', 'the code of its last run');
});

t.test('what is asked for while going down is answered, one way or the other', async (t) => {
  const bench = new Bench([longrun('db'), longrun('web', { needs: ['db'] })]);
  const conditions = [{ name: 'db', goal: 'down' }];
  const wait = bench.ask('wait', { conditions });
  const restart = bench.ask('restart', { names: ['web'] });
  bench.tell('poweroff');
  t.match(refusalOf(bench.answer(restart)), [EXIT.failed, /going down/]);
  const stop = bench.ask('stop', { names: ['db'], cascade: true });
  bench.exit('web', 'TERM');
  bench.exit('db', 'TERM');
  t.ok(bench.answer(wait).ok && bench.answer(stop).ok);
});

t.test('a scan while going down is answered, and starts nothing', async (t) => {
  const bench = new Bench([longrun('web')]);
  halt(bench);
  bench.took();
  t.ok(bench.scan([longrun('web'), longrun('late')]).ok);
  t.same(bench.took(), []);
});

/** Who is waited for, and by whom it is held. */
function blockers(bench: Bench): readonly string[] {
  const answer = bench.tell('shutdown');
  const view = answer.ok ? (answer.result as Results['shutdown']) : null;
  return (view?.waitingFor ?? []).map(({ name, state, heldBy }) =>
    [name, state, ...heldBy.map((other) => `after ${other}`)].join(' '),
  );
}

t.test('what is in the way of going down is named, with pids and deadlines', async (t) => {
  const specs = [
    longrun('log', { early: true }),
    longrun('db'),
    longrun('web', { needs: ['db'], stopWithin: ms(9000) }),
  ];
  const bench = new Bench(specs, { haltWithin: ms(60_000) });
  const nothing = { halting: null, scheduled: null, waitingFor: [], skipped: [] };
  t.same(bench.tell('shutdown'), { ok: true, result: nothing });
  halt(bench);
  bench.pass(4000);
  t.match(bench.tell('shutdown'), {
    result: {
      halting: { kind: 'poweroff', cause: 'test', leftMs: 56_000 },
      waitingFor: [
        { name: 'log', killInMs: null },
        { name: 'db', pid: bench.pid('db'), killInMs: null },
        { name: 'web', pid: bench.pid('web'), forMs: 4000, killInMs: 5000 },
      ],
    },
  });
  t.same(blockers(bench), ['log up after db after web', 'db up after web', 'web stopping']);
  t.equal(
    waitingWords(bench.system, ms(4000)),
    `poweroff waits for web (pid ${bench.pid('web')}, stopping for 4.0 s, killed in 5.0 s)` +
      ' and 2 more; at most 56 s more',
  );
  bench.exit('web', 'TERM');
  t.same(blockers(bench), ['log up after db', 'db stopping']);
});

t.test('a service that is skipped is killed and held for nobody', async (t) => {
  const bench = new Bench([
    longrun('log', { early: true }),
    longrun('db'),
    longrun('stuck', { needs: ['db'], stopWithin: null }),
  ]);
  t.match(refusalOf(bench.tell('skip', { names: ['stuck'] })), [EXIT.failed, /nothing is going/]);
  halt(bench);
  t.match(refusalOf(bench.tell('skip', { names: ['nobody'] })), [EXIT.noSuchService, /nobody/]);
  const held = bench.tell('skip', { names: ['db'] });
  t.match(refusalOf(held), [EXIT.failed, /Cannot skip db: not told to stop yet: stuck must/]);
  t.match(held, { error: { data: { hint: 'svctl shutdown skip stuck' } } });
  t.same(bench.took(), ['TERM stuck']);
  t.same(bench.tell('skip', { names: ['*'] }), { ok: true, result: { skipped: ['stuck'] } });
  t.same(bench.took(), ['KILL all of stuck', 'TERM db'], 'its need goes on at once');
  bench.exit('db', 'TERM');
  t.same(bench.took(), ['TERM log']);
  t.match(bench.tell('shutdown'), { result: { skipped: ['stuck'] } });
  t.match(refusalOf(bench.tell('skip', { names: ['db'] })), [EXIT.failed, /nothing waits for it/]);
  bench.exit('log', 'TERM');
  t.same(bench.took(), ['halt poweroff 0'], 'although it is still there');
});

t.test('a finish that is skipped is not waited for, and others are', async (t) => {
  const bench = new Bench([
    longrun('web', { finish: command('finish'), finishWithin: null }),
    longrun('other'),
  ]);
  halt(bench);
  bench.exit('web', 'TERM');
  t.same(bench.took(), ['TERM web', 'TERM other', 'finish web']);
  bench.tell('skip', { names: ['web'] });
  t.same(bench.took(), ['KILL all of web']);
  bench.exit('other', 'TERM');
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('a skipped service stays so after a re-exec', async (t) => {
  const bench = new Bench([longrun('stuck', { stopWithin: null }), longrun('other')]);
  halt(bench);
  bench.tell('skip', { names: ['stuck'] });
  bench.took();
  const text = encodeCheckpoint(bench.system);
  const decoded = decodeCheckpoint(text, bench.system.options);
  if (decoded.ok) bench.system = decoded.system;
  t.ok(decoded.ok);
  bench.exit('other', 'TERM');
  t.same(bench.took(), ['halt poweroff 0']);
});
