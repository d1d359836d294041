/**
 * The clients of a model world: they ask for anything at any time, hang up, and know which of
 * their requests has been answered.
 */
import { checkParams, GOALS, type MethodName, type Request } from '../../../src/core/methods.ts';
import type { Asker, System } from '../../../src/core/system.ts';
import { NAMES } from './definitions.ts';
import type { Random } from './random.ts';

const METHODS: readonly MethodName[] = [
  ...(['start', 'start', 'stop', 'stop', 'restart', 'wait', 'wait', 'scan'] as const),
  ...(['version', 'ls', 'status', 'reexec', 'reload', 'signal', 'probed'] as const),
  ...(['schedule', 'cancel', 'cancel', 'shutdown', 'skip', 'skip'] as const),
];
const TARGETS: readonly string[] = [...NAMES, 'default', 'group', 'nobody', '*', '?', 'nobody*'];
const CLIENTS = 4;

export class Clients {
  readonly #random: Random;
  #nextId = 1;
  /** Requests without an answer, by id; ids are never used twice. */
  /** Gone, and svinit does not know it yet. */
  readonly #unheard = new Set<number>();
  readonly #open = new Map<number, Asker>();
  #current: number[] = Array.from({ length: CLIENTS }, (_, index) => index);

  constructor(random: Random) {
    this.#random = random;
  }

  /** Someone asks for something. */
  ask(): { asker: Asker; request: Request } {
    const method = this.#random.pick(METHODS);
    return this.askFor(method, this.#params(method));
  }

  askFor(method: MethodName, params: unknown): { asker: Asker; request: Request } {
    const checked = checkParams(method, params);
    if (!checked.ok) throw new Error(`bad request of the test's own: ${checked.reason}`);
    const asker = { client: this.#random.pick(this.#current), id: this.#nextId, uid: 0 };
    this.#nextId += 1;
    this.#open.set(asker.id, asker);
    return { asker, request: checked.request };
  }

  /** An answer has come. To one who has hung up it may come, and nobody will see it. */
  answered({ client, id }: Asker): void {
    if (!this.#current.includes(client)) return;
    if (!this.#open.delete(Number(id))) throw new Error(`${id} of ${client} is answered again`);
  }

  /** Someone goes, and someone else comes. */
  hangup(): number {
    return this.#replace(this.#random.below(CLIENTS));
  }

  /** svinit has died with all connections. */
  allGone(): void {
    for (let index = 0; index < CLIENTS; index += 1) this.#replace(index);
  }

  /**
   * svinit has died. Some connections were in the middle of something and are closed; the others
   * are told which of their requests are known, and forget the rest.
   * @returns those that are gone.
   */
  partOfThemGo(system: System): number[] {
    const gone = this.#current.flatMap((client, index) =>
      this.#random.chance(0.3) ? [[client, index] as const] : [],
    );
    for (const [client, index] of gone) {
      this.#replace(index);
      this.#unheard.add(client);
    }
    const waiting = [...system.jobs.values()].map(({ asker }) => asker.client);
    const before = waiting.filter((client) => !this.#current.includes(client));
    for (const client of before) this.#unheard.add(client);
    const known = new Set([...system.jobs.values()].map(({ asker }) => Number(asker.id)));
    for (const id of this.#open.keys()) if (!known.has(id)) this.#open.delete(id);
    return [...new Set([...gone.map(([client]) => client), ...before])];
  }

  /** svinit knows by now that `client` is gone. */
  heard(client: number): void {
    this.#unheard.delete(client);
  }

  /** @throws {Error} when a request is neither answered nor being worked on, or is both. */
  check(system: System, underWay: readonly Asker[]): void {
    const held = [...[...system.jobs.values()].map(({ asker }) => asker), ...underWay].filter(
      ({ client }) => this.#current.includes(client),
    );
    for (const { id } of held) {
      if (!this.#open.has(Number(id))) throw new Error(`${id} is answered and still a job`);
    }
    if (held.length !== this.#open.size) {
      const known = new Set(held.map(({ id }) => id));
      const lost = [...this.#open.keys()].filter((id) => !known.has(id));
      throw new Error(`nobody will ever answer ${lost.join(', ')}`);
    }
    for (const { asker } of system.jobs.values()) {
      const { client } = asker;
      const isThere = this.#current.includes(client) || this.#unheard.has(client);
      if (!isThere) throw new Error(`${client} has hung up`);
    }
  }

  #replace(index: number): number {
    const client = this.#current[index] ?? 0;
    this.#current[index] = client + CLIENTS;
    for (const { client: of, id } of this.#open.values()) {
      if (of === client) this.#open.delete(Number(id));
    }
    return client;
  }

  #params(method: MethodName): unknown {
    const random = this.#random;
    const names = [random.pick(TARGETS), ...random.some(NAMES, 0.15)];
    const timeoutMs = random.chance(0.5) ? null : random.pick([0, 100, 3000]);
    const waiting = { names, timeoutMs, wait: random.chance(0.7) };
    switch (method) {
      case 'start':
      case 'restart':
      case 'reload':
        return waiting;
      case 'signal':
        return { names: [random.pick(NAMES)], signal: random.pick([1, 9, 18]) };
      case 'stop':
        return { ...waiting, cascade: random.chance(0.6), force: random.chance(0.3) };
      case 'wait':
        return { timeoutMs, conditions: names.map((name) => ({ name, goal: random.pick(GOALS) })) };
      case 'scan':
        return { prune: random.chance(0.3) };
      case 'schedule': {
        const kind = random.pick(['poweroff', 'reboot', 'halt']);
        // Mostly so late that somebody may think better of it.
        return { kind, inMs: random.pick([0, 30_000, 3_600_000, 3_600_000, 3_600_000]) };
      }
      case 'skip':
        return { names };
      case 'probed': {
        // Mostly of nobody, or of one that has no probe, as after a restart.
        const [kind, ok] = [random.pick(['ready', 'alive']), random.pick([true, false, null])];
        return { name: random.pick(NAMES), pid: 2 + random.below(60), kind, ok, detail: 'x' };
      }
      case 'ls':
      case 'status':
        return { names };
      default:
        return {};
    }
  }
}
