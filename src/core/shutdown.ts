/**
 * The way down: every want becomes "down", services stop in reverse order of their needs, early
 * ones last, and when nothing is left or time is up the rest is handed to the supervisor.
 */
import { note } from './agenda.ts';
import { isWaitedFor } from './blockers.ts';
import { edgesOf } from './edges.ts';
import { shellCode } from './exit.ts';
import type { HaltKind, SwitchTarget } from './halt.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { updateWants } from './scanned.ts';
import { type Change, HALT_DEADLINE, othersRun, type System } from './system.ts';
import { apply, type Turn } from './turn.ts';
import { later } from './units.ts';

/**
 * Begins to go down. Asking twice is one shutdown; asking for another kind is refused.
 * @param to Whom to hand over to, of a hand-over.
 */
export function beginHalt(
  turn: Turn,
  kind: HaltKind,
  cause: string,
  to: SwitchTarget | null = null,
): RpcError | null {
  const { system, now } = turn;
  if (system.halt !== null) {
    if (system.halt.kind === kind && isSame(system.halt.to ?? null, to)) return null;
    const { kind: already, cause: by } = system.halt;
    return refusal(EXIT.failed, `Cannot ${kind}: a ${already} is under way (${by})`);
  }
  const by = later(now, system.options.haltWithin);
  const halt = { kind, cause, by, released: false, skipped: [] };
  system.halt = to === null ? halt : { ...halt, to };
  system.schedule = null;
  note(system.agenda, HALT_DEADLINE, system.halt.by);
  updateWants(turn, `${kind}: ${cause}`);
  return null;
}

/** The time is up now: services are ended together with everything else. */
export function hasten({ system, now }: Turn): void {
  if (system.halt !== null) system.halt = { ...system.halt, by: now };
}

/** Hands over to the supervisor, once, when all is at rest or the time is up. */
export function checkHalt(turn: Turn): void {
  const { system, now } = turn;
  const { halt } = system;
  if (halt === null || halt.released) return;
  if (now < halt.by && !allAtRest(system)) return;
  system.halt = { ...halt, released: true };
  turn.effects.push({ do: 'halt', kind: halt.kind, code: codeOf(system), to: halt.to ?? null });
}

/** These are killed now, and not waited for any more: what waited for them goes on. */
export function giveUp(turn: Turn, names: readonly string[], cause: string): void {
  const { system, queue } = turn;
  const { halt } = system;
  if (halt === null) return;
  system.halt = { ...halt, skipped: [...new Set([...halt.skipped, ...names])] };
  for (const name of names) {
    apply(turn, name, { type: 'skip', cause });
    for (const next of edgesOf(system.graph.needs, name)) queue.add(next);
    for (const next of edgesOf(system.graph.order, name)) queue.add(next);
  }
  if (!othersRun(system)) for (const name of system.early) queue.add(name);
}

function isSame(one: SwitchTarget | null, other: SwitchTarget | null): boolean {
  if (one === null || other === null) return one === other;
  const words = ({ root, init, arguments: given }: SwitchTarget) => [root, init, ...given];
  return words(one).join('\0') === words(other).join('\0');
}

/** What sh(1) and container engines report of a command that never came to run. */
const NOT_EXECUTABLE = 126;
const NOT_FOUND = 127;

/** Whether the end of the main service, of its own, is among `changes`. */
export function hasMainEnded({ options }: System, changes: readonly Change[]): boolean {
  return changes.some(({ name, service }) => {
    const { at } = service.phase;
    return name === options.main && (at === 'done' || at === 'failed');
  });
}

/** The code of a container: that of its main service, and 0 when it has none. */
export function codeOf(system: System): number {
  if (system.mainExit !== null) return shellCode(system.mainExit);
  const main = system.options.main === null ? undefined : system.units.get(system.options.main);
  const error = main?.service.error ?? null;
  if (error === null) return 0;
  return /ENOENT|not found/.test(error) ? NOT_FOUND : NOT_EXECUTABLE;
}

/** The main service of a container has ended for good: the container ends with it. */
export function checkMain(turn: Turn): void {
  const { system } = turn;
  const { main } = system.options;
  if (main === null || system.halt !== null) return;
  const at = system.units.get(main)?.service.phase.at;
  if (at === 'done' || at === 'failed') beginHalt(turn, system.options.stopKind, `${main} ended`);
}

function allAtRest(system: System): boolean {
  if (othersRun(system)) return false;
  return !system.early.some((name) => isWaitedFor(system, name));
}
