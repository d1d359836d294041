/**
 * What each request does: names are resolved, intents are noted, and the answer follows at once
 * or as a job. A request that cannot be done changes nothing.
 */

import { causeOf } from './causes.ts';
import { closure, edgesOf } from './edges.ts';
import { addJob, addPatient } from './jobs.ts';
import type { MethodName, Params, Request } from './methods.ts';
import { signal } from './once.ts';
import { isActive } from './phase.ts';
import { EXIT, type RpcError, refusal } from './protocol.ts';
import { byOf, goalOf, list, refuse, reply, status, wait } from './requests-look.ts';
import { probed, probes } from './requests-probe.ts';
import { reload } from './requests-reload.ts';
import { resolve } from './resolve.ts';
import { updateWantsOf } from './scanned.ts';
import type { Asker, System } from './system.ts';
import { apply, type Turn } from './turn.ts';
import { unreachable } from './units.ts';
import { versionView } from './views.ts';
import type { Intent } from './wants.ts';
import { wayDown } from './way-down.ts';

export function handle(turn: Turn, asker: Asker, request: Request): void {
  const { system } = turn;
  if (system.options.safe && CHANGES.has(request.method)) {
    const hint = 'svctl reexec leaves safe mode; svctl logs svinit tells what happened';
    const text = `Cannot ${request.method}: svinit died too often and is in safe mode`;
    return refuse(turn, asker, refusal(EXIT.failed, text, hint));
  }
  switch (request.method) {
    case 'version':
      return reply(turn, asker, versionView(system, turn.now));
    case 'ls':
      return list(turn, asker, request.params.names);
    case 'status':
      return status(turn, asker, request.params.names);
    case 'start':
      return start(turn, asker, request.params);
    case 'stop':
      return stop(turn, asker, request.params);
    case 'restart':
      return restart(turn, asker, request.params);
    case 'reload':
      return reload(turn, asker, request.params);
    case 'signal':
      return signal(turn, asker, request.params);
    case 'wait':
      return wait(turn, asker, request.params);
    case 'scan':
      turn.effects.push({ do: 'scan', prune: request.params.prune, asker });
      return;
    case 'watch':
      return addPatient(turn, { method: 'watch', asker, goals: [], by: null });
    case 'examine':
      turn.effects.push({ do: 'examine', asker });
      return;
    case 'probes':
      return probes(turn, asker, request.params.names);
    case 'probed':
      return probed(turn, asker, request.params);
    case 'fault':
      return fault(turn, asker, request.params);
    case 'reexec':
      if (system.halt !== null) return refuse(turn, asker, goingDown(system, 're-exec'));
      turn.effects.push({ do: 'reexec', asker, binary: request.params.binary });
      return;
    case 'poweroff':
    case 'reboot':
    case 'halt':
    case 'kexec':
    case 'switchRoot':
    case 'schedule':
    case 'cancel':
    case 'shutdown':
    case 'skip':
      return wayDown(turn, asker, request);
    default:
      return unreachable(request);
  }
}

function fault(turn: Turn, asker: Asker, params: Params['fault']): void {
  if (!turn.system.options.testing) {
    const text = 'svinit was not started for its own tests (svinit.testing)';
    return refuse(turn, asker, refusal(EXIT.permission, text));
  }
  reply(turn, asker, params);
  turn.effects.push({ do: 'fault', kind: params.kind });
}

function start(turn: Turn, asker: Asker, params: Params['start']): void {
  const names = toStart(turn, asker, params.names);
  if (names === null) return;
  const cause = causeOf('start', params.names, asker);
  wish(turn, names, params.once ? 'once' : 'up', cause);
  for (const name of names) apply(turn, name, { type: 'retry', cause });
  finish(
    turn,
    asker,
    params,
    'start',
    names.map((name) => goalOf(name, 'up')),
  );
}

