/**
 * The verbs about dependencies: deps, rdeps and waves. The order itself is core/graph.ts's.
 */
import { closure, type Edges, findCycle, waves as wavesOf } from '../core/edges.ts';
import type { ServiceView } from '../core/methods.ts';
import { EXIT, Failure, usageFailure } from './failure.ts';
import type { Parsed } from './options.ts';
import type { Session } from './session.ts';
import { dash, glyphOf, painterOf, safe, stateText } from './words.ts';

type Direction = 'needs' | 'neededBy';

export async function deps(
  parsed: Parsed,
  session: Session,
  direction: Direction,
): Promise<number> {
  if (parsed.names.length === 0) {
    const verb = direction === 'needs' ? 'deps' : 'rdeps';
    throw usageFailure('Name a service', `svctl ${verb} NAME...`);
  }
  const { views, roots } = await ask(parsed.names, session);
  const edges: Edges = new Map([...views].map(([name, view]) => [name, view[direction]]));
  const reached = [...closure(roots, edges)];
  const json = Object.fromEntries(reached.map((name) => [name, edges.get(name) ?? []]));
  session.show({ [direction]: json }, () =>
    roots.flatMap((root) => treeLines(root, edges, views, session)),
  );
  return EXIT.done;
}

export async function waves(parsed: Parsed, session: Session): Promise<number> {
  const fromStdin = parsed.names.includes('-');
  if (fromStdin && parsed.names.length > 1) {
    throw usageFailure('- stands alone', 'svctl waves [NAME...|-]');
  }
  const edges = fromStdin
    ? parsePairs(await session.world.readStdin())
    : await edgesOfServices(parsed.names, session);
  const found = wavesOf(edges);
  if (found.stuck.length > 0) throw stuckFailure(edges, found.stuck);
  session.show({ waves: found.waves }, (shown) => shown.waves.map((wave) => safe(wave.join(' '))));
  return EXIT.done;
}

/**
 * Edges of tsort(1) input: words in pairs, the first before the second; a pair of the same word
 * only names it.
 * @throws {Failure} exit 2 when the last word has no partner, as tsort refuses it too.
 */
export function parsePairs(text: string): Map<string, string[]> {
  const words = text.split(/\s+/).filter((word) => word !== '');
  if (words.length % 2 !== 0) {
    throw new Failure(EXIT.usage, `Cannot read the pairs: ${words.length} words is an odd number`);
  }
  const needs = new Map<string, Set<string>>();
  const of = (name: string): Set<string> => {
    const known = needs.get(name) ?? new Set();
    needs.set(name, known);
    return known;
  };
  for (let i = 0; i < words.length; i += 2) {
    const [before = '', after = ''] = [words[i], words[i + 1]];
    of(before);
    const set = of(after);
    if (before !== after) set.add(before);
  }
  return new Map([...needs].map(([name, set]) => [name, [...set]]));
}

async function edgesOfServices(names: readonly string[], session: Session): Promise<Edges> {
  const { views, roots } = await ask(names, session);
  const all: Edges = new Map([...views].map(([name, { needs }]) => [name, needs]));
  if (names.length === 0) return all;
  const reached = closure(roots, all);
  return new Map([...all].filter(([name]) => reached.has(name)));
}

/** All services, and those that `names` (patterns and bundles too) stand for. */
async function ask(
  names: readonly string[],
  session: Session,
): Promise<{ views: ReadonlyMap<string, ServiceView>; roots: readonly string[] }> {
  const [named, all] = await Promise.all([
    names.length === 0 ? null : session.request('status', { names: [...names] }),
    session.request('ls', { names: [] }),
  ]);
  return {
    views: new Map(all.services.map((view) => [view.name, view])),
    roots: named?.services.map(({ name }) => name) ?? [],
  };
}

function stuckFailure(edges: Edges, stuck: readonly string[]): Failure {
  const cycle = findCycle(edges);
  if (cycle === null) {
    const what = `Cannot order ${stuck.join(', ')}: something they need is missing`;
    return new Failure(EXIT.invalidDefinition, what);
  }
  // findCycle walks from a name to what it needs; people read pairs from the first to the second.
  const path = cycle.toReversed().join(' -> ');
  return new Failure(
    EXIT.invalidDefinition,
    `Cannot order them: ${path} is a cycle`,
    'a -> b means that a comes before b',
  );
}

function treeLines(
  root: string,
  edges: Edges,
  views: ReadonlyMap<string, ServiceView>,
  { style }: Session,
): string[] {
  const lines: string[] = [];
  const seen = new Set<string>();
  const open: { name: string; depth: number }[] = [{ name: root, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const { name, depth } = next;
    const view = views.get(name);
    const below = edges.get(name) ?? [];
    const shownAbove = seen.has(name) && below.length > 0;
    const state = view === undefined ? 'not defined' : stateText(view, style);
    const glyph = view === undefined ? '?' : glyphOf(view.state, style);
    const painted = view === undefined ? state : painterOf(view.state, style)(state);
    const above = shownAbove ? ` ${dash(style)} see above` : '';
    lines.push(`${'  '.repeat(depth)}${glyph} ${safe(name)}: ${painted}${above}`);
    if (seen.has(name)) continue;
    seen.add(name);
    for (const need of below.toReversed()) open.push({ name: need, depth: depth + 1 });
  }
  return lines;
}
