/**
 * What must hold of a system after every event, whatever came before. Everything the system keeps
 * as an index is computed again here from the services alone, the slow and obvious way.
 */
import { edgesOf } from '../../../src/core/edges.ts';
import { deadlineOf, errandPids } from '../../../src/core/errands.ts';
import { holders } from '../../../src/core/gates.ts';
import { isActive, isMet, pidOf, type Role, type Service } from '../../../src/core/phase.ts';
import {
  isSkipped,
  type Outcome,
  type System,
  type Unit,
  wakeAt,
} from '../../../src/core/system.ts';
import type { Pid } from '../../../src/core/units.ts';
import { lazyNames, wantedNames } from '../../../src/core/wants.ts';
import type { Order, Process } from './kernel.ts';

/** The part of the world that a system must have the right idea of. */
export type Reality = {
  readonly processes: ReadonlyMap<Pid, Process>;
  /** Spawns that were ordered and not yet tried. */
  readonly ordered: readonly Order[];
  /** Names whose spawn was ordered from an image before, of which this one has not heard yet. */
  readonly open: ReadonlySet<string>;
};

/** @throws {Error} that says what does not hold. */
export function audit(system: System, reality: Reality): void {
  auditBelief(system, reality);
  auditIndexes(system);
  auditRest(system);
  auditClock(system);
}

/** Looks at what one event led to, before it has been done. */
export function auditOutcome(
  system: System,
  outcome: Outcome,
  reality: Reality & { readonly wasHalting: boolean },
): void {
  for (const effect of outcome.effects) {
    if (effect.do !== 'spawn' || effect.role !== 'start') continue;
    const unmet = edgesOf(system.graph.needs, effect.name).filter((need) => !met(system, need));
    insist(unmet.length === 0, () => `${effect.name} starts without ${unmet.join(', ')}`);
    insist(!reality.wasHalting, () => `${effect.name} starts while going down`);
  }
  for (const { name, from, service } of outcome.changes) {
    const { phase, want } = service;
    const stops = phase.at === 'stopping' && phase.why === 'asked' && from.at !== 'stopping';
    if (stops || (phase.at === 'undoing' && from.at === 'done' && want === 'down')) {
      const holding = edgesOf(system.graph.neededBy, name).filter(
        (other) =>
          !isSkipped(system, other) &&
          [...reality.processes.values()].some(
            ({ name, role }) => name === other && role !== 'control' && role !== 'reload',
          ),
      );
      insist(holding.length === 0, () => `${name} is released under ${holding.join(', ')}`);
    }
  }
}

/** What the system thinks is running is what runs, in the role it thinks. */
function auditBelief(system: System, { processes, ordered, open }: Reality): void {
  const expected = new Map<string, Role>();
  let running = 0;
  let errands = 0;
  for (const [name, { service, spec }] of system.units) {
    const { at } = service.phase;
    const role = roleOf(at);
    for (const errand of errandPids(service)) {
      errands += 1;
      const process = processes.get(errand);
      const isIts = process?.name === name && ['control', 'reload'].includes(process.role);
      insist(isIts, () => `${name} has no errand ${errand}`);
      insist(system.errands.get(errand) === name, () => `errand ${errand} of ${name} is not known`);
    }
    const pid = pidOf(service.phase);
    if (pid !== null) {
      running += 1;
      const process = processes.get(pid);
      insist(process?.name === name && process.role === role, () => `${name} has no pid ${pid}`);
      insist(system.pids.get(pid) === name, () => `${pid} of ${name} is not known`);
      const silent = at === 'up' && spec.ready.by === 'fd' && process?.saidReady === false;
      insist(!silent, () => `${name} is up and never said so`);
    } else if (role !== null && !waits(service) && !open.has(name)) {
      expected.set(name, role);
    }
  }
  // Each has one process that is its own, so as many as there are means no second one of any.
  const strange = processes.size - running - errands;
  insist(strange === 0, () => `${strange} run that nobody knows of`);
  insist(system.errands.size === errands, () => 'errands are known that are nobody');
  insist(system.pids.size === running, () => 'pids are known that are nobody');
  const orders = ordered.filter(({ role }) => role !== 'control' && role !== 'reload');
  insist(orders.length === expected.size, () => `${expected.size} wait for a spawn`);
  for (const { name, role } of orders) {
    insist(expected.get(name) === role, () => `${name} was ordered as ${role} and does not know`);
  }
}

/** It is ordered once there is a resource again, or when what is asked first has ended. */
const waits = ({ phase, errands }: Service): boolean =>
  ('retryAt' in phase && phase.retryAt !== null) ||
  (phase.at === 'spawning' && errands?.some(({ next }) => next.do === 'start') === true);

