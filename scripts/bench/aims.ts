/**
 * The figures to reach: how far svinit is from each, what its runtime takes at the least for the
 * same, and why a figure is missed. The numbers in the sentences of why.ts are those of the run.
 */
import { limitBun, limitNode } from './peers/limit.ts';
import { bun, node } from './peers/svinit.ts';
import { figure, type Results, short } from './results.ts';
import { type Aim, ROWS, type Row } from './rows.ts';
import { WHY } from './why.ts';

type Side = { readonly runtime: 'Bun' | 'Node'; readonly own: string; readonly limit: string };

const SIDES: readonly Side[] = [
  { runtime: 'Bun', own: bun.name, limit: limitBun.name },
  { runtime: 'Node', own: node.name, limit: limitNode.name },
];

/** How a median stands to what is to be reached. */
export type Verdict = {
  /** In the unit of the aim: of the row, or a multiple of another's median. */
  readonly value: number;
  readonly bound: number;
  /** How many times too much, or too little; at most 1 it is reached. */
  readonly factor: number;
  readonly unit: string;
};

/** Null: it was not measured, or what it is compared with was not. */
export function judge(results: Results, row: Row, aim: Aim, name: string): Verdict | null {
  const found = figure(results, row.key, name)?.median;
  const other = aim.of ?? aim.over;
  const base = other === undefined ? 0 : figure(results, row.key, other)?.median;
  if (found === undefined || base === undefined) return null;
  const bound = aim.most ?? aim.least ?? Number.NaN;
  if (aim.of !== undefined) return verdict(found / base, bound, aim, '×');
  return verdict(aim.over === undefined ? found : found - base, bound, aim, row.unit);
}

function verdict(value: number, bound: number, { most }: Aim, unit: string): Verdict {
  return { value, bound, unit, factor: most === undefined ? bound / value : value / bound };
}

/** Each figure to reach, and how far svinit is from it. */
export function aims(results: Results): string[] {
  const head = SIDES.flatMap(({ own, limit }) => [own, limit]);
  const lines = aimed().map(({ row, aim }) => {
    const cells = SIDES.flatMap(({ runtime, own, limit }) => [
      told(judge(results, row, aimOn(runtime, aim), own), true),
      told(judge(results, row, aimOn(runtime, aim), limit), false),
    ]);
    return `| ${row.title} | ${wording(row, aim)} | ${cells.join(' | ')} |`;
  });
  return [`| figure | to reach | ${head.join(' | ')} |`, '|---|---|---|---|---|---|', ...lines];
}

/** A line for each figure that is missed. */
export function misses(results: Results): string[] {
  const lines = aimed().flatMap(({ row, aim: all }) =>
    SIDES.flatMap((side) => {
      const aim = aimOn(side.runtime, all);
      const ours = judge(results, row, aim, side.own);
      if (ours === null || ours.factor <= 1) return [];
      const cells = [
        `${row.title} (${side.runtime})`,
        `${short(ours.value)} ${ours.unit}, ${wording(row, aim)}: ${short(ours.factor)} × that`,
        limitOf(judge(results, row, aim, side.limit), ours),
        reason(results, row, side),
      ];
      return [`| ${cells.join(' | ')} |`];
    }),
  );
  if (lines.length === 0) return ['None is missed.'];
  return ['| figure | svinit | limit of the runtime | why |', '|---|---|---|---|', ...lines];
}

function aimed(): { row: Row; aim: Aim }[] {
  return ROWS.flatMap((row) => (row.aim === undefined ? [] : [{ row, aim: row.aim }]));
}

/** What is to be reached on one runtime. */
function aimOn(runtime: Side['runtime'], { mostOnNode, ...aim }: Aim): Aim {
  return runtime === 'Node' && mostOnNode !== undefined ? { ...aim, most: mostOnNode } : aim;
}

function wording({ unit }: Row, { most, mostOnNode, least, of, over }: Aim): string {
  const [sign, value] = most === undefined ? ['≥', least] : ['≤', most];
  if (mostOnNode !== undefined) return `${sign} ${value} ${unit}, on Node ${mostOnNode}`;
  if (of !== undefined) return `${sign} ${value} × ${of}`;
  return over === undefined ? `${sign} ${value} ${unit}` : `${sign} ${value} ${unit} over ${over}`;
}

function told(found: Verdict | null, judged: boolean): string {
  if (found === null) return '–';
  const value = `${short(found.value)}${found.unit === '×' ? ' ×' : ''}`;
  if (!judged) return value;
  return `${value}: ${found.factor <= 1 ? 'reached' : `missed by ${short(found.factor)} ×`}`;
}

/** Whether the runtime could reach it at all, and how much of what is taken is not the runtime's. */
function limitOf(limit: Verdict | null, ours: Verdict): string {
  if (limit === null) return '–';
  const value = `${short(limit.value)} ${limit.unit}`;
  const times = ours.factor / limit.factor;
  const share =
    Number.isFinite(times) && times > 0 ? `; svinit takes ${short(times)} × as much` : '';
  return limit.factor > 1 ? `${value}: misses it too${share}` : `${value}${share}`;
}

/** `{peer: row}` in a sentence is a median of this run; `own` and `limit` are those of the side. */
function reason(results: Results, row: Row, side: Side): string {
  const sentence = WHY[row.key]?.[side.runtime] ?? 'not known';
  return sentence.replaceAll(/\{([^:}]+): ([^}]+)\}/g, (_, who: string, key: string) => {
    const name = who === 'own' ? side.own : who === 'limit' ? side.limit : who;
    const median = figure(results, key, name)?.median;
    const unit = ROWS.find((other) => other.key === key)?.unit ?? '';
    return median === undefined ? 'not measured' : `${short(median)} ${unit}`;
  });
}
