/**
 * One life from power on to power off, the same every time, and what became of it.
 */
import type { ServiceView } from '../../src/core/methods.ts';
import { World } from '../boot-unit/world.ts';
import { CALLS } from './calls.ts';
import { ask, type Reply } from './client.ts';
import { use } from './host.ts';
import { type Fault, Machine } from './machine.ts';
import { live, NODES, powerOn } from './story.ts';
import { behaviourOf, type Tree } from './tree.ts';

/** What counts of a life. */
export type Life = {
  readonly fault: Fault | null;
  /** Calls by name. */
  readonly counts: Machine['counts'];
  readonly isHit: boolean;
  readonly said: readonly string[];
  readonly uncaught: readonly unknown[];
  readonly doubled: readonly string[];
  readonly alarms: number;
  /** What was asked and got no answer. */
  readonly unanswered: readonly string[];
  /** State by service, of those whose state is not in the lap of the clock. */
  readonly states: Readonly<Record<string, string>>;
  /** Note and cause by service, at the end. */
  readonly notes: readonly string[];
  /** Descriptors by what they are, each with its number of them. */
  readonly descriptors: ReadonlyMap<string, number>;
  /** Whether a fatal signal would be survived, and a hang. */
  readonly isSafe: boolean;
  readonly ended: string;
};

/** asm-generic/signal.h */
const SIGSEGV = 11;
const EXIT_1 = 0x0100;
/** How often somebody asks who is refused. */
const TRIES = 4;

export async function lead(tree: Tree, fault: Fault | null): Promise<Life> {
  const machine = new Machine(fault, new World(NODES), behaviourOf, CALLS);
  tree.show('before');
  use(machine);
  try {
    return await new Script(machine, tree).play();
  } finally {
    use(null);
  }
}

class Script {
  readonly #machine: Machine;
  readonly #tree: Tree;
  readonly #disk: { readonly root: string; readonly uid: number };
  readonly #unanswered: string[] = [];
  readonly #pass = (ms: number): Promise<void> => live(this.#machine, this.#disk, ms);

  constructor(machine: Machine, tree: Tree) {
    this.#machine = machine;
    this.#tree = tree;
    this.#disk = { root: tree.root, uid: process.geteuid?.() ?? 0 };
  }

  async play(): Promise<Life> {
    const machine = this.#machine;
    powerOn(machine, this.#disk);
    await this.#pass(5000);
    await this.#ask('ls', { names: [] });

    this.#crash('app');
    await this.#pass(2000);
    this.#crash('db');
    await this.#pass(2000);

    this.#tree.show('after');
    await this.#ask('scan', { prune: true });
    await this.#pass(2000);
    await this.#ask('stop', { names: ['db'], wait: true, cascade: true });
    await this.#ask('start', { names: ['app'], wait: true, timeoutMs: 30_000 });
    await this.#ask('restart', { names: ['tidy'], wait: true, timeoutMs: 30_000 });
    await this.#ask('restart', { names: ['setup'], wait: true, timeoutMs: 30_000 });
    await this.#ask('restart', { names: ['stubborn'], wait: true, timeoutMs: 30_000 });

    machine.signal('SIGUSR1');
    await this.#pass(2000);
    machine.execRefusals.push('ENOEXEC');
    await this.#ask('reexec', {});
    await this.#pass(2000);
    await this.#ask('reexec', {});
    await this.#pass(3000);
    if (machine.revival !== null) machine.die(SIGSEGV);
    await this.#pass(45_000);

    return this.#end();
  }

  /** The fault lies behind: everything must work, and be as it was without it. */
  async #end(): Promise<Life> {
    const machine = this.#machine;
    await this.#ask('stop', { names: ['app'], wait: true, timeoutMs: 30_000 });
    await this.#ask('start', { names: ['app'], wait: true, timeoutMs: 60_000 });
    await this.#pass(1000);
    const reply = await this.#ask('ls', { names: [] });
    const { services = [] } = (reply?.result ?? {}) as { services?: ServiceView[] };
    const { fault, counts } = machine;
    const descriptors = this.#descriptors();
    const isSafe = machine.revival !== null && machine.alarmAt !== null;

    // What a service left behind.
    if (!machine.isOver()) {
      machine.processes.start({
        ...{ service: 'orphan', program: '/bin/orphan', output: '', notification: null },
      });
    }
    await this.#ask('poweroff', {});
    await this.#pass(120_000);
    const { isHit, said, uncaught, alarms, ended, exited, processes } = machine;
    return {
      fault,
      counts: new Map(counts),
      ...{ isHit, said, uncaught, alarms, descriptors, isSafe },
      doubled: processes.doubled,
      unanswered: this.#unanswered,
      states: Object.fromEntries(services.map((service) => [service.name, stateOf(service)])),
      notes: services.map(({ name, note, cause }) => `${name}: ${note}; ${cause}`),
      ended: ended ?? (exited === null ? 'still runs' : `exit ${exited}`),
    };
  }

  #crash(service: string): void {
    const child = this.#machine.processes.main(service);
    if (child !== null) this.#machine.processes.end(child, EXIT_1);
  }

  /** Asks, and again when it is refused: a person would. */
  async #ask(method: Parameters<typeof ask>[2], params: object): Promise<Reply | null> {
    let reply: Reply | null = null;
    for (let tries = 0; tries < TRIES && (tries === 0 || reply?.error !== undefined); tries += 1) {
      reply = await ask(this.#machine, this.#pass, method, params);
    }
    if (reply === null) this.#unanswered.push(`${method} ${JSON.stringify(params)}`);
    return reply;
  }

  #descriptors(): Map<string, number> {
    const counted = new Map<string, number>();
    for (const { file } of this.#machine.fds.values()) {
      counted.set(file.label, (counted.get(file.label) ?? 0) + 1);
    }
    return counted;
  }
}

/** One that always fails is somewhere between two tries. */
function stateOf({ name, state }: ServiceView): string {
  return name === 'crash' ? 'fails' : state;
}
