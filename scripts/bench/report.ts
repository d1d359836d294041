/**
 * What was measured, as a page: docs/benchmarks.md and its plots; of a quick run, the same below
 * build/bench. Ratios are quoted; the times they were made of follow, with the machine.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { aims, misses } from './aims.ts';
import { bun } from './peers/svinit.ts';
import { ALL, absent } from './peers.ts';
import { plot } from './plot.ts';
import { type Figure, figure, type Results, short, uncertainty } from './results.ts';
import { GROWING, ROWS, type Row } from './rows.ts';
import { KEY, METHOD, UNKNOWN } from './words.ts';

/** Peers in the order of the columns; loggers are beside them. */
const LOGGERS = ['s6-log', 'svlogd', 'multilog'];

/** A median that may be off by more than this is named. */
const STABLE = 0.1;

/** More processes than this waiting for a processor disturb what is measured. */
const LOAD_MOST = 0.5;

export function report(results: Results): void {
  const directory = results.quick ? 'build/bench' : 'docs';
  mkdirSync(join(directory, 'benchmarks'), { recursive: true });
  for (const key of GROWING) {
    const rows = ROWS.filter((row) => row.key.startsWith(`${key}/`) && row.key !== 'up/1');
    const names = ALL.map(({ name }) => name);
    writeFileSync(join(directory, 'benchmarks', `${key}.svg`), plot(rows, names, results));
  }
  const page = join(directory, 'benchmarks.md');
  writeFileSync(page, text(results));
  console.log(`${page}\n\n${[...aims(results), '', ...misses(results)].join('\n')}`);
}

/** The rows of the README: what others take of svinit's time on Bun, a few words each. */
export function summary(results: Results): string[] {
  const rows = ROWS.filter(({ key }) => SUMMARY.includes(key));
  const names = [...ALL.map(({ name }) => name), ...LOGGERS].filter((name) => name !== bun.name);
  return [
    ...['| svinit on Bun is 1 | |', '|---|---|'],
    ...rows.flatMap((row) => {
      const told = names.flatMap((name) => {
        const ratio = ratioCell(results, row, name);
        return ratio === '–' ? [] : [`${name} ${ratio}`];
      });
      return told.length === 0 ? [] : [`| ${row.title} | ${told.join(', ')} |`];
    }),
  ];
}

const SUMMARY = ['up/1', 'up/1000', 'stop/1000', 'memory/1000', 'waves', 'crash', 'status', 'log'];

function text(results: Results): string {
  const sections: readonly (readonly [string, readonly string[]])[] = [
    ['The figures to reach', [...aims(results), '', ...KEY]],
    ['What is missed, and why', misses(results)],
    ['Against the number of services', GROWING.map(picture)],
    ['Ratios to svinit on Bun', [...RATIOS, '', ...table(results, ratioCell)]],
    ['Medians (least–most)', table(results, valueCell)],
    ['How sure the medians are', unsure(results)],
    ['Not measured', unmeasured(results)],
  ];
  return [
    '# Benchmarks',
    '',
    ...METHOD,
    '',
    ...machineOf(results),
    '',
    ...sections.flatMap(([title, lines]) => [`## ${title}`, '', ...lines, '']),
  ].join('\n');
}

const RATIOS = [
  'How many times as much the others take (or, where more is better, how many times less they do):',
  'above 1 svinit is ahead.',
];

const picture = (key: string): string =>
  `![${key} against the number of services](benchmarks/${key}.svg)`;

/** The machine, and whether it had something else to do. */
export function machineOf({ machine, began, quick }: Results): string[] {
  const facts = Object.entries(machine).map(([name, value]) => `${name} ${value}`);
  const lines = [`Machine: ${facts.join(', ')}. ${began.slice(0, 10)}.`];
  const cores = Number.parseInt(machine['processors'] ?? '', 10);
  if (!(Number(machine['load']) / cores <= LOAD_MOST)) {
    const load = `the load was ${machine['load']} on ${cores} processors when it began`;
    lines.push('', `**The machine was busy: ${load}. Times are too long, and ratios uncertain.**`);
  }
  if (quick) lines.push('', '**A quick run, or a part of one: few samples.**');
  return lines;
}

function table(
  results: Results,
  cell: (results: Results, row: Row, name: string) => string,
): string[] {
  const rows = ROWS.filter(({ key }) => results.samples[key] !== undefined);
  const found = new Set(rows.flatMap(({ key }) => Object.keys(results.samples[key] ?? {})));
  const known = [...ALL.map(({ name }) => name), ...LOGGERS].filter((name) => found.delete(name));
  // Who is in one row only, as some are that are booted.
  const columns = [...known, ...found];
  return [
    `| | ${columns.join(' | ')} |`,
    `|---|${columns.map(() => '---').join('|')}|`,
    ...rows.map((row) => {
      const cells = columns.map((name) => cell(results, row, name));
      return `| ${row.title}, ${row.unit} | ${cells.join(' | ')} |`;
    }),
    '',
    ...UNKNOWN,
  ];
}

function ratioCell(results: Results, row: Row, name: string): string {
  const [ours, theirs] = [bun.name, name].map((who) => figure(results, row.key, who)?.median);
  if (ours === undefined || theirs === undefined) return '–';
  const ratio = row.more === true ? ours / theirs : theirs / ours;
  return Number.isNaN(ratio) ? '–' : short(ratio);
}

function valueCell(results: Results, row: Row, name: string): string {
  const found: Figure | null = figure(results, row.key, name);
  if (found === null) return '–';
  return `${short(found.median)} (${short(found.min)}–${short(found.max)})`;
}

/** The rows of svinit and of its limits whose median another run would not give. */
function unsure(results: Results): string[] {
  const found = ROWS.flatMap(({ key, title, unit }) =>
    Object.entries(results.samples[key] ?? {}).flatMap(([name, samples]) => {
      if (!/^(svinit|limit|floor)/.test(name)) return [];
      const share = uncertainty(samples);
      if (share !== null && share <= STABLE) return [];
      const off = share === null ? 'not known' : `± ${short(share * 100)} %`;
      return [`| ${title}, ${unit} | ${name} | ${samples.length} | ${off} |`];
    }),
  );
  const rest = 'All other medians of svinit, the limits and the floor are within ± 10 %';
  if (found.length === 0) return [`${rest} (one standard error).`];
  return [
    `${rest} (one standard error). These are not:`,
    ...['', '| | | samples | |', '|---|---|---|---|', ...found],
  ];
}

function unmeasured({ missing }: Results): string[] {
  return Object.entries({ ...absent(), ...missing }).map(([who, why]) => `- ${who}: ${why}`);
}
