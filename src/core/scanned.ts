/**
 * What a scan found becomes what the system knows: added, changed, removed, refused. The running
 * set is not touched by what is refused, and what runs goes on as it was until it is restarted.
 */
import { buildGraph, type Graph } from './graph.ts';
import type { Results } from './methods.ts';
import { isActive } from './phase.ts';
import type { Problem, Spec } from './spec.ts';
import { earlyNames, putUnit, type System } from './system.ts';
import { apply, openIfEarlySettled, type Turn, unitOf, waitNoMore } from './turn.ts';
import { isLazyNow, lazyNames, meantNames, suspects, wantedAmong, wantedNames } from './wants.ts';

export type Scanned = {
  readonly specs: readonly Spec[];
  readonly problems: readonly Problem[];
  readonly notices: readonly string[];
  readonly prune: boolean;
};

/** Takes the definitions over and recomputes the graph; the wants are the caller's next step. */
export function takeDefinitions(turn: Turn, scanned: Scanned): Results['scan'] {
  const { system } = turn;
  const old = system.definitions;
  const found = new Map(scanned.specs.map((spec) => [spec.name, keptIfSame(old, spec)]));
  keepRefused(old, found, scanned.problems);
  const { graph, problems } = graphOf(old, found);

  system.definitions = found;
  system.graph = graph;
  system.meant = meantNames(system.options.target, system);
  system.problems = [...scanned.problems, ...problems];
  for (const [name, spec] of found) if (spec.type !== 'bundle') adopt(turn, name, spec);
  system.early = earlyNames(system);
  if (scanned.prune) pruneRemoved(turn);
  // Edges have come and gone: what may start, stop or be forgotten now is anyone's guess.
  for (const name of system.units.keys()) turn.queue.add(name);
  return {
    added: [...found.keys()].filter((name) => !old.has(name)),
    changed: changesOf(old, found),
    removed: [...old.keys()].filter((name) => !found.has(name)),
    refused: system.problems,
    notices: scanned.notices,
  };
}

/** Gives every service the want that follows from intents, target and graph now. */
export function updateWants(turn: Turn, cause: string): string[] {
  const { system } = turn;
  const wanted = system.halt === null ? wantedNames(system) : new Set<string>();
  takeLazy(turn);
  const started: string[] = [];
  for (const name of system.units.keys()) {
    if (give(turn, name, wanted, cause)) started.push(name);
  }
  system.wanted = wanted;
  if (!system.earlySettled && wanted.size > 0) openIfEarlySettled(turn);
  return started;
}

/** The same, when nothing is new but what people ask of the services `asked`. */
export function updateWantsOf(turn: Turn, asked: readonly string[], cause: string): void {
  const { system, touched } = turn;
  // On the way down nothing is wanted, whatever people ask.
  if (system.halt !== null) return;
  const among = suspects(system, system.wanted, asked);
  const wanted = wantedAmong(system, system.wanted, among);
  for (const name of [...among, ...asked]) {
    const isLazy = isLazyNow(system, name);
    if (isLazy === system.lazy.has(name)) continue;
    if (isLazy) system.lazy.add(name);
    else system.lazy.delete(name);
    touched.add(name);
  }
  for (const name of among) give(turn, name, wanted, cause);
  for (const name of among) {
    if (wanted.has(name)) system.wanted.add(name);
    else system.wanted.delete(name);
  }
  if (!system.earlySettled && system.wanted.size > 0) openIfEarlySettled(turn);
}

/** Gives one service the want it has by `wanted`, or adds it there; whether it is to start now. */
function give(turn: Turn, name: string, wanted: Set<string>, cause: string): boolean {
  const { system } = turn;
  const service = system.units.get(name)?.service;
  if (service === undefined) return false;
  // What is no longer defined is left as it runs, unless it was pruned or we go down.
  const removed = !system.definitions.has(name);
  const gone = system.halt !== null || system.intents.get(name) === 'down';
  const up = removed ? service.want === 'up' && !gone : wanted.has(name);
  if (up) wanted.add(name);
  else waitNoMore(turn, name);
  if ((service.want === 'up') === up) return false;
  apply(turn, name, { type: 'want', want: up ? 'up' : 'down', cause });
  return up;
}

