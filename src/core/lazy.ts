/**
 * Lazy services: svinit listens for them, and the first connection starts them. One that ends well
 * is started by the next connection; one that fails is started again as any other.
 */

import { updateWantsOf } from './scanned.ts';
import type { Spec } from './spec.ts';
import type { System, SystemEvent, Unit } from './system.ts';
import { apply, type Turn } from './turn.ts';

/** A connection to one of its sockets is what it waits for. */
export function isListening(system: System, name: string): boolean {
  const unit = system.units.get(name);
  if (unit === undefined || unit.spec.lazy !== true || system.options.safe) return false;
  if (system.halt !== null || !system.lazy.has(name)) return false;
  const { want, phase } = unit.service;
  return phase.at === 'done' || (phase.at === 'down' && want === 'down');
}

/**
 * Its sockets are open, or shall be: it runs, is about to, or a connection starts it. Who has been
 * given up, and who is told to be down, has none: whoever connects is told so at once.
 */
export function hasSockets(system: System, name: string, { service, spec }: Unit): boolean {
  if (spec.sockets === undefined) return false;
  return mayLeaveDescriptors({ service, spec }) || isListening(system, name);
}

/** What it has left is kept for its next run, which is sure to come. */
export function mayLeaveDescriptors({ service }: Pick<Unit, 'service' | 'spec'>): boolean {
  const { want, phase } = service;
  if (phase.at === 'failed' || phase.at === 'done') return false;
  return want === 'up' || (phase.at !== 'down' && phase.at !== 'backoff');
}

export function listeningNote({ sockets = [] }: Spec): string {
  const [first, ...more] = sockets.map(({ listen }) => listen);
  return `listening on ${first ?? 'nothing'}${more.length === 0 ? '' : ` and ${more.length} more`}`;
}

/** A connection is there, or its sockets could not be opened: it is to be up. */
export function called(turn: Turn, event: Extract<SystemEvent, { type: 'called' }>): void {
  const { system } = turn;
  const { name, cause } = event;
  if (!isListening(system, name)) return;
  system.intents.set(name, 'up');
  turn.touched.add(name);
  apply(turn, name, { type: 'called', cause });
  updateWantsOf(turn, [name], cause);
}

/** It has ended as it should: from now on a connection starts it again. */
export function lazyIsOver(turn: Turn, name: string): void {
  const { system } = turn;
  const unit = system.units.get(name);
  if (unit?.spec.lazy !== true || unit.service.phase.at !== 'done') return;
  if (system.intents.get(name) !== 'up') return;
  system.intents.delete(name);
  turn.touched.add(name);
  updateWantsOf(turn, [name], 'the next connection starts it');
}
