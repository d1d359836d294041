/** Waves, cycles, what is missing, bundles: by example. */
import t from 'tap';
import { closure, edgesOf, findCycle, frontier, reversed, waves } from '../../src/core/edges.ts';
import { buildGraph } from '../../src/core/graph.ts';
import { bundle, specs } from './graph-specs.ts';

const edges = (all: Readonly<Record<string, readonly string[]>>) => new Map(Object.entries(all));

/** Needs and refusals of a graph, as plain data. */
function built(all: Parameters<typeof specs>[0]) {
  const { graph, refused, problems } = buildGraph(specs(all));
  return {
    needs: Object.fromEntries(graph.needs),
    order: Object.fromEntries(graph.order),
    refused: [...refused].sort(),
    reasons: problems.map(({ name, reason }) => `${name}: ${reason}`).sort(),
  };
}

t.test('waves(): 1 before 2 and 3 before 4 is 1 and 3 together, then 2 and 4', async (t) => {
  const pairs = edges({ 1: [], 2: ['1'], 3: [], 4: ['3'] });
  t.strictSame(waves(pairs), {
    waves: [
      ['1', '3'],
      ['2', '4'],
    ],
    stuck: [],
  });
});

t.test('waves() leaves out what waits for a cycle or for nobody', async (t) => {
  const all = edges({ a: ['b'], b: ['a'], c: ['a'], d: ['nobody'], e: [], f: ['e', 'e'] });
  t.strictSame(waves(all), { waves: [['e'], ['f']], stuck: ['a', 'b', 'c', 'd'] });
  t.strictSame(waves(edges({})), { waves: [], stuck: [] });
});

t.test('frontier() is what may start now', async (t) => {
  const all = edges({ a: [], b: ['a'], c: ['a', 'b'], d: ['nobody'] });
  t.strictSame(frontier(all, new Set()), ['a']);
  t.strictSame(frontier(all, new Set(['a'])), ['b']);
  t.strictSame(frontier(all, new Set(['a', 'b', 'nobody'])), ['c', 'd']);
});

t.test('reversed(), closure() and edgesOf()', async (t) => {
  const all = edges({ a: ['b'], b: ['c'], c: [], d: ['b'] });
  t.strictSame(Object.fromEntries(reversed(all)), { a: [], b: ['a', 'd'], c: ['b'], d: [] });
  t.strictSame([...closure(['a'], all)], ['a', 'b', 'c']);
  t.strictSame([...closure(['c'], all, reversed(all))].sort(), ['a', 'b', 'c', 'd']);
  t.strictSame([...closure(['x', 'y'], edges({ x: ['y'], y: ['x'] }))], ['x', 'y']);
  t.strictSame(edgesOf(all, 'nobody'), []);
});

t.test('findCycle() gives the whole path, and only the cycle', async (t) => {
  t.equal(findCycle(edges({ a: ['b'], b: [] })), null);
  t.strictSame(findCycle(edges({ a: ['a'] })), ['a', 'a']);
  t.strictSame(findCycle(edges({ a: ['b'], b: ['c'], c: ['d'], d: ['b'] })), ['b', 'c', 'd', 'b']);
  t.equal(findCycle(edges({ a: ['nobody'] })), null);
  t.strictSame(findCycle(edges({ a: ['nobody'], b: ['c'], c: ['b'] })), ['b', 'c', 'b']);
});

t.test('F46 a chain of a thousand is a thousand waves, and a ring of them one cycle', async (t) => {
  const names = Array.from({ length: 1000 }, (_, i) => `s${i}`);
  const chain = Object.fromEntries(names.map((name, i) => [name, i === 0 ? [] : [`s${i - 1}`]]));
  const { graph, problems } = buildGraph(specs(chain));
  t.strictSame(problems, []);
  t.strictSame(
    waves(graph.needs).waves,
    names.map((name) => [name]),
  );
  const ring = buildGraph(specs({ ...chain, s0: ['s999'] }));
  t.equal(ring.refused.size, 1000);
  t.equal(ring.problems[0]?.reason.split(' -> ').length, 1001);
  const missing = buildGraph(specs({ ...chain, s0: ['nobody'] }));
  t.equal(missing.refused.size, 1000);
});

