/** Thousands of random graphs against definitions so slow and plain that they can be believed. */
import t from 'tap';
import { type Edges, edgesOf, findCycle, waves } from '../../src/core/edges.ts';
import { buildGraph } from '../../src/core/graph.ts';
import type { Spec } from '../../src/core/spec.ts';
import { numbers, randomSpecs } from './graph-specs.ts';

const ROUNDS = 3000;
const FIRST = Number(process.env['SEED'] ?? 1);

type Judge = { fail(message: string): boolean; pass(message: string): boolean };

/** Runs `check` for many seeds; it returns what is wrong, or null. SEED=n begins at n. */
function forSeeds(t: Judge, check: (seed: number) => string | null): void {
  for (let seed = FIRST; seed < FIRST + ROUNDS; seed += 1) {
    const wrong = check(seed);
    if (wrong !== null) return void t.fail(`SEED=${seed}: ${wrong}`);
  }
  t.pass(`${ROUNDS} seeds from ${FIRST}`);
}

function randomEdges(seed: number): Edges {
  const next = numbers(seed);
  const size = 1 + next(8);
  const name = () => `n${next(size + (next(5) === 0 ? 1 : 0))}`;
  return new Map(
    Array.from({ length: size }, (_, i) => [`n${i}`, Array.from({ length: next(3) }, name)]),
  );
}

/** Names that can be reached from `from` in one step or more. */
function reach(edges: Edges, from: string): Set<string> {
  const seen = new Set<string>();
  const open = [...edgesOf(edges, from)];
  for (let name = open.pop(); name !== undefined; name = open.pop()) {
    if (seen.has(name)) continue;
    seen.add(name);
    open.push(...edgesOf(edges, name));
  }
  return seen;
}

t.test('waves() puts each name into the first wave it can be in', async (t) => {
  forSeeds(t, (seed) => {
    const edges = randomEdges(seed);
    const { waves: found, stuck } = waves(edges);
    const done = new Set<string>();
    for (const wave of found) {
      const may = [...edges].filter(
        ([n, needs]) => !done.has(n) && needs.every((x) => done.has(x)),
      );
      const expected = may.map(([name]) => name).sort();
      if (expected.join() !== [...wave].sort().join()) return `wave ${wave}, not ${expected}`;
      for (const name of wave) done.add(name);
    }
    const left = [...edges.keys()].filter((name) => !done.has(name));
    if (left.join() !== stuck.join()) return `stuck ${stuck}, not ${left}`;
    const open = left.find((name) => edgesOf(edges, name).every((need) => done.has(need)));
    return open === undefined ? null : `${open} was left behind`;
  });
});

t.test('findCycle() finds one if there is one, and it is one', async (t) => {
  forSeeds(t, (seed) => {
    const edges = randomEdges(seed);
    const cycle = findCycle(edges);
    const exists = [...edges.keys()].some((name) => reach(edges, name).has(name));
    if (cycle === null) return exists ? 'a cycle was not found' : null;
    return isCycle(edges, cycle) ? null : `${cycle} is no cycle`;
  });
});

function isCycle(edges: Edges, path: readonly string[]): boolean {
  const inner = path.slice(1);
  return (
    path.length > 1 &&
    path[0] === path.at(-1) &&
    new Set(inner).size === inner.length &&
    inner.every((name, i) => edgesOf(edges, path[i] ?? '').includes(name))
  );
}

/** The atomic services that `name` stands for, by the definition. */
function atoms(specs: ReadonlyMap<string, Spec>, name: string): string[] {
  const contents = new Map([...specs].map(([key, spec]) => [key, spec.contents]));
  const all = [name, ...reach(contents, name)];
  return [...new Set(all)].filter((key) => specs.has(key) && specs.get(key)?.type !== 'bundle');
}

const sorted = (names: Iterable<string>): string => [...new Set(names)].sort().join();

t.test('buildGraph() keeps what can start, and nothing else', async (t) => {
  forSeeds(t, (seed) => {
    const specs = randomSpecs(seed);
    const { graph, refused, problems } = buildGraph(specs);
    const kept = new Map([...specs].filter(([name]) => !refused.has(name)));
    for (const [name, spec] of kept) {
      const lost = spec.needs.find((need) => !kept.has(need));
      if (lost !== undefined) return `${name} is kept, and needs ${lost}`;
    }
    const both = new Map(
      [...graph.needs].map(([name, needs]) => [name, [...needs, ...edgesOf(graph.order, name)]]),
    );
    if (findCycle(both) !== null) return `a cycle was left: ${findCycle(both)}`;
    for (const name of refused) {
      if (!problems.some((problem) => problem.name === name)) return `${name}: no reason given`;
    }
    return null;
  });
});

t.test('buildGraph() refuses only what has a cycle or a refused need', async (t) => {
  forSeeds(t, (seed) => {
    const specs = randomSpecs(seed);
    const { refused, problems } = buildGraph(specs);
    for (const { name, reason } of problems) {
      const need = /^needs '(.*)', which/.exec(reason)?.[1];
      if (need !== undefined) {
        const isLost = refused.has(need) || !specs.has(need);
        if (!isLost || !specs.get(name)?.needs.includes(need)) return `${name}: ${reason}`;
      }
      const path = /cycle: (.*)|itself: (.*)/.exec(reason)?.slice(1).find(Boolean)?.split(' -> ');
      if (path !== undefined && !isCycle(everyEdge(specs), path)) return `${name}: ${reason}`;
    }
    return null;
  });
});

/** Every edge there could be: needs and order between atoms, and bundles to their contents. */
function everyEdge(specs: ReadonlyMap<string, Spec>): Edges {
  const edges = new Map<string, string[]>([...specs.keys()].map((name) => [name, []]));
  for (const [name, spec] of specs) {
    const list = edges.get(name);
    if (spec.type === 'bundle') list?.push(...spec.contents);
    else {
      for (const other of [...spec.needs, ...spec.wants, ...spec.after]) {
        list?.push(...(other === name ? [name] : atoms(specs, other)));
      }
      for (const other of spec.before) {
        for (const atom of atoms(specs, other)) edges.get(atom)?.push(name);
      }
    }
  }
  return edges;
}

t.test('buildGraph() expands bundles, and turns edges round, as the definition says', async (t) => {
  forSeeds(t, (seed) => {
    const specs = randomSpecs(seed);
    const { graph, refused } = buildGraph(specs);
    const kept = new Map([...specs].filter(([name]) => !refused.has(name)));
    for (const [name, spec] of kept) {
      const members = edgesOf(graph.members, name);
      if (sorted(members) !== sorted(atoms(kept, name))) return `members of ${name}: ${members}`;
      if (spec.type === 'bundle') continue;
      const needs = spec.needs.flatMap((need) => atoms(kept, need)).filter((n) => n !== name);
      if (sorted(edgesOf(graph.needs, name)) !== sorted(needs)) return `needs of ${name}`;
      const pulls = spec.wants.flatMap((want) => atoms(kept, want)).filter((n) => n !== name);
      if (sorted(edgesOf(graph.pulls, name)) !== sorted(pulls)) return `pulls of ${name}`;
      for (const [other] of graph.needs) {
        const needsIt = edgesOf(graph.needs, other).includes(name);
        if (needsIt !== edgesOf(graph.neededBy, name).includes(other)) return `${other} -> ${name}`;
        const waits = needsIt || edgesOf(graph.order, other).includes(name);
        if (waits !== edgesOf(graph.dependants, name).includes(other)) return `${other}, ${name}`;
      }
    }
    return null;
  });
});
