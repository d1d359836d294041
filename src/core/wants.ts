/**
 * What every service is wanted to be, recomputed whole from what people asked for (intents), the
 * target and the graph. Nothing is propagated, so nothing can be left over.
 */
import { closure, edgesOf } from './edges.ts';
import type { Graph } from './graph.ts';
import type { Spec } from './spec.ts';

/** What a person asked of one service by name; the absence of an entry means nothing was asked. */
export type Intent = 'up' | 'down';

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
  const asked = [...intents].filter(([, intent]) => intent === 'down').map(([name]) => name);
  const blocked = closure(asked, graph.neededBy);
  const wanted = new Set(roots(wishes).filter((name) => !blocked.has(name)));
  for (const name of wanted) {
    for (const edges of [graph.needs, graph.pulls]) {
      for (const next of edgesOf(edges, name)) if (!blocked.has(next)) wanted.add(next);
    }
  }
  return wanted;
}

/** Without a bundle of this name every service is wanted, as in a plain scan directory. */
export const DEFAULT_TARGET = 'default';
/** Targets of a machine in trouble: of what is there unasked only early services are wanted. */
const RESCUE_TARGETS: ReadonlySet<string> = new Set(['rescue', 'emergency']);

function roots({ definitions, graph, intents, target }: Wishes): string[] {
  const everything = target === DEFAULT_TARGET && definitions.get(target)?.type !== 'bundle';
  const inTrouble = RESCUE_TARGETS.has(target);
  const named = new Set(edgesOf(graph.members, target));
  const names = [...graph.needs.keys()];
  return names.filter((name) => {
    if (intents.get(name) === 'up' || named.has(name)) return true;
    const spec = definitions.get(name);
    if (inTrouble) return spec?.early === true;
    return spec?.initially === 'up' || (spec?.initially === 'target' && everything);
  });
}