/** Who begins or ceases to be started by a connection has moved, though nothing of it runs. */
function takeLazy({ system, touched }: Turn): void {
  const before = system.lazy;
  system.lazy = system.halt === null ? lazyNames(system) : new Set();
  for (const name of system.lazy) if (!before.has(name)) touched.add(name);
  for (const name of before) if (!system.lazy.has(name)) touched.add(name);
}

/** The same text gives the same value, so that `===` tells whether a definition changed. */
function keptIfSame(old: ReadonlyMap<string, Spec>, spec: Spec): Spec {
  const before = old.get(spec.name);
  return before !== undefined && differing(before, spec).length === 0 ? before : spec;
}

/** The fields that are not the same; their order, which a re-exec may change, says nothing. */
function differing(before: Spec, spec: Spec): string[] {
  return (Object.keys({ ...before, ...spec }) as (keyof Spec)[]).filter(
    (key) => before[key] !== spec[key] && JSON.stringify(before[key]) !== JSON.stringify(spec[key]),
  );
}

/**
 * The graph of what was found. A change that makes a definition impossible (a cycle, a need that
 * is gone) is refused, and its former text stands; what cannot stand at all is left out.
 */
function graphOf(
  old: ReadonlyMap<string, Spec>,
  found: Map<string, Spec>,
): { graph: Graph; problems: readonly Problem[] } {
  const refused: Problem[] = [];
  for (;;) {
    const { graph, refused: names, problems } = buildGraph(found);
    const changed = [...names].filter(
      (name) => (old.get(name) ?? found.get(name)) !== found.get(name),
    );
    if (changed.length === 0) {
      for (const name of names) found.delete(name);
      const seen = new Set(refused.map(({ name }) => name));
      return { graph, problems: [...refused, ...problems.filter(({ name }) => !seen.has(name))] };
    }
    // One text that goes back to what it was may make another impossible, or possible again.
    for (const name of changed) found.set(name, old.get(name) as Spec);
    refused.push(...problems.filter(({ name }) => changed.includes(name)));
  }
}

/**
 * A definition that became bad on disk, or whose root cannot be read any more: what was good and
 * may be running is kept. A problem of a root has the path of that root as its name.
 */
function keepRefused(
  old: ReadonlyMap<string, Spec>,
  found: Map<string, Spec>,
  problems: readonly Problem[],
): void {
  for (const { name } of problems) {
    const before = old.get(name);
    if (before !== undefined && !found.has(name)) found.set(name, before);
    if (!name.startsWith('/')) continue;
    // Also over what was found elsewhere: it may be what this root overrides.
    for (const spec of old.values()) {
      if (isBelow(spec, name)) found.set(spec.name, spec);
    }
  }
}

/** Whether `spec` was read in the directory, or for a root from the file, at `path`. */
function isBelow(spec: Spec, path: string): boolean {
  if (spec.root !== undefined) return path.endsWith(`/${spec.root}.services`);
  return spec.directory.startsWith(`${path}/`);
}

/** What is at rest takes the new definition at once; what runs is left as it is. */
function adopt(turn: Turn, name: string, spec: Spec): void {
  const { service, spec: own } = unitOf(turn, name, spec);
  if (own === spec || isActive(service, own)) return;
  // That one type has run to its end says nothing of another.
  if (own.type !== spec.type) apply(turn, name, { type: 'retry', cause: 'changed on disk' });
  putUnit(turn.system, name, { service: turn.system.units.get(name)?.service ?? service, spec });
}

function pruneRemoved({ system }: Turn): void {
  for (const name of system.units.keys()) {
    if (!system.definitions.has(name)) system.intents.set(name, 'down');
  }
}

function changesOf(
  old: System['definitions'],
  found: System['definitions'],
): { name: string; fields: string[] }[] {
  return [...found].flatMap(([name, spec]) => {
    const before = old.get(name);
    if (before === undefined || before === spec) return [];
    return [{ name, fields: differing(before, spec) }];
  });
}
