/**
 * Services as clients see them, and the short reasons that answer "why is it not up?".
 */

import type { ScheduledView } from './blockers.ts';
import { edgesOf } from './edges.ts';
import { encodeStatus, exitWords } from './exit.ts';
import { holders } from './gates.ts';
import { isListening, listeningNote } from './lazy.ts';
import type { Outcome, Results, ServiceView, StateWord } from './methods.ts';
import { loggedBy } from './names.ts';
import { type Phase, pidOf, type Service } from './phase.ts';
import { PROBE_CAUSE, probesView, unwellNote } from './probed.ts';
import type { Spec } from './spec.ts';
import type { System, Unit } from './system.ts';
import { durationWords, type Millis, unreachable } from './units.ts';

/** One word for a phase; a service that is down but wanted is `waiting`. */
export function stateOf(service: Service): StateWord {
  const { phase } = service;
  switch (phase.at) {
    case 'down':
      return service.want === 'up' ? 'waiting' : 'down';
    case 'spawning':
      return 'starting';
    case 'undoing':
      return 'stopping';
    case 'starting':
    case 'up':
    case 'stopping':
    case 'finishing':
    case 'backoff':
    case 'done':
    case 'failed':
      return phase.at;
    default:
      return unreachable(phase);
  }
}

export function versionView(system: System, now: Millis): Results['version'] {
  const { version, runtime, target, pid, safe } = system.options;
  const halting = system.halt?.kind ?? null;
  const uptimeMs = Math.round(now - system.startedAt);
  const scheduled = scheduledView(system, now);
  const { image } = system;
  return { version, runtime, pid, uptimeMs, target, image, halting, scheduled, safe };
}

export function scheduledView({ schedule }: System, now: Millis): ScheduledView | null {
  if (schedule === null) return null;
  const { kind, cause, message, by } = schedule;
  return { kind, cause, message, inMs: Math.max(0, Math.round(by - now)) };
}

export function viewOf(system: System, name: string, unit: Unit, now: Millis): ServiceView {
  const { service, spec } = unit;
  const { phase } = service;
  const waiting = stateOf(service) === 'waiting';
  return {
    name,
    type: spec.type,
    description: spec.description,
    state: stateOf(service),
    want: service.want,
    pid: pidOf(phase),
    forMs: Math.round(now - service.since),
    restarts: Math.max(0, service.starts - 1),
    note: noteOf(system, name, unit, now),
    cause: service.cause,
    lastExit: service.exit === null ? null : exitWords(service.exit),
    wstat: service.exit === null ? null : encodeStatus(service.exit),
    lastExitMs: service.exitAt === null ? null : Math.round(now - service.exitAt),
    once: system.intents.get(name) === 'once',
    announces: spec.ready.by !== 'spawn',
    nextTryMs: phase.at === 'backoff' ? Math.max(0, Math.round(phase.until - now)) : null,
    needs: edgesOf(system.graph.needs, name),
    neededBy: edgesOf(system.graph.neededBy, name),
    waitingFor: waiting ? holders(system, name) : [],
    directory: spec.root === undefined ? spec.directory : `${spec.root}:${spec.directory}`,
    definition: definitionOf(system, name, spec),
    early: spec.early,
    ...(spec.deathTally === undefined ? {} : { deathTally: spec.deathTally }),
    ...pipesOf(name, spec),
    ...probesView(unit),
  };
}

/** Whom it reads, by what it says itself: some of them may have another definition still. */
function pipesOf(name: string, spec: Spec): Pick<ServiceView, 'printsTo' | 'readsFrom'> {
  const service = loggedBy(name);
  const readsFrom = service === null ? spec.pipeline?.consumerFor : [service];
  return {
    ...(spec.output === undefined ? {} : { printsTo: spec.output }),
    ...(spec.input === undefined || readsFrom === undefined ? {} : { readsFrom }),
  };
}

export function outcomeOf(system: System, name: string, now: Millis): Outcome {
  const unit = system.units.get(name);
  if (unit === undefined) return { name, state: 'down', note: 'no longer defined' };
  return { name, state: stateOf(unit.service), note: noteOf(system, name, unit, now) };
}

/** One short reason for a state that is not simply well, or empty. */
export function noteOf(system: System, name: string, unit: Unit, now: Millis): string {
  const { service, spec } = unit;
  const reason = reasonOf(system, name, unit, now);
  const definition = definitionOf(system, name, spec);
  if (definition === 'current' || service.phase.at === 'down') return reason;
  const changed = definition === 'changed' ? 'changed on disk' : 'no longer defined';
  return reason === '' ? changed : `${reason}; ${changed}`;
}

function reasonOf(system: System, name: string, unit: Unit, now: Millis): string {
  const { service, spec } = unit;
  const { phase } = service;
  switch (phase.at) {
    case 'down':
      if (isListening(system, name)) return listeningNote(spec);
      return service.want === 'up' ? waitingNote(system, name) : downNote(service, spec);
    case 'backoff':
      return `${failureOf(service)}; next try in ${inWords(phase, now)}`;
    case 'failed':
      return failureOf(service);
    case 'stopping':
      if (phase.why === 'unwell' || phase.why === 'probe') return service.cause;
      return phase.why === 'unready' ? 'was not ready in time' : (service.status ?? '');
    case 'up':
      return (
        unwellNote(service) || reloadNote(service) || service.status || unreadNote(system, spec)
      );
    case 'starting':
      return service.status ?? unreadNote(system, spec);
    case 'spawning':
    case 'finishing':
    case 'undoing':
      return '';
    case 'done':
      return reloadNote(service);
    default:
      return unreachable(phase);
  }
}

function reloadNote({ reload }: Service): string {
  if (reload === undefined) return '';
  if (reload.at !== 'over') return 'reloading';
  return reload.problem === null ? '' : `its reload failed: ${reload.problem}`;
}

function waitingNote(system: System, name: string): string {
  if (system.halt !== null) return `the machine is going down (${system.halt.kind})`;
  const names = holders(system, name);
  if (names.length > 0) return `waits for ${names.join(', ')}`;
  return system.earlySettled ? '' : 'waits for the early services';
}

/** It prints into a pipe that nobody reads: it will be held there once the pipe is full. */
function unreadNote({ units }: System, { output }: Spec): string {
  if (output === undefined) return '';
  const reader = units.get(output)?.service;
  if (reader === undefined) return `nobody reads what it prints: there is no ${output}`;
  const isRead = pidOf(reader.phase) !== null && reader.phase.at !== 'finishing';
  return isRead ? '' : `nobody reads what it prints: ${output} is ${stateOf(reader)}`;
}

/** How it ended, when that was not just what it was told. */
function downNote({ exit }: Service, spec: Spec): string {
  if (exit?.kind !== 'signal' || exit.signal === spec.stopSignal) return '';
  return exitWords(exit);
}

/** What went wrong last: the spawn's error, or the exit. */
function failureOf(service: Service): string {
  if (service.error !== null) return service.error;
  if (service.cause === 'not ready in time') return service.cause;
  if (service.cause.startsWith(PROBE_CAUSE)) return service.cause;
  return service.exit === null ? service.cause : exitWords(service.exit);
}

function inWords(phase: Extract<Phase, { at: 'backoff' }>, now: Millis): string {
  return durationWords(Math.max(0, phase.until - now));
}

function definitionOf(system: System, name: string, spec: Spec): ServiceView['definition'] {
  const current = system.definitions.get(name);
  if (current === undefined) return 'removed';
  return current === spec ? 'current' : 'changed';
}
