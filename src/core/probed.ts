/**
 * What the outcome of a probe moves: a service that is found ready is up, one that is not ready or
 * not alive is stopped and, as its policy says, started again. Outcomes of a process that is no
 * longer the one that was asked are nobody's.
 */
import { up } from './notified.ts';
import { type Phase, type Service, type Step, same, to } from './phase.ts';
import {
  type ProbeKind,
  type ProbeOutcome,
  type ProbeOutcomes,
  type ProbesView,
  probeWords,
} from './probe.ts';
import type { Spec } from './spec.ts';
import type { Unit } from './system.ts';
import type { Millis } from './units.ts';

/** How the cause of a service begins that a probe has ended. */
export const PROBE_CAUSE = 'probe: ';

/** `unwell` is how one that runs and must not go on ends. */
export function probed(
  svc: Service,
  { kind, ok, detail }: { readonly kind: ProbeKind } & ProbeOutcome,
  spec: Spec,
  now: Millis,
  unwell: (svc: Service, phase: Extract<Phase, { at: 'starting' | 'up' }>) => Step,
): Step {
  const { phase } = svc;
  if (phase.at !== 'starting' && phase.at !== 'up') return same(svc);
  if (!isAsked(svc, spec, kind)) return same(svc);
  const told = { ...svc, probes: { ...svc.probes, [kind]: { ok, detail } } };
  if (kind === 'ready' && ok === true) {
    return to({ ...told, cause: 'ready' }, up(phase.pid, phase.startedAt, spec, now), now);
  }
  if (ok !== false) return [told, []];
  if (kind === 'alive' && spec.alive?.action === 'report') return [told, []];
  const asked = kind === 'ready' && spec.ready.by === 'probe' ? spec.ready.probe : spec.alive;
  const words = asked === undefined ? '' : ` (${probeWords(asked)})`;
  return unwell({ ...told, cause: `${PROBE_CAUSE}not ${kind}: ${detail}${words}` }, phase);
}

/** The probe of this kind is asked now: of one that starts or of one that is up. */
export function isAsked({ phase }: Service, spec: Spec, kind: ProbeKind): boolean {
  if (spec.type !== 'longrun') return false;
  if (kind === 'ready') return phase.at === 'starting' && spec.ready.by === 'probe';
  return phase.at === 'up' && spec.alive !== undefined;
}

/** Nothing when it has no probe. */
export function probesView({ service, spec }: Unit): { readonly probes?: ProbesView } {
  const { ready, alive } = service.probes ?? {};
  const hasReady = spec.ready.by === 'probe';
  if (!hasReady && spec.alive === undefined) return {};
  const probes = {
    ...(hasReady ? { ready: ready ?? null } : {}),
    ...(spec.alive === undefined ? {} : { alive: alive ?? null }),
  };
  return { probes };
}

/** A new process has not been asked yet; why the one before had to go is still of interest. */
export function forgetReady(probes: ProbeOutcomes): ProbeOutcomes {
  const { ready: _, ...rest } = probes;
  return rest;
}

/** What is wrong with one that is up all the same, or empty. */
export function unwellNote({ probes }: Service): string {
  return probes?.alive?.ok === false ? `not alive: ${probes.alive.detail}` : '';
}
