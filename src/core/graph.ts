/**
 * Dependencies: who must be ready before whom, in which waves, and what can never start.
 * It knows names only, nothing of processes.
 */
import type { Problem, Spec } from './spec.ts';

/** Edges by name. Both maps hold every atomic service; bundles are already expanded. */
export type Graph = {
  /** Must be ready before me, and goes down after me. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** Settles before me if it is wanted at all; its failure does not hold me. */
  readonly order: ReadonlyMap<string, readonly string[]>;
  /** Started with me (`wants`), whatever becomes of it. */
  readonly pulls: ReadonlyMap<string, readonly string[]>;
  /** The reverse of `needs` and `order` together. */
  readonly dependants: ReadonlyMap<string, readonly string[]>;
  /** The reverse of `needs` alone. */
  readonly neededBy: ReadonlyMap<string, readonly string[]>;
  /** Atomic members of each bundle; an atomic service stands for itself. */
  readonly members: ReadonlyMap<string, readonly string[]>;
};

export type Edges = ReadonlyMap<string, readonly string[]>;

const NONE: readonly string[] = [];

/** The edges of `name`, never undefined. */
export const edgesOf = (edges: Edges, name: string): readonly string[] => edges.get(name) ?? NONE;

/** Names not met themselves whose needs are all met, in the order of `edges`. */
export function frontier(edges: Edges, met: ReadonlySet<string>): string[] {
  const open: string[] = [];
  for (const [name, needs] of edges) {
    if (!met.has(name) && needs.every((need) => met.has(need))) open.push(name);
  }
  return open;
}

/** The frontier repeated: wave after wave, and what is stuck behind a cycle or a missing name. */
export function waves(edges: Edges): { waves: string[][]; stuck: string[] } {
  const dependants = reversed(edges);
  const missing = new Map([...edges].map(([name, needs]) => [name, new Set(needs).size]));
  const found: string[][] = [];
  let wave = [...edges.keys()].filter((name) => missing.get(name) === 0);
  const done = new Set<string>();
  while (wave.length > 0) {
    found.push(wave);
    const next: string[] = [];
    for (const name of wave) {
      done.add(name);
      for (const dependant of new Set(edgesOf(dependants, name))) {
        const left = (missing.get(dependant) ?? 0) - 1;
        missing.set(dependant, left);
        if (left === 0) next.push(dependant);
      }
    }
    wave = next;
  }
  return { waves: found, stuck: [...edges.keys()].filter((name) => !done.has(name)) };
}

/** The edges turned round; every name of `edges` is a key. */
export function reversed(edges: Edges): Map<string, string[]> {
  const back = new Map<string, string[]>([...edges.keys()].map((name) => [name, []]));
  for (const [name, targets] of edges) {
    for (const target of targets) {
      const list = back.get(target);
      if (list === undefined) back.set(target, [name]);
      else list.push(name);
    }
  }
  return back;
}

/** Everything reachable from `roots`, roots included. */
export function closure(roots: Iterable<string>, ...edges: readonly Edges[]): Set<string> {
  const seen = new Set<string>(roots);
  for (const name of seen) {
    for (const map of edges) for (const next of edgesOf(map, name)) seen.add(next);
  }
  return seen;
}

/** One cycle among `edges` as a path that ends where it began, or null when there is none. */
export function findCycle(edges: Edges): string[] | null {
  // Names without edges of their own are no part of a cycle, and must not hide one.
  const { stuck } = waves(
    new Map([...edges].map(([name, needs]) => [name, needs.filter((need) => edges.has(need))])),
  );
  const inside = new Set(stuck);
  const [first] = stuck;
  if (first === undefined) return null;
  // Every stuck name has a stuck need, so walking on must come back to a name already passed.
  const path: string[] = [];
  let name = first;
  while (!path.includes(name)) {
    path.push(name);
    const next = edgesOf(edges, name).find((need) => inside.has(need));
    if (next === undefined) return null;
    name = next;
  }
  return [...path.slice(path.indexOf(name)), name];
}

/**
 * Builds the graph of `specs`. Specs that can never start (a missing need, a cycle, a need that
 * was refused) are left out and named in `problems`; everything else stands.
 */
export function buildGraph(specs: ReadonlyMap<string, Spec>): {
  graph: Graph;
  refused: ReadonlySet<string>;
  problems: readonly Problem[];
} {
  const problems: Problem[] = [];
  const refused = new Set<string>();
  const refuse = (name: string, reason: string, file: string | null): void => {
    refused.add(name);
    problems.push(problemOf(specs, name, reason, file));
  };
  refuseBundleCycles(specs, refuse);
  refuseMissing(specs, refused, refuse);
  for (;;) {
    const graph = connect(specs, refused);
    const all = mergeEdges(graph.needs, graph.order);
    const cycle = findCycle(all);
    if (cycle === null) {
      problems.push(...missingMembers(specs, refused));
      return { graph, refused, problems };
    }
    const path = cycle.join(' -> ');
    for (const name of cycle.slice(1)) {
      refuse(name, `dependency cycle: ${path}`, 'dependencies.d');
    }
    refuseMissing(specs, refused, refuse);
  }
}

