/**
 * One service and its processes, lived at random: everything that can happen to it happens, and
 * what the reducer believes is compared with what is.
 */
import type { Event, Phase, Role, Service } from '../../../src/core/phase.ts';
import { newService } from '../../../src/core/phase.ts';
import type { step as realStep } from '../../../src/core/service.ts';
import type { Spec } from '../../../src/core/spec.ts';
import { later, ms, type Pid, pid as toPid } from '../../../src/core/units.ts';
import { exitOf } from './builder.ts';
import type { Random } from './random.ts';

export class Life {
  readonly visited: Set<Phase['at']> = new Set();
  readonly #step: typeof realStep;
  readonly #spec: Spec;
  readonly #random: Random;
  #service: Service;
  #now = ms(0);
  /** The one process there may be, and the one spawn that may be under way. */
  #alive: Pid | null = null;
  #ordered: Role | null = null;
  #lastPid = 1;

  constructor(step: typeof realStep, spec: Spec, random: Random) {
    this.#step = step;
    this.#spec = spec;
    this.#random = random;
    this.#service = newService(this.#now);
  }

  /** Anything that may happen now, wished or not. */
  anything(): void {
    const random = this.#random;
    this.#now = later(this.#now, ms(random.next() * 3000));
    const wishes: Event[] = [
      { type: 'want', want: random.pick(['up', 'up', 'down']), cause: '' },
      { type: 'admit' },
      { type: 'release' },
      { type: 'restart', cause: '' },
      { type: 'retry', cause: '' },
      { type: 'deadline' },
    ];
    const facts = this.#facts();
    const [good] = facts;
    if (good === undefined || random.chance(0.6)) this.#happen(random.pick(wishes));
    else this.#happen(random.chance(0.5) ? good : random.pick(facts));
  }

  /** Asked to be `want` and left alone by faults, it must get there. */
  settle(want: 'up' | 'down'): void {
    for (let left = 40; left > 0; left -= 1) {
      // What is under way ends in time; only what waits for its time has to be waited for.
      if (this.#facts().length === 0) this.#now = later(this.#now, ms(60_000));
      this.#happen({ type: 'want', want, cause: '' });
      this.#happen({ type: want === 'up' ? 'retry' : 'release', cause: '' });
      if (want === 'up') this.#happen({ type: 'admit' });
      this.#happen({ type: 'deadline' });
      const [fact] = this.#facts();
      if (fact !== undefined && !this.#isUp()) this.#happen(fact);
    }
    const { at } = this.#service.phase;
    const there = want === 'up' ? this.#isUp() : at === 'down' && this.#alive === null;
    if (!there) throw new Error(`asked ${want}, it is in ${at}`);
  }

  #isUp(): boolean {
    const { at } = this.#service.phase;
    return at === 'up' || (at === 'done' && this.#spec.type === 'oneshot');
  }

  /** What the world can truthfully report now; the first of them is what goes well. */
  #facts(): Event[] {
    if (this.#ordered !== null) {
      const refused = { type: 'spawnFailed', reason: 'cannot' } as const;
      return [
        { type: 'spawned', pid: toPid(this.#lastPid + 1) },
        { ...refused, transient: true },
        { ...refused, transient: false },
      ];
    }
    if (this.#alive === null) return [];
    const ready: Event[] = this.#service.phase.at === 'starting' ? [{ type: 'ready' }] : [];
    const exits = [0, 1, 125, 'KILL'].map((how): Event => ({ type: 'exited', exit: exitOf(how) }));
    return this.#spec.type === 'longrun' ? [...ready, ...exits] : [...exits, ...ready];
  }

  #happen(event: Event): void {
    if (event.type === 'spawned') {
      this.#lastPid = event.pid;
      this.#alive = event.pid;
    }
    if (event.type === 'spawned' || event.type === 'spawnFailed') this.#ordered = null;
    if (event.type === 'exited') this.#alive = null;
    const [service, effects] = this.#step(this.#service, event, this.#spec, this.#now);
    this.#service = service;
    this.visited.add(service.phase.at);
    const what = `${event.type} makes it ${service.phase.at}`;
    for (const effect of effects) {
      if (effect.do === 'pipe') continue;
      if (effect.do === 'signal') {
        if (effect.pid !== this.#alive) throw new Error(`${what}: a signal to ${effect.pid}`);
        continue;
      }
      if (this.#alive !== null || this.#ordered !== null) throw new Error(`${what}: a second one`);
      this.#ordered = effect.role;
    }
    const believed = 'pid' in service.phase ? service.phase.pid : null;
    if (believed !== this.#alive) throw new Error(`${what}: ${believed}, not ${this.#alive}`);
  }
}
