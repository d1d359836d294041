/**
 * Gates: what keeps a service from starting, or from stopping, by what the others are. Nothing is
 * moved here but places and the memory of where to look first.
 */
import { isAwaited } from './draining.ts';
import { edgesOf } from './edges.ts';
import { isActive, isMet } from './phase.ts';
import type { Spec } from './spec.ts';
import { isSkipped, othersRun, type System } from './system.ts';

/** All that it needs is ready, whom it comes after has settled, and there is a place for it. */
export function mayStart(system: System, name: string, spec: Spec): boolean {
  if (system.halt !== null || system.options.safe) return false;
  if (!spec.early && !system.earlySettled) return false;
  if (isHeld(system, name)) return false;
  if (system.starting.size >= system.options.parallel) {
    system.throttled.add(name);
    return false;
  }
  system.throttled.delete(name);
  return true;
}

/** Whether `holders` would name anyone. */
function isHeld(system: System, name: string): boolean {
  const { graph, wanted } = system;
  if (some(system, name, edgesOf(graph.needs, name), (need) => !met(system, need))) return true;
  const isAwaited = (other: string): boolean => wanted.has(other) && !settled(system, other);
  return some(system, name, edgesOf(graph.order, name), isAwaited);
}

/**
 * Whether `holds` is true of one of `names`, which are edges of `of`: begins with the one that held
 * it last, so that of many each is passed once, and not again whenever another moves.
 */
function some(
  { holding }: System,
  of: string,
  names: readonly string[],
  holds: (name: string) => boolean,
): boolean {
  if (names.length <= FEW) return names.some(holds);
  const from = holding.get(of) ?? 0;
  for (let step = 0; step < names.length; step += 1) {
    const index = (from + step) % names.length;
    if (!holds(names[index] ?? '')) continue;
    holding.set(of, index);
    return true;
  }
  holding.delete(of);
  return false;
}

/** So many edges are looked at as they come. */
const FEW = 2;

/** Everything that needs it, or comes after it, is at rest; early services wait for all others. */
export function mayStop(system: System, name: string, spec: Spec): boolean {
  if (spec.early && system.halt !== null && othersRun(system)) return false;
  if (isAwaited(system, name, spec)) return false;
  return !some(system, name, edgesOf(system.graph.dependants, name), (other) => {
    const unit = system.units.get(other);
    if (unit === undefined || isSkipped(system, other)) return false;
    // One that is wanted up merely follows in order: it does not hold what it does not need.
    return unit.service.want === 'down' && isActive(unit.service, unit.spec);
  });
}

/** It is ready. */
export function met(system: System, name: string): boolean {
  const unit = system.units.get(name);
  return unit !== undefined && isMet(unit.service, unit.spec);
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

/** It has had its chance: ready, at its end, failed once, or held by a need that has failed. */
export function settled(system: System, name: string): boolean {
  const at = system.units.get(name)?.service.phase.at;
  if (at === 'down') return failedNeed(system, name) !== null;
  return at === 'up' || at === 'done' || at === 'failed' || at === 'backoff';
}
