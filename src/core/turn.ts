/**
 * One turn of the system: an event is applied to the services it concerns, and the consequences
 * are followed through the graph until nothing moves any more. Work is in proportion to what
 * changes, never to how many services there are.
 */
import { isAwaited, mayDrain } from './draining.ts';
import { edgesOf } from './edges.ts';
import { trackProcesses, untrack } from './errand-track.ts';
import { act, type ErrandEvent } from './errands.ts';
import { type Event, isActive, isMet, newService, pidOf } from './phase.ts';
import type { Spec } from './spec.ts';
import {
  type Change,
  isSkipped,
  othersRun,
  type System,
  type SystemEffect,
  type Unit,
} from './system.ts';
import type { Millis } from './units.ts';

/** What is being worked on: the queue holds names whose gates must be looked at again. */
export type Turn = {
  readonly system: System;
  readonly now: Millis;
  readonly effects: SystemEffect[];
  readonly changes: Change[];
  readonly queue: Set<string>;
  /** Whose record is not what it was before the turn: what a ledger has to note. */
  readonly touched: Set<string>;
  /** Numbers of jobs that were added, or are over: the same. */
  readonly jobs: Set<number>;
  /** The boot, the halt or what the main service left is not as it was. */
  whole: boolean;
};

export const newTurn = (system: System, now: Millis): Turn => ({
  system,
  now,
  effects: [],
  changes: [],
  queue: new Set(),
  touched: new Set(),
  jobs: new Set(),
  whole: false,
});

/** Lets `event` act on one service, and queues everyone whose gate it may open. */
export function apply(turn: Turn, name: string, event: Event | ErrandEvent): void {
  const { system, now } = turn;
  const unit = system.units.get(name);
  if (unit === undefined) return;
  const [service, effects] = act(unit.service, event, unit.spec, now);
  // A signal that somebody sends changes nothing of what is known.
  if (service === unit.service && effects.length === 0) return;
  const next: Unit = { service, spec: unit.spec };
  system.units.set(name, next);
  turn.touched.add(name);
  for (const effect of effects) {
    if (effect.do === 'signal') turn.effects.push(effect);
    else if (effect.do === 'pipe') turn.effects.push({ ...effect, name });
    else {
      const { spec } = unit;
      const exitPid = pidOf(unit.service.phase);
      turn.effects.push({ ...effect, name, spec, exit: service.exit, exitPid });
    }
  }
  trackProcesses(turn, name, unit, next);
  // Whoever reads `changes` cares for phases; a wish alone moves nothing yet.
  if (service.phase !== unit.service.phase) moved(turn, name, unit, next);
  turn.queue.add(name);
  // A wish alone may open the gate of others: who is not wanted holds nobody who comes after.
  queueAll(turn, edgesOf(system.graph.dependants, name));
  queueAll(turn, edgesOf(system.graph.needs, name));
  queueAll(turn, edgesOf(system.graph.order, name));
  // Who reads what it prints may have no edge any more.
  if (unit.spec.output !== undefined) turn.queue.add(unit.spec.output);
}

/** Follows the queue until it is empty: admits what may start, releases what may stop. */
export function settle(turn: Turn): void {
  for (const name of turn.queue) {
    turn.queue.delete(name);
    settleOne(turn, name);
  }
}

/** The unit of `name`, made on first sight. */
export function unitOf(turn: Turn, name: string, spec: Spec): Unit {
  const known = turn.system.units.get(name);
  if (known !== undefined) return known;
  const unit = { service: newService(turn.now), spec };
  turn.system.units.set(name, unit);
  return unit;
}

/** Needs and predecessors that keep `name` from starting now. */
export function holders(system: System, name: string): string[] {
  const unmet = edgesOf(system.graph.needs, name).filter((need) => !met(system, need));
  const unsettled = edgesOf(system.graph.order, name).filter(
    (other) => system.wanted.has(other) && !settled(system, other),
  );
  return [...unmet, ...unsettled.filter((other) => !unmet.includes(other))];
}

/** The need, near or far, whose failure keeps `name` from starting; null when none does. */
export function failedNeed(system: System, name: string): string | null {
  const unmet = new Set(edgesOf(system.graph.needs, name));
  for (const need of unmet) {
    const at = system.units.get(need)?.service.phase.at;
    if (at === undefined || met(system, need)) continue;
    if (at === 'failed' || at === 'backoff' || at === 'done') return need;
    // What runs may still become ready; what is down waits in its turn.
    if (at === 'down') for (const further of edgesOf(system.graph.needs, need)) unmet.add(further);
  }
  return null;
}

