/**
 * Two requests of those who know a supervisor's pipe: a service that is started once and not
 * restarted, and a signal for what runs (s6-svc(8), sv(8)).
 */
import { ERRANDS_MAX } from './errand.ts';
import type { Params } from './methods.ts';
import { type Phase, pidOf } from './phase.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { resolve } from './resolve.ts';
import { updateWantsOf } from './scanned.ts';
import { SIGCONT, SIGTERM } from './signals.ts';
import type { Asker, System, SystemEffect } from './system.ts';
import { apply, type Turn } from './turn.ts';

/** The main process of a service that was to run once has ended: from now on it is to be down. */
export function onceIsOver(turn: Turn, name: string): void {
  const { system } = turn;
  if (system.intents.get(name) !== 'once') return;
  const phase = system.units.get(name)?.service.phase;
  if (phase === undefined || isMain(phase)) return;
  system.intents.set(name, 'down');
  turn.touched.add(name);
  updateWantsOf(turn, [name], 'it ran once');
}

/** Signals the main process of each, or its group; nobody when one of them does not run. */
export function signal(turn: Turn, asker: Asker, params: Params['signal']): void {
  const { system, effects } = turn;
  const chosen = resolve(system, params.names);
  if (!chosen.ok) return void effects.push({ do: 'refuse', asker, error: chosen.error });
  const signals = signalEffects(system, chosen.names, params);
  if ('code' in signals) return void effects.push({ do: 'refuse', asker, error: signals });
  effects.push(...signals);
  const asked = chosen.names.filter((name) => isAsked(system, name, params));
  for (const name of asked) apply(turn, name, { type: 'told', signal: params.signal });
  effects.push({ do: 'reply', asker, result: { signalled: chosen.names } });
}

/** Its `control/` is asked first: see errands.ts. */
const isAsked = ({ units }: System, name: string, { group }: Params['signal']): boolean =>
  !group && units.get(name)?.spec.control !== undefined;

function signalEffects(
  system: System,
  names: readonly string[],
  params: Params['signal'],
): readonly SystemEffect[] | RpcError {
  const { signal, group } = params;
  const effects: SystemEffect[] = [];
  for (const name of names) {
    const phase = system.units.get(name)?.service.phase;
    const pid = phase === undefined || !isMain(phase) ? null : pidOf(phase);
    if (pid === null) return refusal(EXIT.failed, `${name} does not run: nobody to signal`);
    if (!isAsked(system, name, params)) {
      effects.push({ do: 'signal', pid, signal, group });
      // What is to be down and was paused would never see it (runsv(8), `t`).
      const isLast =
        signal === SIGTERM && !group && system.units.get(name)?.service.want === 'down';
      if (isLast) effects.push({ do: 'signal', pid, signal: SIGCONT, group });
    }
    if ((system.units.get(name)?.service.errands?.length ?? 0) >= ERRANDS_MAX) {
      return refusal(EXIT.failed, `${name}: too much of it is waiting already`);
    }
  }
  return effects;
}

/** It has its main process, not its `finish` or `down`, or is about to get it. */
function isMain({ at }: Phase): boolean {
  return at === 'spawning' || at === 'starting' || at === 'up' || at === 'stopping';
}
