/**
 * The system as text and back: nothing is lost at any moment, and no text is trusted.
 */
import t from 'tap';
import { decodeCheckpoint, encodeCheckpoint, interrupted } from '../../src/core/checkpoint.ts';
import { wakeAt } from '../../src/core/system.ts';
import { ms } from '../../src/core/units.ts';
import { Bench } from './support/bench.ts';
import { command, longrun, oneshot, optionsOf, problem, telling } from './support/builder.ts';
import { canonical } from './support/canonical.ts';
import { World } from './support/world.ts';

/** One system with a service in every kind of trouble. */
function busy(): Bench {
  const bench = new Bench([], { parallel: 2, main: 'web' });
  bench.refusals.set('lost', 'ENOENT');
  bench.scan(
    [
      longrun('log', { early: true, finish: command('finish') }),
      telling('web', { upWithin: ms(5000), env: { A: '1', B: 'ü "' } }),
      oneshot('mount', { down: command('umount') }),
      longrun('lost'),
      longrun('late', { needs: ['web'], root: 'os' }),
    ],
    [problem('bad')],
  );
  bench.tell('stop', { names: ['log'], wait: false });
  bench.exit('log', 'TERM');
  return bench;
}

/** Replaces the image under the bench. */
function reexec(bench: Bench): void {
  const decoded = decodeCheckpoint(encodeCheckpoint(bench.system), bench.system.options);
  if (!decoded.ok) throw new Error(decoded.reason);
  bench.system = decoded.system;
}

t.test('a re-exec changes nothing but the number of the image', async (t) => {
  const bench = busy();
  const before = JSON.parse(encodeCheckpoint(bench.system));
  const due = wakeAt(bench.system);
  reexec(bench);
  t.same(JSON.parse(encodeCheckpoint(bench.system)), { ...before, image: 2 });
  t.equal(wakeAt(bench.system), due, 'the timer is set for the same instant');
  bench.took();
  bench.ready('web');
  t.ok(bench.took().includes('start late'), 'and life goes on');
});

t.test('a re-exec at any moment of random lives loses nothing', async (t) => {
  let texts = 0;
  for (let seed = 1; seed <= 40; seed += 1) {
    const world = new World({
      seed,
      watch: (system) => {
        const text = encodeCheckpoint(system);
        const decoded = decodeCheckpoint(text, system.options);
        if (!decoded.ok) throw new Error(decoded.reason);
        decoded.system.image -= 1;
        const again = canonical(encodeCheckpoint(decoded.system));
        if (again !== canonical(text)) throw new Error(`not the same:\n${text}`);
        texts += 1;
      },
    });
    world.chaos(150);
  }
  t.ok(texts > 2000, `${texts} texts`);
});

t.test('a scan after a re-exec finds nothing changed', async (t) => {
  const specs = [longrun('a'), longrun('b')];
  // As a parser might make it: the same fields in another order.
  const turned = specs.map((spec) => Object.fromEntries(Object.entries(spec).reverse()));
  const bench = new Bench(turned as unknown as typeof specs);
  reexec(bench);
  t.match(bench.scan(turned as unknown as typeof specs), { result: { changed: [] } });
});

t.test('who waited for a place among the starting gets it after a re-exec', async (t) => {
  const bench = new Bench([telling('a'), telling('b')], { parallel: 1 });
  reexec(bench);
  bench.ready('a');
  t.equal(bench.phases(), 'a:up b:starting');
});

t.test('a halt goes on after a re-exec, with the same deadline', async (t) => {
  const bench = new Bench([longrun('web', { stopWithin: null })], { haltWithin: ms(3000) });
  bench.tell('poweroff');
  bench.took();
  reexec(bench);
  bench.pass(2999);
  t.same(bench.took(), []);
  bench.pass(1);
  t.same(bench.took(), ['halt poweroff 0']);
});

t.test('the boot settles once, also across a re-exec', async (t) => {
  const bench = new Bench([telling('web')]);
  reexec(bench);
  bench.ready('web');
  t.ok(bench.took().includes('booted'));
  reexec(bench);
  bench.exit('web', 1);
  bench.pass(60_000);
  t.notOk(bench.took().includes('booted'));
});