function moved(turn: Turn, name: string, from: Unit, to: Unit): void {
  const { system } = turn;
  const { service, spec } = to;
  const { phase } = service;
  turn.changes.push({ name, spec, from: from.service.phase, service });
  const active = isActive(service, spec);
  if (!spec.early) {
    if (active) system.active.add(name);
    else if (system.active.delete(name) && !othersRun(system)) queueAll(turn, system.early);
  }
  if (phase.at === 'spawning' || phase.at === 'starting') system.starting.add(name);
  else if (system.starting.delete(name)) queueAll(turn, system.throttled);
  if (settled(system, name)) hadItsChance(turn, name);
  if (name === system.options.main && service.exit !== null) system.mainExit = service.exit;
  if (!system.earlySettled) openIfEarlySettled(turn);
}

/**
 * Once the early services have all had their chance the others may begin. The gate stays open:
 * a logger or console that dies later holds nobody.
 */
export function openIfEarlySettled(turn: Turn): void {
  const { system } = turn;
  if (system.early.some((name) => system.wanted.has(name) && !settled(system, name))) return;
  system.earlySettled = true;
  queueAll(turn, system.wanted);
}

/** Whatever moved while nobody looked: everything is looked at once. */
export function lookAgain(turn: Turn): void {
  const { system } = turn;
  queueAll(turn, system.units.keys());
  for (const name of system.booting) if (settled(system, name)) hadItsChance(turn, name);
  if (!system.earlySettled) openIfEarlySettled(turn);
}

function settleOne(turn: Turn, name: string): void {
  const { system } = turn;
  const unit = system.units.get(name);
  if (unit === undefined) return;
  const { service, spec } = unit;
  if (service.want === 'up') {
    if (service.phase.at === 'down' && mayStart(system, name, spec)) {
      // What is started is what the disk says now; until here it ran as it was.
      const current = system.definitions.get(name);
      if (current !== undefined && current !== spec) {
        system.units.set(name, { service, spec: current });
        turn.touched.add(name);
      }
      apply(turn, name, { type: 'admit' });
    }
  } else if (isActive(service, spec) && mayStop(system, name, spec)) {
    apply(turn, name, { type: 'release', drains: mayDrain(system, name, spec) });
  } else if (!isActive(service, spec) && !isDefined(system, name)) {
    forget(turn, name, unit);
  }
}

function mayStart(system: System, name: string, spec: Spec): boolean {
  if (system.halt !== null || system.options.safe) return false;
  if (!spec.early && !system.earlySettled) return false;
  if (holders(system, name).length > 0) return false;
  if (system.starting.size >= system.options.parallel) {
    system.throttled.add(name);
    return false;
  }
  system.throttled.delete(name);
  return true;
}

/** Everything that needs it, or comes after it, is at rest; early services wait for all others. */
function mayStop(system: System, name: string, spec: Spec): boolean {
  if (spec.early && system.halt !== null && othersRun(system)) return false;
  if (isAwaited(system, name, spec)) return false;
  return edgesOf(system.graph.dependants, name).every((other) => {
    const unit = system.units.get(other);
    if (isSkipped(system, other)) return true;
    // One that is wanted up merely follows in order: it does not hold what it does not need.
    return unit === undefined || unit.service.want === 'up' || !isActive(unit.service, unit.spec);
  });
}

function met(system: System, name: string): boolean {
  const unit = system.units.get(name);
  return unit !== undefined && isMet(unit.service, unit.spec);
}

/** It has had its chance: ready, at its end, failed once, or held by a need that has failed. */
function settled(system: System, name: string): boolean {
  const at = system.units.get(name)?.service.phase.at;
  if (at === 'down') return failedNeed(system, name) !== null;
  return at === 'up' || at === 'done' || at === 'failed' || at === 'backoff';
}

/** The boot waits for it no longer, nor, when it has failed, for what is held by it. */
function hadItsChance(turn: Turn, name: string): void {
  const { system, queue } = turn;
  system.booting.delete(name);
  if (met(system, name)) return;
  const held = new Set(edgesOf(system.graph.neededBy, name));
  for (const other of held) {
    if (system.units.get(other)?.service.phase.at !== 'down') continue;
    system.booting.delete(other);
    // What merely comes after it need not wait either.
    for (const next of edgesOf(system.graph.dependants, other)) queue.add(next);
    for (const next of edgesOf(system.graph.neededBy, other)) held.add(next);
  }
}

/** Whether there is a definition to run; a bundle of that name is none. */
function isDefined(system: System, name: string): boolean {
  const spec = system.definitions.get(name);
  return spec !== undefined && spec.type !== 'bundle';
}

/** It is at rest and nowhere on disk: gone, which whoever reads `changes` has to know. */
function forget(turn: Turn, name: string, { service, spec }: Unit): void {
  const { system } = turn;
  if (!turn.changes.some((change) => change.name === name)) {
    turn.changes.push({ name, spec, from: service.phase, service });
  }
  turn.touched.add(name);
  untrack(system, service);
  system.units.delete(name);
  system.intents.delete(name);
  system.throttled.delete(name);
}

function queueAll(turn: Turn, names: Iterable<string>): void {
  for (const name of names) turn.queue.add(name);
}