function restart(turn: Turn, asker: Asker, params: Params['restart']): void {
  const { system } = turn;
  const names = toStart(turn, asker, params.names);
  if (names === null) return;
  const goals = names.map((name) => {
    const service = system.units.get(name)?.service;
    return { name, goal: 'up' as const, startsBefore: service?.starts ?? 0 };
  });
  const cause = causeOf('restart', params.names, asker);
  wish(turn, names, 'up', cause);
  for (const name of names) apply(turn, name, { type: 'restart', cause });
  finish(turn, asker, params, 'restart', goals);
}

function stop(turn: Turn, asker: Asker, params: Params['stop']): void {
  const { system } = turn;
  const chosen = resolve(system, params.names);
  if (!chosen.ok) return refuse(turn, asker, chosen.error);
  const { names } = chosen;
  const others = dependantsOf(system, names);
  const essential = [...names, ...others].filter((name) => isEssential(system, name));
  if (essential.length > 0 && !params.force) {
    const text = `${essential.join(', ')}: essential, not stopped without --force`;
    return refuse(turn, asker, refusal(EXIT.failed, text));
  }
  if (others.length > 0 && !params.cascade) {
    const text = `${others.join(', ')} would stop too, for want of ${names.join(', ')}`;
    const hint = 'Add --cascade to stop them first';
    return refuse(turn, asker, refusal(EXIT.dependencyFailed, text, hint));
  }
  for (const name of names) intend(turn, name, 'down');
  updateWantsOf(turn, names, causeOf('stop', params.names, asker));
  finish(
    turn,
    asker,
    params,
    'stop',
    names.map((name) => goalOf(name, 'down')),
  );
}

/** Itself, or as a part of a bundle that is (s6-rc-compile(8), "flag-essential"). */
function isEssential({ units, definitions, graph }: System, name: string): boolean {
  if (units.get(name)?.spec.essential === true) return true;
  const bundles = edgesOf(graph.bundles, name);
  return bundles.some((bundle) => definitions.get(bundle)?.essential === true);
}

/** What else runs, or is meant to, and cannot without `names`. */
function dependantsOf(system: System, names: readonly string[]): string[] {
  const own = new Set(names);
  return [...closure(names, system.graph.neededBy)].filter((name) => {
    const unit = system.units.get(name);
    if (unit === undefined || own.has(name)) return false;
    return unit.service.want === 'up' || isActive(unit.service, unit.spec);
  });
}

function toStart(turn: Turn, asker: Asker, wanted: readonly string[]): string[] | null {
  const { system } = turn;
  if (system.halt !== null) {
    refuse(turn, asker, goingDown(system, 'start services'));
    return null;
  }
  const chosen = resolve(system, wanted);
  if (chosen.ok) return chosen.names;
  refuse(turn, asker, chosen.error);
  return null;
}

/** Wants `names` up; what they need is no longer held down by an earlier stop. */
function wish(turn: Turn, names: readonly string[], intent: Intent, cause: string): void {
  const { system } = turn;
  const needs = closure(names, system.graph.needs);
  const freed = [...needs].filter((name) => system.intents.get(name) === 'down');
  for (const name of freed) intend(turn, name, null);
  for (const name of names) intend(turn, name, intent);
  updateWantsOf(turn, [...freed, ...names], cause);
}

function intend(turn: Turn, name: string, intent: Intent | null): void {
  if (intent === null) turn.system.intents.delete(name);
  else turn.system.intents.set(name, intent);
  turn.touched.add(name);
}

function finish(
  turn: Turn,
  asker: Asker,
  params: Params['restart'],
  method: 'start' | 'stop' | 'restart',
  goals: readonly ReturnType<typeof goalOf>[],
): void {
  if (!params.wait) return reply(turn, asker, { services: [] });
  addJob(turn, { method, asker, goals, by: byOf(turn, params.timeoutMs), patient: false });
}

/** What safe mode refuses; going down and re-executing are ways out of it. */
const CHANGES: ReadonlySet<MethodName> = new Set([
  ...(['start', 'stop', 'restart', 'reload', 'scan'] as const),
]);

function goingDown(system: System, act: string): RpcError {
  return refusal(EXIT.failed, `Cannot ${act}: going down (${system.halt?.kind ?? ''})`);
}
