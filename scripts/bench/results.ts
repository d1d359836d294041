/**
 * What was measured, kept as it came: every sample of every round, by figure and peer, in a file
 * that is whole after each life.
 */
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

export type Results = {
  /** ISO 8601. */
  readonly began: string;
  readonly quick: boolean;
  readonly machine: Readonly<Record<string, string>>;
  /** What could not be measured, and why. */
  readonly missing: Record<string, string>;
  /** Samples by figure and peer; a null is one that never came. */
  readonly samples: Record<string, Record<string, (number | null)[]>>;
};

export const RESULTS = 'build/bench/results.json';

export function add(
  results: Results,
  row: string,
  peer: string,
  ...values: (number | null)[]
): void {
  const peers = results.samples[row] ?? {};
  results.samples[row] = { ...peers, [peer]: [...(peers[peer] ?? []), ...values] };
}

export function save(results: Results): void {
  mkdirSync(dirname(RESULTS), { recursive: true });
  writeFileSync(`${RESULTS}.new`, `${JSON.stringify(results, null, 1)}\n`);
  renameSync(`${RESULTS}.new`, RESULTS);
}

export function load(path: string = RESULTS): Results {
  return JSON.parse(readFileSync(path, 'utf8')) as Results;
}

export type Figure = { readonly median: number; readonly min: number; readonly max: number };

/** Null: not measured. Samples that never came make the median infinite when they are the most. */
export function figure(results: Results, row: string, peer: string): Figure | null {
  const found = results.samples[row]?.[peer];
  if (found === undefined || found.length === 0) return null;
  const sorted = found.map((value) => value ?? Number.POSITIVE_INFINITY).sort((a, b) => a - b);
  return { median: quantile(sorted, 0.5), min: sorted[0] ?? 0, max: sorted.at(-1) ?? 0 };
}

/**
 * How far the median may be from that of endlessly many samples, as a share of it: 1.25 times the
 * standard error of a mean, from the middle half of the samples so that one that is far out does
 * not matter (Tukey). Null: it cannot be told from so few.
 */
export function uncertainty(samples: readonly (number | null)[]): number | null {
  const sorted = samples.filter((value) => value !== null).sort((a, b) => a - b);
  const median = quantile(sorted, 0.5);
  if (sorted.length < 2 || sorted.length < samples.length) return null;
  const half = quantile(sorted, 0.75) - quantile(sorted, 0.25);
  if (half === 0) return 0;
  return (1.25 * (half / MIDDLE_HALF)) / Math.sqrt(sorted.length) / Math.abs(median);
}

/** The middle half of a normal distribution is so many standard deviations wide. */
const MIDDLE_HALF = 1.349;

/** Of sorted values; the mean of the two in the middle for an even number of them. */
export function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const [low, high] = [sorted[Math.floor(at)] ?? Number.NaN, sorted[Math.ceil(at)] ?? Number.NaN];
  return low === high ? low : low + (high - low) * (at - Math.floor(at));
}

/** Three digits: more would say that it can be measured so well. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '∞';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
