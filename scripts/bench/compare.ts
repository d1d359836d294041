/**
 * What got worse: ratios of svinit to the limit of its runtime, or where there is none to the floor,
 * or to the best of the peers, against those recorded in docs/benchmarks.json. Machines differ, and
 * so do their times; a ratio says what svinit does about it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { limitBun, limitNode } from './peers/limit.ts';
import { bun, node } from './peers/svinit.ts';

import { figure, type Results, short } from './results.ts';
import { ROWS, type Row } from './rows.ts';

export const RECORDED = 'docs/benchmarks.json';

/** Worse by more than this is named. */
const TOLERATED = 1.2;

const OURS = [bun.name, node.name];

/** Above 1 svinit takes more, or does less, than `base`. */
export type Ratio = { readonly ratio: number; readonly base: string };

/** By figure and runtime. */
export type Ratios = Readonly<Record<string, Readonly<Record<string, Ratio>>>>;

export function record(results: Results): void {
  const ratios = ratiosOf(results);
  writeFileSync(RECORDED, `${JSON.stringify({ began: results.began, ratios }, null, 2)}\n`);
  console.log(`${RECORDED}: ${Object.keys(ratios).length} figures`);
}

/** What is recorded; null: nothing is. */
export function readRecorded(path: string = RECORDED): Ratios | null {
  if (!existsSync(path)) return null;
  return (JSON.parse(readFileSync(path, 'utf8')) as { ratios: Ratios }).ratios;
}

/** One line for each figure that got worse or cannot be compared, and one that counts them. */
export function compare(recorded: Ratios | null, now: Ratios): string[] {
  if (recorded === null) {
    return [`Nothing is recorded in ${RECORDED}: \`node scripts/bench.ts record\` does it.`];
  }
  const lines: string[] = [];
  let [worse, compared, lost] = [0, 0, 0];
  for (const [key, name] of pairsOf(recorded, now)) {
    const [before, after] = [recorded[key]?.[name], now[key]?.[name]];
    const told = `${key} on ${name}`;
    const incomparable = reasonNotTo(before, after);
    if (incomparable !== null || before === undefined || after === undefined) {
      lost += 1;
      lines.push(`not compared: ${told}: ${incomparable}`);
      continue;
    }
    compared += 1;
    const factor = after.ratio / before.ratio;
    if (factor <= TOLERATED) continue;
    worse += 1;
    const percent = Math.round((factor - 1) * 100);
    const change = `${short(before.ratio)} → ${short(after.ratio)}`;
    lines.push(`worse by ${percent} %: ${told}: ratio to ${after.base} ${change}`);
  }
  const counts = `${compared} ratios compared, ${worse} worse by more than 20 %`;
  return [...lines, `${counts}, ${lost} not compared.`];
}

/** Of each figure and runtime, that there is a ratio at least in one of the two. */
function pairsOf(...all: readonly Ratios[]): [string, string][] {
  const keys = [...new Set(all.flatMap((ratios) => Object.keys(ratios)))];
  return keys.flatMap((key) => {
    const names = new Set(all.flatMap((ratios) => Object.keys(ratios[key] ?? {})));
    return [...names].map((name): [string, string] => [key, name]);
  });
}

function reasonNotTo(before: Ratio | undefined, after: Ratio | undefined): string | null {
  if (before === undefined) return 'it is not recorded';
  if (after === undefined) return 'it was not measured';
  if (before.base === after.base) return null;
  return `the ratio was to ${before.base}, and is to ${after.base}`;
}

export function ratiosOf(results: Results): Ratios {
  const ratios: Record<string, Record<string, Ratio>> = {};
  for (const row of ROWS) {
    for (const name of OURS) {
      const base = baseOf(results, row, name);
      const ours = figure(results, row.key, name)?.median;
      if (ours === undefined) continue;
      const ratio = row.more === true ? base.value / ours : ours / base.value;
      if (!Number.isFinite(ratio)) continue;
      const rounded = { ratio: Number(ratio.toPrecision(4)), base: base.name };
      ratios[row.key] = { ...ratios[row.key], [name]: rounded };
    }
  }
  return ratios;
}

/**
 * What svinit is compared with. Where there is nothing it is the figure itself; so, too, where the
 * least is next to nothing, and a ratio to it would be chance.
 */
function baseOf(results: Results, row: Row, name: string): { name: string; value: number } {
  const itself = { name: `1 ${row.unit}`, value: 1 };
  if (row.key.startsWith('idle')) return itself;
  const limit = name === bun.name ? limitBun.name : limitNode.name;
  for (const other of [limit, 'floor']) {
    const value = figure(results, row.key, other)?.median ?? 0;
    if (Number.isFinite(value) && value > 0) return { name: other, value };
  }
  const others = Object.keys(results.samples[row.key] ?? {}).filter(
    (peer) => !OURS.includes(peer) && !peer.startsWith('limit'),
  );
  const known = others
    .map((peer) => ({ name: peer, value: figure(results, row.key, peer)?.median ?? 0 }))
    .filter(({ value }) => Number.isFinite(value) && value > 0)
    .sort((a, b) => a.value - b.value);
  return (row.more === true ? known.at(-1) : known[0]) ?? itself;
}