/** The role of the process that belongs to a phase; null: there is none. */
export function roleOf(at: string): Role | null {
  if (at === 'finishing') return 'finish';
  if (at === 'undoing') return 'down';
  return ['spawning', 'starting', 'up', 'stopping'].includes(at) ? 'start' : null;
}

/** Sets that are kept up to date step by step hold what they would hold if made anew. */
function auditIndexes(system: System): void {
  const { units, active, starting, wanted, writers } = system;
  for (const [name, { service, spec }] of units) {
    const at = service.phase.at;
    insist(wanted.has(name) === (service.want === 'up'), () => `${name}: want is not in wanted`);
    insist(starting.has(name) === isStarting(at), () => `${name}: ${at} and starting differ`);
    const running = !spec.early && isActive(service, spec);
    insist(active.has(name) === running, () => `${name}: ${at} and active differ`);
    const known = system.definitions.get(name);
    insist(
      isActive(service, spec) || service.want === 'up' || (known && known.type !== 'bundle'),
      () => `${name} is at rest, defined nowhere, and still there`,
    );
  }
  const written = [...units].filter(([, { spec }]) => spec.output !== undefined);
  const known = [...writers.values()].reduce((sum, { size }) => sum + size, 0);
  insist(known === written.length, () => 'who prints for whom is not as it was');
  for (const [name, { spec }] of written) {
    insist(writers.get(spec.output ?? '')?.has(name), () => `${name} is no writer`);
  }
  for (const [name, intent] of system.intents) {
    insist(intent === 'up' || !wanted.has(name), () => `${name} is wanted although it was stopped`);
  }
  for (const name of [...active, ...starting, ...wanted]) {
    insist(units.has(name), () => `${name} is remembered and does not exist`);
  }
  if (system.halt === null) auditWants(system);
}

/** What follows from all that was ever asked is what came of each request on its own. */
function auditWants(system: System): void {
  const [whole, lazy] = [wantedNames(system), lazyNames(system)];
  for (const name of system.definitions.keys()) {
    insist(whole.has(name) === system.wanted.has(name), () => `${name}: wants differ`);
    insist(lazy.has(name) === system.lazy.has(name), () => `${name}: lazy and what is differ`);
  }
}

const isStarting = (at: string): boolean => at === 'spawning' || at === 'starting';

/** Nothing that could move is left standing: who may start has started, who may stop stops. */
function auditRest(system: System): void {
  const { units, options, halt } = system;
  const places = options.parallel - [...units.values()].filter(isStartingUnit).length;
  const othersRun = [...units].some(
    ([name, unit]) => !unit.spec.early && active(unit) && !isSkipped(system, name),
  );
  for (const [name, unit] of units) {
    const { service, spec } = unit;
    const { phase, want } = service;
    if (want === 'up' && phase.at === 'down') {
      const open =
        halt === null && !options.safe && (spec.early || system.earlySettled) && places > 0;
      insist(!open || holders(system, name).length > 0, () => `${name} could start and does not`);
    }
    const idle = ['backoff', 'failed'].includes(phase.at) || (phase.at === 'done' && !active(unit));
    insist(want === 'up' || !idle, () => `${name} is ${phase.at} although nobody wants it`);
    if (want === 'up' || !['starting', 'up', 'done'].includes(phase.at)) continue;
    if (!isActive(service, spec)) continue;
    const held = edgesOf(system.graph.dependants, name).some((other) => {
      const unit = units.get(other);
      if (isSkipped(system, other)) return false;
      return unit !== undefined && unit.service.want === 'down' && active(unit);
    });
    const waits = held || (spec.early && halt !== null && othersRun);
    insist(waits, () => `${name} could stop and does not`);
  }
}

const isStartingUnit = ({ service }: Unit): boolean => isStarting(service.phase.at);
const active = ({ service, spec }: Unit): boolean => isActive(service, spec);

function met(system: System, name: string): boolean {
  const unit = system.units.get(name);
  return unit !== undefined && isMet(unit.service, unit.spec);
}

/** The one timer is set for the earliest of everything that has a deadline. */
function auditClock(system: System): void {
  const { halt, jobs, schedule, units } = system;
  insist(halt === null || schedule === null, () => 'it goes down and is scheduled to');
  const dues = [
    ...[...units.values()].map(({ service }) => deadlineOf(service)),
    ...[...jobs.values()].map(({ by }) => by),
    halt === null || halt.released ? null : halt.by,
    schedule === null ? null : schedule.tellAt,
  ].filter((due) => due !== null);
  const earliest = dues.length === 0 ? null : Math.min(...dues);
  insist(wakeAt(system) === earliest, () => `wakes at ${wakeAt(system)}, not ${earliest}`);
}

function insist(holds: unknown, what: () => string): void {
  if (holds !== true) throw new Error(what());
}
