/**
 * The work of an event is in proportion to what it changes, never to how many services there are.
 * Counted are looks into what the system keeps, not time: they are the same on every machine.
 */
import t from 'tap';
import { turnRecord } from '../../src/core/ledger.ts';
import { checkParams, type MethodName } from '../../src/core/methods.ts';
import { SIGTERM } from '../../src/core/signals.ts';
import type { Spec } from '../../src/core/spec.ts';
import { step } from '../../src/core/step.ts';
import {
  newSystem,
  type System,
  type SystemEvent,
  type SystemOptions,
  wakeAt,
} from '../../src/core/system.ts';
import { ms, type Pid, pid as toPid } from '../../src/core/units.ts';
import { exitOf, optionsOf, telling } from './support/builder.ts';
import { type Count, CountingMap, CountingSet } from './support/counting.ts';

const [FEW, MANY] = [100, 3000];

type Shape = {
  /** What concerns all in this shape, by their edges. */
  readonly except?: readonly string[];
  readonly given: (index: number, count: number) => Partial<Spec>;
  readonly options?: Partial<SystemOptions>;
};

/** How services may hang together: everything may be asked of `n1`, which has one neighbour. */
const SHAPES: Readonly<Record<string, Shape>> = {
  'on their own': { given: () => ({}) },
  'that all need one': { given: (index) => (index === 0 ? {} : { needs: ['n0'] }) },
  'that all start one': { given: (index) => (index === 0 ? {} : { wants: ['n0'] }) },
  'of which one needs all': {
    except: ['one is stopped', 'it is started'],
    given: (index, count) => (index === count - 1 ? { needs: namesUpTo(count - 1) } : {}),
  },
  'of which ten may start at once': { given: () => ({}), options: { parallel: 10 } },
  'that print for each other in pairs': {
    given: (index) =>
      index % 2 === 0
        ? { input: `n${index}` }
        : { output: `n${index - 1}`, needs: [`n${index - 1}`] },
  },
};

const namesUpTo = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);

class Machine {
  readonly system: System;
  readonly #count: Count = { looks: 0 };
  readonly #pids = new Map<string, Pid>();
  #spawns: string[] = [];
  #terms: Pid[] = [];
  #lastPid = 100;
  #lastId = 0;
  #now = 1;

  constructor(count: number, { given, options = {} }: Shape) {
    const specs = namesUpTo(count).map((name, index) =>
      telling(name, { initially: 'up', ...given(index, count) }),
    );
    this.system = counted(newSystem(optionsOf(options), ms(0)), this.#count);
    const nothing = { problems: [], notices: [], prune: false, asker: null };
    this.#post({ type: 'scanned', specs, ...nothing });
    const { system } = this;
    const graph = Object.entries(system.graph).map(([key, edges]) => [
      key,
      new CountingMap(edges, this.#count),
    ]);
    system.graph = Object.fromEntries(graph) as System['graph'];
    system.definitions = new CountingMap(system.definitions, this.#count);
    system.meant = new CountingSet(system.meant, this.#count);
    system.wanted = new CountingSet(system.wanted, this.#count);
  }

  /** Looks of `act`, for each of so many. */
  looksOf(act: () => void, each = 1): number {
    this.#count.looks = 0;
    act();
    return this.#count.looks / each;
  }

  /** All that was ordered runs and says that it is ready, and what follows from that too. */
  up(): void {
    while (this.#spawns.length > 0) {
      const names = this.#spawns.splice(0);
      for (const name of names) {
        this.#lastPid += 1;
        this.#pids.set(name, toPid(this.#lastPid));
        this.#post({ type: 'spawned', name, pid: toPid(this.#lastPid) });
      }
      for (const name of names) this.#post({ type: 'ready', pid: this.#pid(name) });
    }
  }

  /** All that was told to end does. */
  down(): void {
    for (let pid = this.#terms.shift(); pid !== undefined; pid = this.#terms.shift()) {
      this.#post({ type: 'exited', pid, exit: exitOf('TERM') });
    }
  }

  die(name: string): void {
    this.#post({ type: 'exited', pid: this.#pid(name), exit: exitOf(1) });
  }

  ask(method: MethodName, params: unknown): void {
    const checked = checkParams(method, params);
    if (!checked.ok) throw new Error(checked.reason);
    this.#lastId += 1;
    const asker = { client: 1, id: this.#lastId, uid: 0 };
    this.#post({ type: 'request', asker, request: checked.request });
  }

  pass(): void {
    this.#now += 20_000;
    this.#post({ type: 'tick' });
  }

  #pid(name: string): Pid {
    return this.#pids.get(name) ?? toPid(1);
  }

  #post(event: SystemEvent): void {
    const { effects, touched, jobs } = step(this.system, event, ms(this.#now));
    wakeAt(this.system);
    turnRecord(this.system, touched, jobs);
    for (const effect of effects) {
      if (effect.do === 'spawn') this.#spawns.push(effect.name);
      // Who reads comes to the end of it.
      if (effect.do === 'pipe' && !effect.hold) this.#terms.push(this.#pid(effect.name));
      if (effect.do === 'signal' && effect.signal === SIGTERM) this.#terms.push(effect.pid);
    }
  }
}

function counted(system: System, count: Count): System {
  const fields = Object.entries(system).map(([key, value]): [string, unknown] => {
    if (value instanceof Map) return [key, new CountingMap<unknown, unknown>(value, count)];
    return [key, value instanceof Set ? new CountingSet(value, count) : value];
  });
  return Object.fromEntries(fields) as System;
}

/** Looks by what happens; of what happens to all of them, for each. */
function looks(count: number, shape: Shape): Record<string, number> {
  const machine = new Machine(count, shape);
  const found: Record<string, number> = {};
  const measure = (what: string, act: () => void, each = 1): void => {
    found[what] = machine.looksOf(act, each);
  };
  const all = { names: ['n*'] };
  measure('all come up', () => machine.up(), count);
  machine.pass();
  measure('nothing', () => machine.pass());
  measure('one dies', () => machine.die('n1'));
  measure('it comes up again', () => machine.up());
  machine.pass();
  measure('one is looked at', () => machine.ask('status', { names: ['n1'] }));
  measure('one is restarted', () => machine.ask('restart', { names: ['n1'] }));
  machine.down();
  machine.up();
  measure('one is stopped', () => machine.ask('stop', { names: ['n1'], cascade: true }));
  machine.down();
  measure('it is started', () => machine.ask('start', { names: ['n1'] }));
  machine.up();
  measure('all are told to stop', () => machine.ask('stop', all), count);
  measure('all end', () => machine.down(), count);
  measure('all are told to start', () => machine.ask('start', all), count);
  measure('all come up again', () => machine.up(), count);
  return found;
}

for (const [name, shape] of Object.entries(SHAPES)) {
  t.test(`services ${name}: an event costs the same among ${FEW} and ${MANY}`, async (t) => {
    const [few, many] = [looks(FEW, shape), looks(MANY, shape)];
    for (const [what, count] of Object.entries(many)) {
      if (shape.except?.includes(what)) continue;
      const before = few[what] ?? 0;
      t.ok(count <= before * 1.3 + 5, `${what}: ${before.toFixed(1)}, and ${count.toFixed(1)}`);
    }
  });
}
