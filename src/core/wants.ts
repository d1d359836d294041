/**
 * What every service is wanted to be: a function of what people asked for (intents), the target and
 * the graph. A scan computes it whole; a request only where it can make a difference, which is the
 * same (test/core/support/audit.ts).
 */
import { closure, edgesOf } from './edges.ts';
import type { Graph } from './graph.ts';
import type { Spec } from './spec.ts';

/**
 * What a person asked of one service by name; the absence of an entry means nothing was asked.
 * `once` is `up` until its process ends, and `down` from then on.
 */
export type Intent = 'up' | 'down' | 'once';

export type Wishes = {
  readonly definitions: ReadonlyMap<string, Spec>;
  readonly graph: Graph;
  readonly intents: ReadonlyMap<string, Intent>;
  /** What is wanted before anyone asks: see `meantNames`. */
  readonly meant: ReadonlySet<string>;
};

/**
 * The names that are wanted up. A service asked to be down takes with it, for as long as it is
 * asked to be, everything that needs it: what needs it cannot be up without it.
 */
export function wantedNames(wishes: Wishes): Set<string> {
  const { graph, intents } = wishes;
  const blocked = blockedBy(intents, graph);
  const names = [...graph.needs.keys()];
  const roots = names.filter((name) => !blocked.has(name) && isRoot(wishes, name));
  return withWhatTheyPull(wishes, roots, blocked);
}

/**
 * The names that may be wanted now and were not in `before`, or the other way round, once people
 * ask something else of `changed`. What all of them need and pull is among them.
 */
export function suspects(
  wishes: Wishes,
  before: ReadonlySet<string>,
  changed: readonly string[],
): Set<string> {
  const { graph, intents } = wishes;
  // What was wanted and is meant to be all the same makes no difference to anyone.
  const moved = changed.filter((name) => !before.has(name) || !isRoot(wishes, name));
  const from = moved.map((name) => {
    const isFree = before.has(name) && intents.get(name) !== 'down';
    return isFree ? [name] : closure([name], graph.neededBy);
  });
  return closure(
    from.flatMap((names) => [...names]),
    graph.needs,
    graph.pulls,
  );
}

/** Those of `among`, which `suspects` gave, that are wanted; of all others `before` is right. */
export function wantedAmong(
  wishes: Wishes,
  before: ReadonlySet<string>,
  among: ReadonlySet<string>,
): Set<string> {
  const { graph, intents } = wishes;
  const blocked = new Set([...among].filter((name) => intents.get(name) === 'down'));
  for (const name of blocked) {
    for (const next of edgesOf(graph.neededBy, name)) if (among.has(next)) blocked.add(next);
  }
  const holds = (other: string): boolean => before.has(other) && !among.has(other);
  const isPulled = (name: string): boolean =>
    edgesOf(graph.neededBy, name).some(holds) || edgesOf(graph.pulledBy, name).some(holds);
  const roots = [...among].filter(
    (name) =>
      graph.needs.has(name) && !blocked.has(name) && (isRoot(wishes, name) || isPulled(name)),
  );
  return withWhatTheyPull(wishes, roots, blocked);
}

function withWhatTheyPull(
  { graph }: Wishes,
  roots: readonly string[],
  blocked: ReadonlySet<string>,
): Set<string> {
  const wanted = new Set(roots);
  for (const name of wanted) {
    for (const next of edgesOf(graph.needs, name)) if (!blocked.has(next)) wanted.add(next);
    for (const next of edgesOf(graph.pulls, name)) if (!blocked.has(next)) wanted.add(next);
  }
  return wanted;
}

/**
 * The names that would be wanted and are lazy: nobody asked for them, so that they are started by
 * the first connection to one of their sockets.
 */
export function lazyNames(wishes: Wishes): Set<string> {
  const lazy = [...wishes.definitions.values()].filter((spec) => spec.lazy === true);
  if (lazy.length === 0) return new Set();
  const blocked = blockedBy(wishes.intents, wishes.graph);
  const names = lazy.map(({ name }) => name);
  return new Set(names.filter((name) => !blocked.has(name) && isLazy(wishes, name)));
}

/** Whether a connection starts it, as far as it is not held down by what was asked of others. */
function isLazy({ definitions, graph, intents, meant }: Wishes, name: string): boolean {
  if (definitions.get(name)?.lazy !== true || !graph.needs.has(name)) return false;
  const intent = intents.get(name);
  return intent === undefined ? meant.has(name) : intent !== 'down';
}

/** The same of one: nothing that it needs is to be down. */
export function isLazyNow(wishes: Wishes, name: string): boolean {
  if (!isLazy(wishes, name)) return false;
  const needs = closure([name], wishes.graph.needs);
  return [...needs].every((need) => wishes.intents.get(need) !== 'down');
}

function blockedBy(intents: Wishes['intents'], graph: Graph): ReadonlySet<string> {
  const asked = [...intents].filter(([, intent]) => intent === 'down').map(([name]) => name);
  return closure(asked, graph.neededBy);
}

/** It is wanted for its own sake: people ask for it, or it is meant to be there and not lazy. */
function isRoot({ definitions, intents, meant }: Wishes, name: string): boolean {
  const intent = intents.get(name);
  if (intent !== undefined) return intent !== 'down';
  return meant.has(name) && definitions.get(name)?.lazy !== true;
}

/** Without a bundle of this name every service is wanted, as in a plain scan directory. */
export const DEFAULT_TARGET = 'default';
/** Targets that need not be defined: of what is there, a machine in trouble wants less. */
const RESCUE_TARGET = 'rescue';
const EMERGENCY_TARGET = 'emergency';

/** Whether anybody can bring up `target`. */
export function isTarget(target: string, definitions: Wishes['definitions']): boolean {
  const known = [DEFAULT_TARGET, RESCUE_TARGET, EMERGENCY_TARGET];
  return known.includes(target) || definitions.has(target);
}

/** The names that `target` stands for, and those that are wanted whatever it is. */
export function meantNames(
  target: string,
  { definitions, graph }: Pick<Wishes, 'definitions' | 'graph'>,
): Set<string> {
  const named = new Set(edgesOf(graph.members, target));
  const wants = unasked(target, definitions);
  const names = [...graph.needs.keys()].filter((name) => {
    const spec = definitions.get(name);
    return named.has(name) || (spec !== undefined && wants(spec));
  });
  return new Set(names);
}

/** What is wanted although neither a person nor the target names it. */
function unasked(target: string, definitions: Wishes['definitions']): (spec: Spec) => boolean {
  // Nothing that anything could wait for: a terminal, and what svinit itself cannot do without.
  if (target === EMERGENCY_TARGET) {
    return ({ early, essential, tty }) => early && (essential || tty !== null);
  }
  if (target === RESCUE_TARGET) return ({ early }) => early;
  // A slip in the name of a target must not leave a machine without its console.
  if (!isTarget(target, definitions)) {
    return ({ early, initially }) => early || initially === 'up';
  }
  const everything = target === DEFAULT_TARGET && definitions.get(target)?.type !== 'bundle';
  return ({ initially }) => initially === 'up' || (initially === 'target' && everything);
}