t.test('interrupted() names the spawns whose outcome nobody will tell', async (t) => {
  const bench = new Bench();
  bench.scan([longrun('web'), longrun('job', { finish: command('finish') }), longrun('well')]);
  bench.holdSpawns = true;
  bench.exit('job', 1);
  bench.ask('restart', { names: ['web'] });
  bench.exit('web', 'TERM');
  t.equal(bench.phases(), 'web:spawning job:finishing well:up');
  reexec(bench);
  bench.took();
  const events = interrupted(bench.system);
  t.match(events, [
    { name: 'web', transient: true },
    { name: 'job', transient: true },
  ]);
  for (const event of events) bench.post(event);
  bench.holdSpawns = false;
  bench.pass(1000);
  t.same(bench.took(), ['finish job', 'start web'], 'both are started again');
});

t.test('arguments as long as a program may have survive a re-exec', async (t) => {
  const argv = ['sh', '-c', 'x'.repeat(131_071)];
  const bench = new Bench([longrun('main', { start: { path: 'sh', argv } })]);
  reexec(bench);
  t.match(bench.system.units.get('main')?.spec.start, { argv });
});

type Plain = Record<string, unknown>;

/** What is done to the text of a good checkpoint, and what the reason must name. */
const HOSTILE: readonly (readonly [string, (good: Plain) => unknown, RegExp])[] = [
  ['null', () => null, /not ours/],
  ['a list', () => [], /not ours/],
  ['nothing', () => ({}), /version/],
  ['another version', (good) => ({ ...good, version: 99 }), /version/],
  ['a key too many', (good) => ({ ...good, extra: 1 }), /extra/],
  ['a key too few', ({ halt, ...rest }) => rest, /halt/],
  ['units that are text', (good) => ({ ...good, units: 'web' }), /units/],
  ['a pid of 0', (good) => inUnit(good, { at: 'up', pid: 0, startedAt: 1 }), /units/],
  ['a pid of -1', (good) => inUnit(good, { at: 'up', pid: -1, startedAt: 1 }), /units/],
  ['a phase of nobody', (good) => inUnit(good, { at: 'asleep' }), /units/],
  ['a phase too large', (good) => inUnit(good, { at: 'down', pid: 1 }), /units/],
  ['an instant that is text', (good) => ({ ...good, startedAt: '1' }), /startedAt/],
  ['half an image', (good) => ({ ...good, image: 1.5 }), /image/],
  ['an intent of nobody', (good) => ({ ...good, intents: [['web', 'maybe']] }), /intents/],
  ['a halt of another kind', (good) => ({ ...good, halt: { kind: 'kexec' } }), /halt/],
];

t.test('F32 C3 decodeCheckpoint() gives a reason for every text that is not ours', async (t) => {
  const good = JSON.parse(encodeCheckpoint(busy().system)) as Plain;
  t.ok(decodeCheckpoint(JSON.stringify(good), optionsOf()).ok);
  for (const [what, make, reason] of HOSTILE) {
    t.match(decodeCheckpoint(JSON.stringify(make(good)), optionsOf()), { ok: false, reason }, what);
  }
});

t.test('decodeCheckpoint() takes no part of a text for the whole', async (t) => {
  const text = encodeCheckpoint(busy().system);
  for (let length = 0; length < text.length; length += 7) {
    if (decodeCheckpoint(text.slice(0, length), optionsOf()).ok) t.fail(`${length} characters`);
  }
  t.match(decodeCheckpoint('', optionsOf()), { ok: false, reason: 'The checkpoint is not JSON' });
});

t.test('C3 C7 decodeCheckpoint() is not fooled by __proto__', async (t) => {
  const text = encodeCheckpoint(busy().system);
  const hidden = `{"__proto__":${text}}`;
  t.match(decodeCheckpoint(hidden, optionsOf()), { ok: false });
  const added = text.replace('{', '{"__proto__":{"image":9},');
  t.match(decodeCheckpoint(added, optionsOf()), { ok: false, reason: /__proto__/ });
  t.equal(({} as Plain)['image'], undefined);
});

function inUnit(good: Plain, phase: unknown): Plain {
  const [first, ...rest] = good['units'] as { service: Plain }[];
  return { ...good, units: [{ ...first, service: { ...first?.service, phase } }, ...rest] };
}
