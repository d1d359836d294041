/** Requests that change nothing: what there is, and waiting; and how any request is answered. */
import { addPatient } from './jobs.ts';
import type { Goal, Params } from './methods.ts';
import type { RpcError } from './protocol.ts';
import { resolve } from './resolve.ts';
import type { Asker } from './system.ts';
import type { Turn } from './turn.ts';
import { later, type Millis, ms } from './units.ts';
import { viewOf } from './views.ts';

export function list(turn: Turn, asker: Asker, names: readonly string[]): void {
  const { system, now } = turn;
  const chosen = names.length === 0 ? null : resolve(system, names);
  if (chosen?.ok === false) return refuse(turn, asker, chosen.error);
  const units = chosen === null ? system.units.keys() : chosen.names;
  const services = [...units].flatMap((name) => {
    const unit = system.units.get(name);
    return unit === undefined ? [] : [viewOf(system, name, unit, now)];
  });
  reply(turn, asker, { services, problems: system.problems, halting: system.halt?.kind ?? null });
}

export function status(turn: Turn, asker: Asker, names: readonly string[]): void {
  const { system, now } = turn;
  const chosen = resolve(system, names);
  if (!chosen.ok) return refuse(turn, asker, chosen.error);
  const services = chosen.names.flatMap((name) => {
    const unit = system.units.get(name);
    return unit === undefined ? [] : [viewOf(system, name, unit, now)];
  });
  reply(turn, asker, { services });
}

export function wait(turn: Turn, asker: Asker, params: Params['wait']): void {
  // The same goal twice, as patterns give it, is one goal.
  const goals = new Map<string, ReturnType<typeof goalOf>>();
  for (const { name, goal } of params.conditions) {
    const chosen = resolve(turn.system, [name]);
    if (!chosen.ok) return refuse(turn, asker, chosen.error);
    for (const match of chosen.names) goals.set(`${match} ${goal}`, goalOf(match, goal));
  }
  const by = byOf(turn, params.timeoutMs);
  addPatient(turn, { method: 'wait', asker, goals: [...goals.values()], by });
}

export const goalOf = (
  name: string,
  goal: Goal,
): { name: string; goal: Goal; startsBefore: number } => ({
  name,
  goal,
  startsBefore: -1,
});

export function byOf(turn: Turn, timeoutMs: number | null): Millis | null {
  return timeoutMs === null ? null : later(turn.now, ms(timeoutMs));
}

export function reply(turn: Turn, asker: Asker, result: unknown): void {
  turn.effects.push({ do: 'reply', asker, result });
}

export function refuse(turn: Turn, asker: Asker, error: RpcError): void {
  turn.effects.push({ do: 'refuse', asker, error });
}
