/**
 * Why a service is as it is: the chain from it to what holds it in the end, and the one command
 * that helps there. Pure.
 */
import type { Results, ServiceView } from '../core/methods.ts';
import { durationWords } from '../core/units.ts';
import { probeRows } from './print.ts';
import type { Style } from './terminal.ts';
import { arrow, dash, glyphOf, painterOf, safe, stateText } from './words.ts';

/** One service of the chain; `depth` says whose `waitingFor` it was found in. */
export type Link = {
  readonly depth: number;
  readonly name: string;
  /** Null when no service of that name is defined. */
  readonly view: ServiceView | null;
  /** It was shown further up; what it waits for is not repeated. */
  readonly again: boolean;
};

export type Explanation = {
  readonly name: string;
  readonly chain: readonly Link[];
  /** A command, or null when nothing is wrong or only time helps. */
  readonly advice: string | null;
};

/** Follows `waitingFor` from `name`, depth first, each service once. */
export function explain(name: string, all: Results['ls']): Explanation {
  const views = new Map(all.services.map((view) => [view.name, view]));
  const seen = new Set<string>();
  const chain: Link[] = [];
  const open: { name: string; depth: number }[] = [{ name, depth: 0 }];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    const view = views.get(next.name) ?? null;
    const again = seen.has(next.name);
    seen.add(next.name);
    chain.push({ ...next, view, again });
    if (view === null || again) continue;
    const { depth } = next;
    for (const held of view.waitingFor.toReversed()) open.push({ name: held, depth: depth + 1 });
  }
  return { name, chain, advice: adviceFor(chain, all.halting !== null) };
}

/** @param lastWord The last line a service has printed; of one that failed it may be the reason. */
export function whyLines(
  { chain, advice }: Explanation,
  style: Style,
  lastWord: (name: string) => string | null = () => null,
): string[] {
  const lines = chain.flatMap((link) => {
    const indent = '  '.repeat(link.depth * 2);
    const isFailed = link.view?.state === 'failed' || link.view?.state === 'backoff';
    const said = isFailed && !link.again ? lastWord(link.name) : null;
    const words = said === null ? [] : [`    last said: ${said}`];
    return [...linkLines(link, style), ...words].map((line) => indent + line);
  });
  return advice === null ? lines : [...lines, `${arrow(style)} ${safe(advice)}`];
}

function linkLines({ name, view, again }: Link, style: Style): string[] {
  if (view === null) return [`? ${safe(name)}: not defined`];
  const state = painterOf(view.state, style)(stateText(view, style));
  const head = `${glyphOf(view.state, style)} ${safe(name)}: ${state}`;
  if (again) return [`${head} (see above)`];
  const note = view.note === '' ? '' : ` ${dash(style)} ${safe(view.note)}`;
  const more = [
    `because: ${safe(view.cause)}`,
    ...probeRows(view).map(([kind, text]) => `${kind}: ${text}`),
    ...(view.nextTryMs === null ? [] : [`next try: in ${durationWords(view.nextTryMs)}`]),
    ...(view.printsTo === undefined ? [] : [`prints to: ${safe(view.printsTo)}`]),
    ...(view.readsFrom === undefined ? [] : [`reads: ${view.readsFrom.map(safe).join(', ')}`]),
    ...(view.waitingFor.length === 0
      ? []
      : [`waiting for: ${view.waitingFor.map(safe).join(', ')}`]),
  ];
  return [`${head} for ${durationWords(view.forMs)}${note}`, ...more.map((line) => `    ${line}`)];
}

/** States that need a person come before those that may pass by themselves. */
const WORST_FIRST: readonly string[] = [
  'failed',
  'backoff',
  'down',
  'starting',
  'stopping',
  'finishing',
  'waiting',
];

/** The command for the worst of the ends of the chain. */
function adviceFor(chain: readonly Link[], goingDown: boolean): string | null {
  if (goingDown) return null;
  const lost = chain.find(({ view }) => view === null);
  if (lost !== undefined) return 'svctl scan';
  const ends = chain.flatMap(({ view }) => (view?.waitingFor.length === 0 ? [view] : []));
  const rank = ({ state }: ServiceView): number => {
    const index = WORST_FIRST.indexOf(state);
    return index < 0 ? WORST_FIRST.length : index;
  };
  const [worst] = ends.toSorted((a, b) => rank(a) - rank(b));
  return worst === undefined ? null : commandFor(worst);
}

function commandFor({ name, state, definition }: ServiceView): string | null {
  switch (state) {
    case 'failed':
    case 'backoff':
    case 'starting':
      return `svctl logs ${name}`;
    case 'down':
      return definition === 'removed' ? 'svctl scan --prune' : `svctl start ${name}`;
    case 'stopping':
    case 'finishing':
      return `svctl wait ${name}:down`;
    case 'up':
    case 'done':
      if (definition === 'changed') return `svctl restart ${name}`;
      return definition === 'removed' ? 'svctl scan --prune' : null;
    default:
      return null;
  }
}
