/**
 * One turn of the system: an event is applied to the services it concerns, and the consequences
 * are followed through the graph until nothing moves any more. Work is in proportion to what
 * changes, never to how many services there are.
 */
import { mayDrain } from './draining.ts';
import { edgesOf } from './edges.ts';
import { trackProcesses, untrack } from './errand-track.ts';
import { act, type ErrandEvent } from './errands.ts';
import { mayStart, mayStop, met, settled } from './gates.ts';
import { type Event, isActive, newService, pidOf } from './phase.ts';
import type { Spec } from './spec.ts';
import {
  type Change,
  othersRun,
  putUnit,
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
    if (turn.queue.size === 0) fillPlaces(turn);
  }
}

/** Who waits for a place among the starting gets one, as long as there is one. */
function fillPlaces({ system, queue }: Turn): void {
  const { starting, throttled, options } = system;
  for (const name of throttled) {
    if (starting.size + queue.size >= options.parallel) return;
    // Who may not start any more for another reason is queued again when that is gone.
    throttled.delete(name);
    queue.add(name);
  }
}

/** The unit of `name`, made on first sight. */
export function unitOf(turn: Turn, name: string, spec: Spec): Unit {
  const known = turn.system.units.get(name);
  if (known !== undefined) return known;
  const unit = { service: newService(turn.now), spec };
  putUnit(turn.system, name, unit);
  return unit;
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
  else system.starting.delete(name);
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
        putUnit(system, name, { service, spec: current });
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

/** The boot waits for it no longer, nor, when it has failed, for what is held by it. */
function hadItsChance(turn: Turn, name: string): void {
  const { system, queue } = turn;
  waitNoMore(turn, name);
  if (met(system, name)) return;
  const held = new Set(edgesOf(system.graph.neededBy, name));
  for (const other of held) {
    if (system.units.get(other)?.service.phase.at !== 'down') continue;
    waitNoMore(turn, other);
    // What merely comes after it need not wait either.
    for (const next of edgesOf(system.graph.dependants, other)) queue.add(next);
    for (const next of edgesOf(system.graph.neededBy, other)) held.add(next);
  }
}

/** The boot does not wait for it, which its record says. */
export function waitNoMore({ system, touched }: Turn, name: string): void {
  if (system.booting.delete(name)) touched.add(name);
}

/** Whether there is a definition to run; a bundle of that name is none. */
function isDefined(system: System, name: string): boolean {
  const spec = system.definitions.get(name);
  return spec !== undefined && spec.type !== 'bundle';
}

/** It is at rest and nowhere on disk: gone, which whoever reads `changes` has to know. */
function forget(turn: Turn, name: string, { service, spec }: Unit): void {
  const { system } = turn;
  if (!turn.touched.has(name) || !turn.changes.some((change) => change.name === name)) {
    turn.changes.push({ name, spec, from: service.phase, service });
  }
  turn.touched.add(name);
  untrack(system, service);
  putUnit(system, name, undefined);
  system.intents.delete(name);
  system.throttled.delete(name);
  system.holding.delete(name);
}

function queueAll(turn: Turn, names: Iterable<string>): void {
  for (const name of names) turn.queue.add(name);
}