function problemOf(
  specs: ReadonlyMap<string, Spec>,
  name: string,
  reason: string,
  file: string | null,
): Problem {
  return { name, directory: specs.get(name)?.directory ?? '', file, line: null, reason };
}

function refuseBundleCycles(
  specs: ReadonlyMap<string, Spec>,
  refuse: (name: string, reason: string, file: string | null) => void,
): void {
  const bundles = new Map<string, readonly string[]>();
  for (const [name, spec] of specs) {
    if (spec.type === 'bundle') {
      bundles.set(
        name,
        spec.contents.filter((member) => specs.get(member)?.type === 'bundle'),
      );
    }
  }
  for (;;) {
    const cycle = findCycle(bundles);
    if (cycle === null) return;
    for (const name of cycle.slice(1)) {
      refuse(name, `bundle contains itself: ${cycle.join(' -> ')}`, 'contents.d');
      bundles.delete(name);
    }
    for (const [name, members] of bundles) {
      bundles.set(
        name,
        members.filter((member) => bundles.has(member)),
      );
    }
  }
}

/** Refuses, again and again, what needs something that is not there or was refused. */
function refuseMissing(
  specs: ReadonlyMap<string, Spec>,
  refused: ReadonlySet<string>,
  refuse: (name: string, reason: string, file: string | null) => void,
): void {
  for (let more = true; more; ) {
    more = false;
    for (const [name, spec] of specs) {
      if (refused.has(name)) continue;
      const bad = spec.needs.find((need) => !specs.has(need) || refused.has(need));
      if (bad === undefined) continue;
      const why = specs.has(bad) ? 'which is itself refused' : 'which is not defined anywhere';
      refuse(name, `needs '${bad}', ${why}`, 'dependencies.d');
      more = true;
    }
  }
}

/** A bundle with a bad member keeps the good ones: one broken file must not empty a target. */
function missingMembers(specs: ReadonlyMap<string, Spec>, refused: ReadonlySet<string>): Problem[] {
  return [...specs.values()]
    .filter((spec) => spec.type === 'bundle' && !refused.has(spec.name))
    .flatMap((spec) =>
      spec.contents
        .filter((member) => !specs.has(member))
        .map((member) =>
          problemOf(specs, spec.name, `member '${member}' is not defined anywhere`, 'contents.d'),
        ),
    );
}

function connect(specs: ReadonlyMap<string, Spec>, refused: ReadonlySet<string>): Graph {
  const kept = [...specs.values()].filter((spec) => !refused.has(spec.name));
  const contents = new Map(
    kept.map((spec): [string, readonly string[]] => [
      spec.name,
      spec.type === 'bundle' ? spec.contents.filter((m) => specs.has(m) && !refused.has(m)) : [],
    ]),
  );
  const isAtomic = (name: string): boolean => specs.get(name)?.type !== 'bundle';
  const expand = (name: string): string[] =>
    contents.has(name) ? [...closure([name], contents)].filter(isAtomic) : [];
  const members = new Map(kept.map((spec) => [spec.name, expand(spec.name)]));
  const expandAll = (names: readonly string[], self: string): string[] =>
    [...new Set(names.flatMap((name) => members.get(name) ?? []))].filter((name) => name !== self);

  const needs = new Map<string, string[]>();
  const order = new Map<string, string[]>();
  const pulls = new Map<string, string[]>();
  const atomic = kept.filter((spec) => spec.type !== 'bundle');
  for (const { name, ...spec } of atomic) {
    // A service that needs itself keeps that edge, so that it is found as the cycle it is.
    const own = spec.needs.includes(name) ? [name] : [];
    needs.set(name, [...own, ...expandAll(spec.needs, name)]);
    pulls.set(name, expandAll(spec.wants, name));
    order.set(name, expandAll([...spec.wants, ...spec.after], name));
  }
  for (const spec of atomic) {
    for (const other of expandAll(spec.before, spec.name)) order.get(other)?.push(spec.name);
  }
  const both = mergeEdges(needs, order);
  return { needs, order, pulls, dependants: reversed(both), neededBy: reversed(needs), members };
}

function mergeEdges(a: Edges, b: Edges): Map<string, string[]> {
  return new Map(
    [...a].map(([name, edges]) => [name, [...new Set([...edges, ...edgesOf(b, name)])]]),
  );
}
