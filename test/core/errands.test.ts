/** Programs beside a service's own: what waits for them, and what does not. */
import t from 'tap';
import { CONTROL_WITHIN, RELOAD_WITHIN, RELOADING_WITHIN } from '../../src/core/errand.ts';
import {
  act,
  type Deed,
  deadlineOf,
  type ErrandEvent,
  errandPids,
} from '../../src/core/errands.ts';
import { type ErrandRole, type Event, newService, type Service } from '../../src/core/phase.ts';
import type { Spec } from '../../src/core/spec.ts';
import { ms, pid } from '../../src/core/units.ts';
import { Bench } from './support/bench.ts';
import { command, exitOf, longrun, oneshot } from './support/builder.ts';

/** Feeds events to a service, a millisecond apart, and keeps what is to be done after each. */
class Life {
  service: Service = newService(ms(0));
  now = 0;
  deeds: readonly Deed[] = [];
  readonly #spec: Spec;

  constructor(spec: Spec, ...events: readonly (Event | ErrandEvent)[]) {
    this.#spec = spec;
    this.after(...events);
  }

  after(...events: readonly (Event | ErrandEvent)[]): this {
    for (const event of events) {
      this.now += 1;
      [this.service, this.deeds] = act(this.service, event, this.#spec, ms(this.now));
    }
    return this;
  }

  /** In words: `spawn control/t`, `TERM to 7`. */
  get told(): readonly string[] {
    return this.deeds.map((deed) => {
      if (deed.do === 'spawn') return 'run' in deed ? `spawn ${deed.run}` : `spawn ${deed.role}`;
      return deed.do === 'signal' ? `${deed.signal} to ${deed.pid}` : deed.do;
    });
  }

  get at(): string {
    return this.service.phase.at;
  }
}

const UP: Event = { type: 'want', want: 'up', cause: 'test' };
const DOWN: Event = { type: 'want', want: 'down', cause: 'test' };
const ADMIT: Event = { type: 'admit' };
const RELEASE: Event = { type: 'release' };
const DEADLINE: Event = { type: 'deadline' };
const spawned = (number: number): Event => ({ type: 'spawned', pid: pid(number) });
const begun = (number: number, of: ErrandRole = 'control'): ErrandEvent => ({
  ...{ type: 'errandSpawned', of, pid: pid(number) },
});
const ended = (how: number | string, of: ErrandRole = 'control'): ErrandEvent => ({
  ...{ type: 'errandEnded', of, exit: exitOf(how), reason: null },
});
const told = (signal: number): ErrandEvent => ({ type: 'told', signal });
const RELOAD: ErrandEvent = { type: 'reload' };

const runit = (control: string, more: Partial<Spec> = {}): Spec =>
  longrun('web', { dialect: 'runit', stopWithin: null, control, ...more });
const running = (spec: Spec): Life => new Life(spec, UP, ADMIT, spawned(7));

t.test('a signal waits for who is asked, and is not sent when that ends well', async (t) => {
  for (const [how, signals] of [
    [0, []],
    [1, ['15 to 7']],
    ['KILL', ['15 to 7']],
  ] as const) {
    const life = running(runit('t')).after(DOWN, RELEASE);
    t.same([life.at, life.told], ['stopping', ['spawn t']]);
    t.same(life.after(begun(8)).told, []);
    t.equal(errandPids(life.service)[0], 8);
    t.same(life.after(ended(how)).told, [...signals, '18 to 7'], `it ended with ${how}`);
    t.equal(life.service.errands, undefined);
  }
});

t.test('d is asked after the signal, when it is to be down, and decides nothing', async (t) => {
  const life = running(runit('d')).after(DOWN, RELEASE);
  t.same(life.told, ['15 to 7', '18 to 7', 'spawn d']);
  t.same(life.after(begun(8), { type: 'exited', exit: exitOf('TERM') }).at, 'down');
  t.equal(errandPids(life.service)[0], 8, 'it runs on');
  t.same(life.after(ended(1)).told, []);
  const restarted = running(runit('td')).after({ type: 'restart', cause: 'test' });
  t.same(restarted.after(begun(8), ended(1)).told, ['15 to 7', '18 to 7']);
});

t.test('u is asked before every start', async (t) => {
  const life = new Life(runit('u'), UP, ADMIT);
  t.same([life.at, life.told], ['spawning', ['spawn u']]);
  life.after(begun(5), ended(0));
  t.same([life.at, life.told], ['down', []], 'what it needs may have gone meanwhile');
  t.same(life.after(ADMIT).told, ['spawn start'], 'also when it ends well');
  const unwanted = new Life(runit('u'), UP, ADMIT, begun(5), DOWN, ended(0));
  t.same([unwanted.at, unwanted.told], ['down', []], 'nobody wants it any more');
});

t.test('a start that an image has lost does not come back', async (t) => {
  const lost: Event = { type: 'spawnFailed', reason: 'replaced', transient: true };
  const life = new Life(runit('u'), UP, ADMIT, begun(5), lost);
  t.equal(life.at, 'backoff');
  life.now += 1000;
  life.after(DEADLINE, ADMIT);
  t.same([life.at, life.told], ['spawning', []], 'the second waits for the first to end');
  t.same(life.after(ended(0)).told, ['spawn u']);
  t.same(life.after(begun(6), ended(0), ADMIT).told, ['spawn start']);
});

t.test('one that takes too long is killed, and the signal is sent', async (t) => {
  const life = running(runit('t')).after(DOWN, RELEASE, begun(8));
  t.equal(deadlineOf(life.service), life.now - 1 + CONTROL_WITHIN);
  t.same(life.after(DEADLINE).told, [], 'not before its time');
  life.now += CONTROL_WITHIN;
  t.same(life.after(DEADLINE).told, ['9 to 8', '15 to 7', '18 to 7']);
  const lost = running(runit('t')).after(DOWN, RELEASE);
  lost.now += CONTROL_WITHIN;
  t.same(lost.after(DEADLINE).told, ['15 to 7', '18 to 7'], 'nor one of which nobody heard');
});

t.test('signals that somebody sends are asked about one after the other', async (t) => {
  const life = running(runit('h1k')).after(told(1), begun(8));
  t.same(life.after(told(10), told(2), told(9)).told, [], 'all of them wait');
  t.same(life.after(ended(1)).told, ['1 to 7', 'spawn 1']);
  t.same(life.after(begun(9), ended(0)).told, ['2 to 7', 'spawn k'], 'INT has none');
  t.same(life.after(begun(10), ended(1)).told, ['9 to 7']);
  const dead = running(runit('h')).after(told(1), begun(8), { type: 'exited', exit: exitOf(0) });
  t.same(dead.after(ended(1)).told, [], 'there is nobody left to signal');
});

t.test('the whole system sends a signal that nobody is asked about', async (t) => {
  const bench = new Bench([runit('h', { initially: 'up' })]);
  bench.took();
  bench.ask('signal', { names: ['web'], signal: 2 });
  t.match(bench.took(), ['INT web']);
});

t.test('a kill by the clock asks nobody', async (t) => {
  const life = running(runit('tk', { stopWithin: ms(500) })).after(DOWN, RELEASE, begun(8));
  life.now += 500;
  t.same(life.after(DEADLINE).told, ['9 to 7']);
});

t.test('a reload is a signal, a command, or what it says itself', async (t) => {
  const hup = running(longrun('web')).after(RELOAD);
  t.same([hup.told, hup.service.reload], [['1 to 7'], { at: 'over', problem: null }]);
  t.same(running(longrun('web', { reloadSignal: 10 })).after(RELOAD).told, ['10 to 7']);
  const asks = running(runit('h')).after(RELOAD);
  t.same(asks.told, ['spawn h'], 'in runit it is a HUP like any other');

  for (const [how, problem] of [
    [0, null],
    [3, 'exit 3'],
  ] as const) {
    const life = running(longrun('web', { reload: command('nginx') })).after(RELOAD);
    t.same(
      [life.told, life.service.reload],
      [['spawn reload'], { at: 'running', pid: null, by: 10_004 }],
    );
    t.same(life.after(begun(8, 'reload')).service.reload, {
      ...{ at: 'running', pid: 8, by: life.now + RELOAD_WITHIN },
    });
    t.same(life.after(ended(how, 'reload')).service.reload, { at: 'over', problem });
  }
  const failed: ErrandEvent = {
    ...{ type: 'errandEnded', of: 'reload', exit: null, reason: 'ENOENT' },
  };
  const never = running(longrun('web', { reload: command('nginx') })).after(RELOAD, failed);
  t.same(never.service.reload, { at: 'over', problem: 'ENOENT' });
  const late = running(longrun('web', { reload: command('nginx'), reloadWithin: ms(300) }));
  late.after(RELOAD, begun(8, 'reload'), DOWN, RELEASE);
  t.same(late.told, ['15 to 7', '18 to 7'], 'nothing waits for it');
  late.now += 300;
  t.same(late.after(DEADLINE).told, ['9 to 8']);
  t.same(late.service.reload, { at: 'over', problem: 'it took too long and was killed' });
  const endless = running(longrun('web', { reload: command('nginx'), reloadWithin: null }));
  t.equal(deadlineOf(endless.after(RELOAD, begun(8, 'reload')).service), null);
  const done = new Life(oneshot('web', { reload: command('x') }), UP, ADMIT, spawned(7));
  done.after({ type: 'exited', exit: exitOf(0) }, RELOAD);
  t.same([done.at, done.told], ['done', ['spawn reload']]);
});

t.test('one that speaks sd_notify is waited for', async (t) => {
  const spec = longrun('web', { ready: { by: 'notify' } });
  const said = (words: object): Event => ({ type: 'notified', said: words });
  const life = (): Life => running(spec).after(said({ ready: true }), RELOAD);
  const speaks = life().after(said({ reloading: true }));
  t.same(speaks.service.reload, { at: 'heard' });
  t.equal(deadlineOf(speaks.service), null, 'as long as it takes');
  t.same(speaks.after(said({ ready: true })).service.reload, { at: 'over', problem: null });
  const silent = life();
  t.equal(deadlineOf(silent.service), silent.now + RELOADING_WITHIN);
  silent.now += RELOADING_WITHIN;
  t.same(silent.after(DEADLINE).service.reload, { at: 'over', problem: null });
  const dies = life().after(said({ reloading: true }), { type: 'exited', exit: exitOf(1) });
  t.same(dies.service.reload, { at: 'over', problem: 'it ended before it was ready again' });
});

t.test('how far a kill goes is what the dialect says', async (t) => {
  const killed = (killsGroup?: boolean): readonly Deed[] => {
    const given = killsGroup === undefined ? {} : { killsGroup };
    const life = running(longrun('web', { stopWithin: ms(5), ...given })).after(DOWN, RELEASE);
    life.now += 5;
    return life.after(DEADLINE).deeds;
  };
  t.match(killed(), [{ signal: 9, group: true }]);
  t.match(killed(false), [{ signal: 9, group: false }]);
});
