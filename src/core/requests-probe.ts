/**
 * The two requests of who asks services whether they are well: what is to be asked now, and what
 * came of it.
 */
import type { Params } from './methods.ts';
import { pidOf } from './phase.ts';
import type { Probe, ProbeKind } from './probe.ts';
import { isAsked } from './probed.ts';
import { reply } from './requests-look.ts';
import type { Spec } from './spec.ts';
import type { Asker, Unit } from './system.ts';
import { apply, type Turn } from './turn.ts';
import type { Millis, Pid } from './units.ts';

/** One probe that is to be asked, of the process that runs now. */
export type Asked = {
  readonly name: string;
  readonly pid: Pid;
  /** On CLOCK_MONOTONIC. */
  readonly startedAt: Millis;
  readonly kind: ProbeKind;
  readonly probe: Probe;
  readonly spec: Spec;
};

/** What is asked now of these services; no names: of all. How, is known outside. */
export function probes(turn: Turn, asker: Asker, names: readonly string[]): void {
  const { units } = turn.system;
  const chosen = names.length === 0 ? [...units.keys()] : names;
  const asked = chosen.flatMap((name) => {
    const unit = units.get(name);
    return unit === undefined ? [] : askedOf(name, unit);
  });
  turn.effects.push({ do: 'probes', asker, asked });
}

/** What came of one; it is of no interest any more when another process runs by now. */
export function probed(turn: Turn, asker: Asker, params: Params['probed']): void {
  const { name, pid, kind, ok, detail } = params;
  const unit = turn.system.units.get(name);
  const taken =
    unit !== undefined &&
    pidOf(unit.service.phase) === pid &&
    isAsked(unit.service, unit.spec, kind);
  if (taken) apply(turn, name, { type: 'probed', kind, ok, detail });
  reply(turn, asker, { taken });
}

function askedOf(name: string, { service, spec }: Unit): Asked[] {
  const { phase } = service;
  if (phase.at !== 'starting' && phase.at !== 'up') return [];
  const { pid, startedAt } = phase;
  const run = { name, pid, startedAt, spec };
  if (spec.ready.by === 'probe' && isAsked(service, spec, 'ready')) {
    return [{ ...run, kind: 'ready', probe: spec.ready.probe }];
  }
  if (spec.alive === undefined || !isAsked(service, spec, 'alive')) return [];
  return [{ ...run, kind: 'alive', probe: spec.alive }];
}
