/**
 * Which rows `svctl top` has and in what order: flat, in slices by bundle, or as a tree of needs;
 * sorted, and filtered by name. Pure.
 */
import { worst } from '../core/figures.ts';
import type { ServiceView } from '../core/methods.ts';
import type { Figures, Looked } from './gauge.ts';
import { byName, byUrgency } from './words.ts';

export type SortKey = 'state' | 'name' | 'cpu' | 'memory' | 'tasks' | 'pressure' | 'restarts';
export const SORT_KEYS: readonly SortKey[] = [
  ...(['state', 'name', 'cpu', 'memory', 'tasks', 'pressure', 'restarts'] as const),
];

export type Shape = 'flat' | 'slices' | 'tree';
export const SHAPES: readonly Shape[] = ['flat', 'slices', 'tree'];

export type Order = {
  readonly sort: SortKey;
  readonly shape: Shape;
  /** Part of a name; empty: all. */
  readonly filter: string;
};

export type Row = {
  /** What it is chosen by; no service has the key of a slice. */
  readonly key: string;
  readonly name: string;
  readonly depth: number;
  /** Null: a slice. */
  readonly view: ServiceView | null;
  readonly figures: Figures | null;
};

/** The key of a slice's row, which no service's can be. */
export const sliceKey = (bundle: string): string => `/${bundle}`;

export function arrange(
  services: readonly ServiceView[],
  looked: Looked,
  { sort, shape, filter }: Order,
): Row[] {
  const rowOf = (view: ServiceView, depth: number): Row => {
    const { name } = view;
    return { key: name, name, depth, view, figures: looked.services.get(name) ?? null };
  };
  const wanted = services.filter(({ name }) => name.includes(filter));
  const rows = wanted.map((view) => rowOf(view, 0)).sort(byKey(sort));
  if (shape === 'slices') return inSlices(rows, looked, sort);
  return shape === 'tree' && filter === '' ? asTree(rows) : rows;
}

/** Each slice and what is in it, then what is in none. */
function inSlices(rows: readonly Row[], looked: Looked, sort: SortKey): Row[] {
  const slices = [...looked.slices].map(([name, figures]): Row => {
    return { key: sliceKey(name), name, depth: 0, view: null, figures };
  });
  const grouped = slices.sort(byKey(sort)).flatMap((slice) => {
    const members = rows.filter(({ figures }) => figures?.slice === slice.name);
    return members.length === 0 ? [] : [slice, ...members.map((row) => ({ ...row, depth: 1 }))];
  });
  return [...grouped, ...rows.filter(({ figures }) => !figures?.slice)];
}

/** Under each service what it needs; what several need is shown where it comes first. */
function asTree(rows: readonly Row[]): Row[] {
  const byKeys = new Map(rows.map((row) => [row.key, row]));
  const places = new Map(rows.map(({ key }, place) => [key, place]));
  const place = ({ key }: Row): number => places.get(key) ?? 0;
  const shown = new Map<string, Row>();
  const pending: { row: Row; depth: number }[] = [];
  const roots = rows.filter(({ view }) => view?.neededBy.every((name) => !byKeys.has(name)));
  // A cycle, which svinit refuses, would have no root: its rows come last.
  for (const root of [...roots, ...rows]) {
    pending.push({ row: root, depth: 0 });
    for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
      const { row, depth } = next;
      if (shown.has(row.key)) continue;
      shown.set(row.key, { ...row, depth });
      const children = (row.view?.needs ?? []).flatMap((need) => byKeys.get(need) ?? []);
      for (const child of children.sort((a, b) => place(b) - place(a)))
        pending.push({ row: child, depth: depth + 1 });
    }
  }
  return [...shown.values()];
}

/** Largest first; what is equal, or not known, by name. */
function byKey(sort: SortKey): (a: Row, b: Row) => number {
  return (a, b) => {
    if (sort === 'state' && a.view !== null && b.view !== null) return byUrgency(a.view, b.view);
    const difference = amountOf(b, sort) - amountOf(a, sort);
    return difference === 0 || Number.isNaN(difference) ? byName(a.name, b.name) : difference;
  };
}

function amountOf({ view, figures }: Row, sort: SortKey): number {
  switch (sort) {
    case 'cpu':
      return figures?.cpuPercent ?? -1;
    case 'memory':
      return figures?.memoryBytes ?? -1;
    case 'tasks':
      return figures?.tasks ?? -1;
    case 'pressure':
      return figures === null ? -1 : (worst(figures.pressure)?.percent ?? -1);
    case 'restarts':
      return view?.restarts ?? -1;
    case 'state':
    case 'name':
      return 0;
  }
}
