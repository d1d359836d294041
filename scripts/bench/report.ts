/**
 * What was measured, as a page: docs/benchmarks.md and its plots; of a quick run, the same below
 * build/bench. Ratios are quoted; the times they were made of follow, with the machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { limitBun, limitNode } from './peers/limit.ts';
import { bun, node } from './peers/svinit.ts';
import { absent, PEERS } from './peers.ts';
import { plot } from './plot.ts';
import { type Figure, figure, type Results } from './results.ts';
import { type Aim, GROWING, ROWS, type Row } from './rows.ts';

const OURS = [bun.name, node.name];

/** Beside svinit: what the runtime takes for nothing but this. */
const LIMITS = [limitBun.name, limitNode.name];

/** Peers in the order of the columns; loggers are beside them. */
const LOGGERS = ['s6-log', 'svlogd', 'multilog'];

export function report(results: Results): void {
  const directory = results.quick ? 'build/bench' : 'docs';
  mkdirSync(join(directory, 'benchmarks'), { recursive: true });
  for (const key of GROWING) {
    const rows = ROWS.filter((row) => row.key.startsWith(`${key}/`) && row.key !== 'up/1');
    const svg = plot(
      rows,
      PEERS.map(({ name }) => name),
      results,
    );
    writeFileSync(join(directory, 'benchmarks', `${key}.svg`), svg);
  }
  const page = join(directory, 'benchmarks.md');
  writeFileSync(page, text(results));
  console.log(`${page}\n\n${aims(results).join('\n')}`);
}

function text(results: Results): string {
  return [
    '# Benchmarks',
    '',
    'Made by `make bench`; do not edit. svinit and its peers side by side in one run, each as PID 1 of',
    'fresh namespaces with a root of its own on a tmpfs, in interleaved rounds. A service is a static',
    'program without a C library that notes when it starts and waits. The floor is a loop of vfork and',
    'execve in C; the limits are the runtimes with a loop of svinit’s own posix_spawn and nothing else,',
    'so that what svinit takes beyond them is its own. svinit has a log for every service, and svinit',
    'and s6 wait for their readiness; of the others nothing is asked but to start them. What is quoted',
    'is the ratio; times are the median of all samples.',
    '',
    ...machineOf(results),
    '',
    '## The figures to reach',
    '',
    ...aims(results),
    '',
    '## Ratios to svinit on Bun',
    '',
    'How many times as much the others take (or, where more is better, how many times less they do):',
    'above 1 svinit is ahead.',
    '',
    ...table(results, ratioCell),
    '',
    '## Medians (least–most)',
    '',
    ...table(results, valueCell),
    '',
    ...GROWING.map((key) => `![${key} against the number of services](benchmarks/${key}.svg)`),
    '',
    '## Not measured',
    '',
    ...Object.entries({ ...absent(), ...results.missing }).map(([who, why]) => `- ${who}: ${why}`),
    '',
    '– means: it has no such thing, or could not do it in a time anybody waits for; ∞: it never came.',
    '',
  ].join('\n');
}

function machineOf({ machine, began }: Results): string[] {
  const facts = Object.entries(machine).map(([name, value]) => `${name} ${value}`);
  return [`Machine: ${facts.join(', ')}. ${began.slice(0, 10)}.`];
}

/** Each figure to reach, and how far svinit is from it. */
function aims(results: Results): string[] {
  const lines = ROWS.flatMap((row) => {
    const { aim } = row;
    if (aim === undefined) return [];
    const cells = [...OURS, ...LIMITS].map((name) => reached(results, row, aim, name));
    return [`| ${row.title} | ${wording(row, aim)} | ${cells.join(' | ')} |`];
  });
  const head = [...OURS, ...LIMITS].join(' | ');
  return [`| figure | to reach | ${head} |`, '|---|---|---|---|---|---|', ...lines];
}

function wording({ unit }: Row, { most, least, of, over }: Aim): string {
  const [sign, value] = most === undefined ? ['≥', least] : ['≤', most];
  if (of !== undefined) return `${sign} ${value} × ${of}`;
  return over === undefined ? `${sign} ${value} ${unit}` : `${sign} ${value} ${unit} over ${over}`;
}

function reached(results: Results, row: Row, aim: Aim, name: string): string {
  const ours = figure(results, row.key, name)?.median;
  if (ours === undefined) return '–';
  const base = figure(results, row.key, aim.of ?? aim.over ?? '')?.median;
  if ((aim.of ?? aim.over) !== undefined && base === undefined) return '–';
  let value = ours;
  if (aim.of !== undefined) value = ours / (base ?? 1);
  if (aim.over !== undefined) value = ours - (base ?? 0);
  const bound = aim.most ?? aim.least ?? 0;
  const factor = aim.most === undefined ? bound / value : value / bound;
  const word = factor <= 1 ? 'reached' : `missed by ${short(factor)} ×`;
  const told = `${short(value)}${aim.of === undefined ? '' : ' ×'}`;
  return LIMITS.includes(name) ? told : `${told}: ${word}`;
}

function table(
  results: Results,
  cell: (results: Results, row: Row, name: string) => string,
): string[] {
  const peers = [...PEERS.map(({ name }) => name), ...LOGGERS];
  const rows = ROWS.filter(({ key }) => results.samples[key] !== undefined);
  const columns = peers.filter((name) => rows.some(({ key }) => results.samples[key]?.[name]));
  return [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map((row) => {
      const cells = columns.map((name) => cell(results, row, name));
      return `| ${row.title}, ${row.unit} | ${cells.join(' | ')} |`;
    }),
  ];
}

function ratioCell(results: Results, row: Row, name: string): string {
  const [ours, theirs] = [bun.name, name].map((who) => figure(results, row.key, who)?.median);
  if (ours === undefined || theirs === undefined) return '–';
  return short(row.more === true ? ours / theirs : theirs / ours);
}

function valueCell(results: Results, row: Row, name: string): string {
  const found: Figure | null = figure(results, row.key, name);
  if (found === null) return '–';
  return `${short(found.median)} (${short(found.min)}–${short(found.max)})`;
}

/** Three digits: more would say that it can be measured so well. */
export function short(value: number): string {
  if (!Number.isFinite(value)) return '∞';
  if (Math.abs(value) >= 100) return Math.round(value).toLocaleString('en');
  return String(Number(value.toPrecision(value >= 10 ? 3 : 2)));
}
