/**
 * The system as text, for the next image of svinit: what a re-exec carries over. Reading it back
 * trusts nothing: a schema decides, and a text that does not fit is a reason, not an exception.
 */
import { note } from './agenda.ts';
import { CHECKPOINT_VERSION, type Checkpoint } from './checkpoint-schema.ts';
import { deadlineOf, errandPids } from './errands.ts';
import { buildGraph } from './graph.ts';
import { replay } from './ledger.ts';
import { isActive, pidOf, type Service } from './phase.ts';
import type { Spec } from './spec.ts';
import {
  earlyNames,
  HALT_DEADLINE,
  JOB_DEADLINE,
  newSystem,
  putUnit,
  SCHEDULE,
  type System,
  type SystemEvent,
  type SystemOptions,
} from './system.ts';
import { lazyNames, meantNames } from './wants.ts';

/** Encodes everything that cannot be found out again by looking at the world. */
export function encodeCheckpoint(system: System): string {
  return JSON.stringify({
    version: CHECKPOINT_VERSION,
    startedAt: system.startedAt,
    image: system.image,
    definitions: [...system.definitions.values()],
    problems: system.problems,
    units: [...system.units].map(([name, unit]) => {
      // A unit mostly runs with the definition that is known anyway: say it once.
      const spec = system.definitions.get(name) === unit.spec ? null : unit.spec;
      return { name, service: unit.service, spec };
    }),
    intents: [...system.intents],
    jobs: [...system.jobs.values()],
    boot: system.boot,
    booting: [...system.booting],
    earlySettled: system.earlySettled,
    halt: system.halt,
    schedule: system.schedule,
    mainExit: system.mainExit,
  });
}

/**
 * Decodes what `encodeCheckpoint` made, and what has moved since, as the state that the next image
 * goes on with.
 */
export function decodeCheckpoint(
  text: string,
  options: SystemOptions,
  records: readonly unknown[] = [],
): { ok: true; system: System } | { ok: false; reason: string } {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    return { ok: false, reason: 'The checkpoint is not JSON' };
  }
  const checked = replay(value, records);
  return checked.ok ? { ok: true, system: rebuilt(checked.checkpoint, options) } : checked;
}

/**
 * What the next image must be told first: spawns were decided on whose outcome it will never hear.
 * They count as refused for want of a resource, which is no failure of the service.
 */
export function interrupted(system: System): Extract<SystemEvent, { type: 'spawnFailed' }>[] {
  const reason = 'svinit was replaced while it was being started';
  return [...system.units].flatMap(([name, { service }]) => {
    const { phase } = service;
    const { at } = phase;
    const open = at === 'spawning' || at === 'finishing' || at === 'undoing';
    if (!open || pidOf(phase) !== null) return [];
    // Its spawn was not decided on yet: a program of `control/` is asked first.
    if (service.errands?.some(({ next }) => next.do === 'start')) return [];
    // It had been refused, and waits for its time.
    if ('retryAt' in phase && phase.retryAt !== null) return [];
    return [{ type: 'spawnFailed', name, reason, transient: true }];
  });
}

function rebuilt(saved: Checkpoint, options: SystemOptions): System {
  const definitions = new Map(saved.definitions.map((spec) => [spec.name, spec]));
  const system = newSystem(options, saved.startedAt);
  system.image = saved.image + 1;
  system.definitions = definitions;
  system.problems = saved.problems;
  system.graph = buildGraph(definitions).graph;
  system.meant = meantNames(options.target, system);
  system.boot = saved.boot;
  system.earlySettled = saved.earlySettled;
  system.halt = saved.halt;
  system.schedule = saved.schedule;
  system.mainExit = saved.mainExit;
  for (const [name, intent] of saved.intents) system.intents.set(name, intent);
  for (const name of saved.booting) system.booting.add(name);
  for (const job of saved.jobs) {
    system.jobs.set(job.number, job);
    if (job.by !== null) note(system.agenda, `${JOB_DEADLINE}${job.number}`, job.by);
  }
  for (const { name, service, spec: own } of saved.units) {
    const spec = own ?? definitions.get(name);
    if (spec !== undefined) enter(system, name, service, spec);
  }
  system.early = earlyNames(system);
  system.wanted = new Set(
    [...system.units].filter(([, unit]) => unit.service.want === 'up').map(([name]) => name),
  );
  if (system.halt === null) {
    system.lazy = lazyNames(system);
  }
  if (system.halt !== null) note(system.agenda, HALT_DEADLINE, system.halt.by);
  if (system.schedule !== null) note(system.agenda, SCHEDULE, system.schedule.tellAt);
  return system;
}

/** Puts a service with its phase into the maps that are derived from it. */
export function enter(system: System, name: string, service: Service, spec: Spec): void {
  const { phase } = service;
  putUnit(system, name, { service, spec });
  const pid = pidOf(phase);
  if (pid !== null) system.pids.set(pid, name);
  for (const errand of errandPids(service)) system.errands.set(errand, name);
  const due = deadlineOf(service);
  if (due !== null) note(system.agenda, name, due);
  if (!spec.early && isActive(service, spec)) system.active.add(name);
  if (phase.at === 'spawning' || phase.at === 'starting') system.starting.add(name);
  // It may have waited for a place among the starting: whoever frees one has to think of it.
  if (phase.at === 'down' && service.want === 'up') system.throttled.add(name);
}
