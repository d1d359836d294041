/** Random graphs and requests: what a request changes is what computing everything anew gives. */
import t from 'tap';
import { buildGraph } from '../../src/core/graph.ts';
import type { Spec } from '../../src/core/spec.ts';
import {
  type Intent,
  isLazyNow,
  lazyNames,
  meantNames,
  suspects,
  type Wishes,
  wantedAmong,
  wantedNames,
} from '../../src/core/wants.ts';
import { numbers, randomSpecs, specs as specsOf } from './graph-specs.ts';

const SEEDS = 3000;
const REQUESTS = 12;

const sorted = (names: Iterable<string>): string => [...names].sort().join(' ');

t.test('suspects() and wantedAmong() find what wantedNames() does', async (t) => {
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const wrong = differenceOf(seed);
    if (wrong !== null) return void t.fail(`seed ${seed}: ${wrong}`);
  }
  t.pass(`${SEEDS} graphs, ${REQUESTS} requests each`);
});

t.test('only who may be wanted otherwise is looked at', async (t) => {
  const wishes = wishesOf(specsOf({ base: [], web: ['base'], alone: [], other: ['base'] }), 'web');
  const before = new Set(['web', 'base']);
  const asked = (name: string, intent: Intent): string =>
    sorted(suspects({ ...wishes, intents: new Map([[name, intent]]) }, before, [name]));
  t.equal(asked('web', 'up'), '', 'it is wanted anyway');
  t.equal(asked('alone', 'up'), 'alone');
  t.equal(asked('web', 'down'), 'base web', 'what it needs may not be wanted any more');
  t.equal(asked('base', 'down'), 'base other web', 'and who needs it cannot be up');
});

function differenceOf(seed: number): string | null {
  const next = numbers(seed + 77);
  const lazy = (spec: Spec): Spec => (next(5) === 0 ? { ...spec, lazy: true } : spec);
  const all = [...randomSpecs(seed)].map(([name, spec]): [string, Spec] => [name, lazy(spec)]);
  const intents = new Map<string, Intent>();
  const wishes = { ...wishesOf(new Map(all), `n${next(9)}`), intents };
  const names = [...wishes.graph.needs.keys()];
  if (names.length === 0) return null;
  const [wanted, waiting] = [wantedNames(wishes), lazyNames(wishes)];
  for (let request = 0; request < REQUESTS; request += 1) {
    const asked = Array.from({ length: 1 + next(2) }, () => names[next(names.length)] ?? '');
    for (const name of asked) {
      const intent = (['up', 'down', 'once', null] as const)[next(4)] ?? null;
      if (intent === null) intents.delete(name);
      else intents.set(name, intent);
    }
    const among = suspects(wishes, wanted, asked);
    const found = wantedAmong(wishes, wanted, among);
    for (const name of among) take(wanted, name, found.has(name));
    for (const name of [...among, ...asked]) take(waiting, name, isLazyNow(wishes, name));
    const said = `${asked} among ${[...intents]}: ${sorted(among)} gave`;
    if (sorted(wanted) !== sorted(wantedNames(wishes))) return `${said} ${sorted(wanted)}`;
    if (sorted(waiting) !== sorted(lazyNames(wishes))) return `${said} lazy ${sorted(waiting)}`;
  }
  return null;
}

function take(names: Set<string>, name: string, isIn: boolean): void {
  if (isIn) names.add(name);
  else names.delete(name);
}

function wishesOf(definitions: ReadonlyMap<string, Spec>, target: string): Wishes {
  const { graph } = buildGraph(definitions);
  const meant = meantNames(target, { definitions, graph });
  return { definitions, graph, intents: new Map(), meant };
}
