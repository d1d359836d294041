/**
 * The names a person gives (services, bundles, patterns) to the services that are meant.
 */

import { edgesOf } from './edges.ts';
import { isPattern, matches } from './glob.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { closest } from './suggest.ts';
import type { System } from './system.ts';

/** Names and patterns to atomic services; bundles stand for their members. */
export function resolve(
  system: System,
  names: readonly string[],
): { ok: true; names: string[] } | { ok: false; error: RpcError } {
  const found = new Set<string>();
  const known = (): string[] => [
    ...new Set([...system.units.keys(), ...system.definitions.keys()]),
  ];
  for (const name of names) {
    const members = system.units.has(name) ? [name] : edgesOf(system.graph.members, name);
    const isBundle = system.definitions.get(name)?.type === 'bundle';
    const matching = isPattern(name)
      ? [...system.units.keys()].filter((unit) => matches(name, unit))
      : members;
    if (matching.length === 0 && !isBundle) {
      return { ok: false, error: unknownName(system, name, known()) };
    }
    for (const match of matching) found.add(match);
  }
  return { ok: true, names: [...found] };
}

function unknownName(system: System, name: string, known: readonly string[]): RpcError {
  const problem = system.problems.find((candidate) => candidate.name === name);
  if (problem !== undefined) {
    const where = problem.file === null ? '' : `${problem.file}: `;
    return refusal(EXIT.invalidDefinition, `${name} is refused: ${where}${problem.reason}`);
  }
  if (isPattern(name)) return refusal(EXIT.noSuchService, `No service matches ${name}`);
  const near = closest(name, known);
  const hint = near === null ? 'svctl ls shows them all' : `Did you mean ${near}?`;
  return refusal(EXIT.noSuchService, `There is no service ${name}`, hint);
}
