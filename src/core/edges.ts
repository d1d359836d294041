/**
 * Edges between names: waves, cycles, what can be reached. It knows nothing of services.
 */

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
  const own = new Map([...edges].filter(([, needs]) => needs.length > 0));
  const { stuck } = waves(
    new Map([...own].map(([name, needs]) => [name, needs.filter((need) => own.has(need))])),
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
