/**
 * What got worse: ratios of svinit to the limit of its runtime, or where there is none to the floor,
 * or to the best of the peers, against those recorded in docs/benchmarks.json. Machines differ, and so do their times; a ratio
 * says what svinit does about it.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { limitBun, limitNode } from './peers/limit.ts';
import { bun, node } from './peers/svinit.ts';
import { short } from './report.ts';
import { figure, type Results } from './results.ts';
import { ROWS, type Row } from './rows.ts';

export const RECORDED = 'docs/benchmarks.json';

/** Worse by more than this is named. */
const TOLERATED = 1.2;

const OURS = [bun.name, node.name];

/** Ratios by figure and runtime; above 1 svinit takes more, or does less. */
type Ratios = Record<string, Record<string, number>>;

export function record(results: Results): void {
  const ratios = ratiosOf(results);
  writeFileSync(RECORDED, `${JSON.stringify({ began: results.began, ratios }, null, 2)}\n`);
  console.log(`${RECORDED}: ${Object.keys(ratios).length} figures`);
}

export function compare(results: Results): void {
  if (!existsSync(RECORDED)) {
    console.log(`Nothing is recorded in ${RECORDED}: \`node scripts/bench.ts record\` does it.`);
    return;
  }
  const recorded = (JSON.parse(readFileSync(RECORDED, 'utf8')) as { ratios: Ratios }).ratios;
  let [worse, compared] = [0, 0];
  for (const [key, runtimes] of Object.entries(ratiosOf(results))) {
    for (const [name, now] of Object.entries(runtimes)) {
      const then = recorded[key]?.[name];
      if (then === undefined) continue;
      compared += 1;
      if (now / then <= TOLERATED) continue;
      worse += 1;
      const percent = Math.round((now / then - 1) * 100);
      console.log(`worse by ${percent} %: ${key} on ${name}: ratio ${short(then)} → ${short(now)}`);
    }
  }
  console.log(`${compared} ratios compared, ${worse} worse by more than 20 %.`);
}

function ratiosOf(results: Results): Ratios {
  const ratios: Ratios = {};
  for (const row of ROWS) {
    for (const name of OURS) {
      const base = baseOf(results, row, name);
      const ours = figure(results, row.key, name)?.median;
      if (ours === undefined || base === null || base <= 0) continue;
      const ratio = row.more === true ? base / ours : ours / base;
      if (!Number.isFinite(ratio)) continue;
      ratios[row.key] = { ...ratios[row.key], [name]: Number(ratio.toPrecision(4)) };
    }
  }
  return ratios;
}

/** What svinit is compared with; 1 where there is nothing: then it is the figure itself. */
function baseOf(results: Results, row: Row, name: string): number | null {
  const limit = name === bun.name ? limitBun.name : limitNode.name;
  for (const other of [limit, 'floor']) {
    const found = figure(results, row.key, other)?.median ?? 0;
    if (Number.isFinite(found) && found > 0) return found;
  }
  const others = Object.keys(results.samples[row.key] ?? {}).filter(
    (peer) => !OURS.includes(peer) && !peer.startsWith('limit'),
  );
  const medians = others.map((peer) => figure(results, row.key, peer)?.median ?? Number.NaN);
  const known = medians.filter((value) => Number.isFinite(value) && value > 0);
  if (known.length === 0) return 1;
  return row.more === true ? Math.max(...known) : Math.min(...known);
}
