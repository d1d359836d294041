/**
 * The request to reload: services read their configuration again and go on running. It is refused
 * whole when one of them cannot, and answered once all have.
 */
import { ERRANDS_MAX, isReloading } from './errand.ts';
import { addJob } from './jobs.ts';
import type { Params } from './methods.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { byOf, refuse, reply } from './requests-look.ts';
import { resolve } from './resolve.ts';
import type { Asker, Unit } from './system.ts';
import { apply, type Turn } from './turn.ts';

export function reload(turn: Turn, asker: Asker, params: Params['reload']): void {
  const { system } = turn;
  const chosen = resolve(system, params.names);
  if (!chosen.ok) return refuse(turn, asker, chosen.error);
  const { names } = chosen;
  for (const name of names) {
    const unit = system.units.get(name);
    const error = unit === undefined ? null : problemOf(name, unit);
    if (error !== null) return refuse(turn, asker, error);
  }
  for (const name of names) apply(turn, name, { type: 'reload' });
  if (!params.wait) return reply(turn, asker, { services: [] });
  const goals = names.map((name) => ({ name, goal: 'reloaded' as const, startsBefore: -1 }));
  addJob(turn, {
    ...{ method: 'reload', asker, goals, patient: false },
    by: byOf(turn, params.timeoutMs),
  });
}

/** Why it cannot be reloaded now, or null. */
function problemOf(name: string, { service, spec }: Unit): RpcError | null {
  const { at } = service.phase;
  const no = (why: string, hint?: string): RpcError =>
    refusal(EXIT.failed, `Cannot reload ${name}: ${why}`, hint);
  if (isReloading(service.reload)) return no('it is being reloaded already');
  if ((service.errands?.length ?? 0) >= ERRANDS_MAX) return no('too much of it is waiting already');
  if (spec.type === 'oneshot') {
    if (spec.reload === undefined) return no("a oneshot is reloaded by its file or key 'reload'");
    return at === 'done' ? null : no('it is not done');
  }
  if (at === 'up' || at === 'starting') return null;
  return no(at === 'stopping' ? 'it is being stopped' : 'it does not run');
}
