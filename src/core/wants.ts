/**
 * What every service is wanted to be, recomputed whole from what people asked for (intents), the
 * target and the graph. Nothing is propagated, so nothing can be left over.
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
  /** The bundle that is wanted before anyone asks. */
  readonly target: string;
};

/**
 * The names that are wanted up. A service asked to be down takes with it, for as long as it is
 * asked to be, everything that needs it: what needs it cannot be up without it.
 */
export function wantedNames(wishes: Wishes): Set<string> {
  const { graph, intents } = wishes;
  const blocked = blockedBy(intents, graph);
  const wanted = new Set(
    roots(wishes).filter((name) => !blocked.has(name) && !isForLater(wishes, name)),
  );
  for (const name of wanted) {
    for (const edges of [graph.needs, graph.pulls]) {
      for (const next of edgesOf(edges, name)) if (!blocked.has(next)) wanted.add(next);
    }
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
  const meant = roots(wishes).filter((name) => !blocked.has(name));
  return new Set(meant.filter((name) => wishes.definitions.get(name)?.lazy === true));
}

function blockedBy(intents: Wishes['intents'], graph: Graph): ReadonlySet<string> {
  const asked = [...intents].filter(([, intent]) => intent === 'down').map(([name]) => name);
  return closure(asked, graph.neededBy);
}

/** It is lazy, and nobody has asked for it. */
function isForLater({ definitions, intents }: Wishes, name: string): boolean {
  return definitions.get(name)?.lazy === true && !intents.has(name);
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

function roots({ definitions, graph, intents, target }: Wishes): string[] {
  const named = new Set(edgesOf(graph.members, target));
  const wants = unasked(target, definitions);
  return [...graph.needs.keys()].filter((name) => {
    const intent = intents.get(name);
    if (intent === 'up' || intent === 'once' || named.has(name)) return true;
    const spec = definitions.get(name);
    return spec !== undefined && wants(spec);
  });
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
