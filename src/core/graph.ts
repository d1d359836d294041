/**
 * Dependencies between services: who must be ready before whom, and what can never start. It knows
 * definitions, nothing of processes.
 */
import { closure, type Edges, edgesOf, findCycle, reversed } from './edges.ts';
import type { Problem, Spec } from './spec.ts';

/** Edges by name. Both maps hold every atomic service; bundles are already expanded. */
export type Graph = {
  /** Must be ready before me, and goes down after me. */
  readonly needs: ReadonlyMap<string, readonly string[]>;
  /** Settles before me if it is wanted at all; its failure does not hold me. */
  readonly order: ReadonlyMap<string, readonly string[]>;
  /** Started with me (`wants`), whatever becomes of it. */
  readonly pulls: ReadonlyMap<string, readonly string[]>;
  /** The reverse of `pulls`, of those that are pulled. */
  readonly pulledBy: ReadonlyMap<string, readonly string[]>;
  /** The reverse of `needs` and `order` together. */
  readonly dependants: ReadonlyMap<string, readonly string[]>;
  /** The reverse of `needs` alone. */
  readonly neededBy: ReadonlyMap<string, readonly string[]>;
  /** Atomic members of each bundle; an atomic service stands for itself. */
  readonly members: ReadonlyMap<string, readonly string[]>;
  /** Bundles by each atomic member, of those that are in one. */
  readonly bundles: ReadonlyMap<string, readonly string[]>;
};

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
    const cycle = findCycle(all) ?? [];
    const path = cycle.join(' -> ');
    for (const name of cycle.slice(1)) {
      refuse(name, `dependency cycle: ${path}`, 'dependencies.d');
    }
    const isLate = cycle.length === 0 && refuseLate(specs, graph, refuse);
    if (cycle.length === 0 && !isLate) {
      problems.push(...missingMembers(specs, refused));
      return { graph, refused, problems };
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

/**
 * Early services are up before any other is started, so none of them can wait for one that is not
 * early. Refuses whoever says so; whether there was one.
 */
function refuseLate(
  specs: ReadonlyMap<string, Spec>,
  { needs, order, members }: Graph,
  refuse: (name: string, reason: string, file: string | null) => void,
): boolean {
  let found = false;
  for (const [name, spec] of specs) {
    if (!spec.early || !needs.has(name)) continue;
    const waitsFor = [...edgesOf(needs, name), ...edgesOf(order, name)];
    const late = waitsFor.find((other) => specs.get(other)?.early === false);
    if (late === undefined) continue;
    found = true;
    const own = [...spec.needs, ...spec.wants, ...spec.after];
    const isOwn = own.some((other) => edgesOf(members, other).includes(late));
    if (isOwn) refuse(name, `is early, and waits for '${late}', which is not`, 'service.json');
    else refuse(late, `comes before '${name}', which is early, and is not`, 'service.json');
  }
  return found;
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
    isAtomic(name) ? [name] : [...closure([name], contents)].filter(isAtomic);
  const members = new Map(kept.map((spec) => [spec.name, expand(spec.name)]));
  const expandAll = (names: readonly string[], self: string): readonly string[] => {
    if (names.length === 0) return NONE;
    const all = new Set(names.flatMap((name) => members.get(name) ?? []));
    return [...all].filter((name) => name !== self);
  };

  const needs = new Map<string, readonly string[]>();
  const order = new Map<string, readonly string[]>();
  const pulls = new Map<string, readonly string[]>();
  const atomic = kept.filter((spec) => spec.type !== 'bundle');
  const before = new Map(atomic.map(({ name, before }) => [name, expandAll(before, name)]));
  for (const spec of atomic) {
    const { name } = spec;
    const others = expandAll(spec.needs, name);
    // A service that needs itself keeps that edge, so that it is found as the cycle it is.
    needs.set(name, spec.needs.includes(name) ? [name, ...others] : others);
    pulls.set(name, expandAll(spec.wants, name));
    order.set(name, expandAll(joined(spec.wants, spec.after), name));
  }
  for (const [other, names] of reversed(withEdges(before))) {
    if (order.has(other)) order.set(other, joined(edgesOf(order, other), names));
  }
  const both = mergeEdges(needs, order);
  const [dependants, neededBy] = [reversed(withEdges(both)), reversed(withEdges(needs))];
  const contained = kept.filter((spec) => spec.type === 'bundle');
  const bundles = reversed(new Map(contained.map(({ name }) => [name, edgesOf(members, name)])));
  const pulledBy = reversed(withEdges(pulls));
  return { needs, order, pulls, pulledBy, dependants, neededBy, members, bundles };
}

function mergeEdges(a: Edges, b: Edges): Edges {
  const both = new Map<string, readonly string[]>();
  for (const [name, edges] of a) both.set(name, joined(edges, edgesOf(b, name)));
  return both;
}

/** Both, each name once; mostly one of them is empty. */
function joined(some: readonly string[], more: readonly string[]): readonly string[] {
  if (more.length === 0) return some;
  return some.length === 0 ? more : [...new Set([...some, ...more])];
}

/** Without the names that have none. */
const withEdges = (edges: Edges): Edges =>
  new Map([...edges].filter(([, names]) => names.length > 0));

const NONE: readonly string[] = [];
