/**
 * A model world around the real core: a clock that is a number, a kernel that is a table, a scan
 * path that is a list, and faults drawn from a seed. The same seed gives the same life.
 *
 * `chaos` lets anything happen; `calm` lets nothing go wrong any more and insists that everything
 * wanted comes up; `goDown` insists that a halt ends. What does not hold is an error that has the
 * seed and the last events in it.
 */
import { isMet } from '../../../src/core/phase.ts';
import { step } from '../../../src/core/step.ts';
import type { System } from '../../../src/core/system.ts';
import { HALT_WITHIN, Machine, type Watch } from './machine.ts';
import { randomSpans, type SpanRandom } from './random.ts';

export type WorldOptions = {
  readonly seed: number;
  /** Called after each event and its audit, for what one test wants to know besides. */
  readonly watch?: Watch;
  /** Definitions that are left out, to make a failure smaller. */
  readonly omit?: ReadonlySet<string>;
  /** The core; another one to see whether a mistake in it would be found. */
  readonly step?: typeof step;
};

/** Milliseconds of virtual time after which all that is wanted must be up, once faults stop. */
const UP_WITHIN = 600_000;
const ENDS = ['poweroff', 'reboot', 'halt', 'kexec', 'switchRoot'] as const;
/** Stretches of chance of their own. */
const CALM = -1;
const DOWN = -2;

export class World {
  readonly #seed: number;
  readonly #random: SpanRandom;
  readonly #machine: Machine;

  constructor({ seed, watch = () => {}, omit = new Set(), step: core = step }: WorldOptions) {
    this.#seed = seed;
    this.#random = randomSpans(seed);
    this.#machine = new Machine({ random: this.#random, watch, omit, step: core });
  }

  get system(): System {
    return this.#machine.system;
  }

  /** Whether the services are down and the rest is the supervisor's. */
  get halted(): boolean {
    return this.#machine.halted;
  }

  /** The last events and what each led to, in words. */
  get story(): string {
    return this.#machine.trace.toString();
  }

  /**
   * Lets things happen, of any kind; fewer when the machine goes down meanwhile. What happens in one
   * stretch does not depend on which others there are, so that any can be left out.
   */
  chaos(events: number | readonly number[]): void {
    this.#traced(() => {
      const stretches = typeof events === 'number' ? Array(events).keys() : events;
      for (const stretch of stretches) {
        if (this.halted) return;
        this.#random.begin(stretch);
        this.#anything();
      }
    });
  }

  /** Stops all faults and waits until what is wanted is up; what was given up is asked for again. */
  calm(): void {
    this.#traced(() => {
      const machine = this.#machine;
      this.#random.begin(CALM);
      machine.kernel.heal(machine.now);
      // A person would see safe mode and leave it.
      if (machine.options.safe && !this.halted) machine.reexec();
      for (const until = machine.now + UP_WITHIN; machine.now < until && !this.halted; ) {
        machine.runFor(UP_WITHIN / 10);
        const names = this.#unmet();
        if (!machine.booted && this.system.halt === null) throw new Error('the boot never settles');
        if (names.length === 0) return;
        if (this.system.halt === null) machine.request('start', { names, wait: false });
      }
      const names = this.halted ? [] : this.#unmet();
      if (names.length > 0) throw new Error(`${names.join(', ')} wanted and never up`);
    });
  }

  /** Asks for a halt, and waits until the services are down or its time is up. */
  goDown(): void {
    this.#traced(() => {
      const machine = this.#machine;
      this.#random.begin(DOWN);
      machine.settle();
      if (this.system.halt === null && !this.halted) {
        machine.post({ type: 'halt', kind: machine.options.stopKind, cause: 'the test' });
      }
      machine.runFor(HALT_WITHIN + 1000);
      if (!this.halted) throw new Error('going down has no end');
      machine.reapRest();
    });
  }

  #anything(): void {
    const random = this.#random;
    const machine = this.#machine;
    machine.now += random.next();
    if (machine.hasOrders && random.chance(0.7)) return machine.spawnNext();
    if (machine.hasOrders && random.chance(0.02)) return machine.die('in the middle of a turn');
    machine.settle();
    if (machine.hasNews && random.chance(0.7)) return machine.deliver();
    const dice = random.next();
    if (dice < 0.57) return machine.advance(machine.now + random.next() * 5000);
    if (dice < 0.83) return machine.post({ type: 'request', ...machine.clients.ask() });
    if (dice < 0.88) return machine.edit();
    if (dice < 0.91) return machine.post({ type: 'hangup', client: machine.clients.hangup() });
    if (dice < 0.94) return machine.strange();
    if (dice < 0.955) return machine.reexec();
    if (dice < 0.97) return machine.die('between two turns');
    if (dice < 0.974) return machine.lose();
    if (dice < 0.98) return machine.pause(random.next() * 60_000);
    if (dice < 0.982) return machine.request(random.pick(ENDS), {});
    return machine.post({ type: 'tick' });
  }

  #unmet(): string[] {
    return [...this.system.units].flatMap(([name, { service, spec }]) =>
      service.want === 'up' && !isMet(service, spec) ? [name] : [],
    );
  }

  /** Says of any failure how to have it again, and what led to it. */
  #traced(act: () => void): void {
    try {
      act();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      const where = error instanceof TypeError ? `\n${error.stack}` : '';
      throw new Error(`seed ${this.#seed}: ${reason}${where}\n${this.#machine.trace}`);
    }
  }
}