t.test('buildGraph() refuses a cycle, those on it and those behind it, and no other', async (t) => {
  const found = built({ a: ['b'], b: ['a'], behind: ['a'], free: [], above: ['free'] });
  t.strictSame(found.refused, ['a', 'b', 'behind']);
  t.strictSame(found.reasons, [
    'a: dependency cycle: a -> b -> a',
    'b: dependency cycle: a -> b -> a',
    "behind: needs 'a', which is itself refused",
  ]);
  t.strictSame(found.needs, { free: [], above: ['free'] });
});

t.test('F46 buildGraph() names a missing need, and a service that needs itself', async (t) => {
  const found = built({ a: ['nobody'], b: ['a'], c: ['c'], d: { wants: ['nobody'] } });
  t.strictSame(found.reasons, [
    "a: needs 'nobody', which is not defined anywhere",
    "b: needs 'a', which is itself refused",
    'c: dependency cycle: c -> c',
  ]);
  t.strictSame(found.needs, { d: [] }, 'a want of nobody holds nothing up');
});

t.test('order alone can be a cycle too', async (t) => {
  t.strictSame(built({ a: { after: ['b'] }, b: ['a'] }).refused, ['a', 'b']);
  t.strictSame(built({ a: { before: ['b'] }, b: { before: ['a'] } }).refused, ['a', 'b']);
  t.strictSame(built({ a: { wants: ['b'] }, b: { after: ['a'] } }).refused, ['a', 'b']);
});

t.test('wants, after and before become order; needs do not', async (t) => {
  const { order } = built({
    a: { needs: ['n'], wants: ['w'], after: ['x', 'nobody'], before: ['y'] },
    n: [],
    w: [],
    x: [],
    y: [],
  });
  t.strictSame(order, { a: ['w', 'x'], n: [], w: [], x: [], y: ['a'] });
});

t.test('a bundle stands for its members, however deep', async (t) => {
  const { graph, problems } = buildGraph(
    specs({
      top: bundle('middle', 'c'),
      middle: bundle('a', 'b', 'empty'),
      empty: bundle(),
      a: [],
      b: [],
      c: [],
      user: ['top'],
      late: { after: ['middle'] },
    }),
  );
  t.strictSame(problems, []);
  t.strictSame([...(graph.members.get('top') ?? [])].sort(), ['a', 'b', 'c']);
  t.strictSame(graph.members.get('empty'), []);
  t.strictSame(graph.members.get('a'), ['a']);
  t.strictSame([...(graph.needs.get('user') ?? [])].sort(), ['a', 'b', 'c']);
  t.strictSame(graph.order.get('late'), ['a', 'b']);
  t.strictSame(graph.neededBy.get('a'), ['user']);
  t.strictSame(graph.dependants.get('a'), ['user', 'late']);
  t.notOk(graph.needs.has('top'), 'only atomic services have edges');
});

t.test('a bundle keeps its good members, and may not contain itself', async (t) => {
  const found = built({ all: bundle('a', 'nobody'), a: [] });
  t.strictSame(found.reasons, ["all: member 'nobody' is not defined anywhere"]);
  t.strictSame(found.refused, []);
  const ring = built({ x: bundle('y'), y: bundle('x', 'a'), a: [], user: ['y'] });
  t.strictSame(ring.reasons, [
    "user: needs 'y', which is itself refused",
    'x: bundle contains itself: x -> y -> x',
    'y: bundle contains itself: x -> y -> x',
  ]);
  t.strictSame(ring.needs, { a: [] });
});

t.test('an early service cannot wait for one that is not early', async (t) => {
  const needs = built({ a: { early: true, needs: ['b'] }, b: [], c: ['a'] });
  t.strictSame(needs.reasons, [
    "a: is early, and waits for 'b', which is not",
    "c: needs 'a', which is itself refused",
  ]);
  const before = built({ a: { early: true }, b: { before: ['a'] }, c: ['a'] });
  t.strictSame(before.reasons, ["b: comes before 'a', which is early, and is not"]);
  t.strictSame(before.refused, ['b'], 'who says it is refused, not who is meant');
  const fine = built({
    a: { early: true, after: ['b'] },
    b: { early: true },
    c: { before: ['d'] },
  });
  t.strictSame(fine.refused, []);
});
