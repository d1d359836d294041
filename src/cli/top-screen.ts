/**
 * What `svctl top` shows: the machine on a line, a table of services, and under it the log of the
 * chosen one or why it is as it is. Pure; it draws lines and knows no terminal.
 */
import type { Results } from '../core/methods.ts';
import type { MachineFigures } from './gauge.ts';
import { shorten, widthOf } from './table.ts';
import type { Style } from './terminal.ts';
import type { Order, Row } from './top-rows.ts';
import { machineLine, topLines } from './top-table.ts';
import { ellipsis, paint, safe, shortDuration } from './words.ts';

export type Pane = 'log' | 'why' | 'keys';

export type Top = {
  /** The key of the chosen row; null before the first look, and when there is none. */
  readonly chosen: string | null;
  /** How many rows are above the first one that is shown. */
  readonly above: number;
  readonly pane: Pane;
  readonly order: Order;
  /** Keys are letters of the filter. */
  readonly typing: boolean;
  /** What came of the last act. */
  readonly message: string;
};

export const BEGIN: Top = {
  chosen: null,
  above: 0,
  pane: 'log',
  order: { sort: 'state', shape: 'flat', filter: '' },
  typing: false,
  message: '',
};

/** In characters; both at least 1. */
export type Size = { readonly rows: number; readonly columns: number };

/** The chosen one is still there, and in sight. */
export function settle(top: Top, rows: readonly Row[], size: Size): Top {
  const found = rows.findIndex(({ key }) => key === top.chosen);
  const at = Math.max(found, 0);
  const count = tableRows(size);
  const most = Math.max(0, rows.length - count);
  const above = Math.min(Math.max(top.above, at - count + 1), at, most);
  return { ...top, chosen: rows[at]?.key ?? null, above };
}

/** The rows that are in sight. */
export const rowsInSight = (top: Top, rows: readonly Row[], size: Size): readonly Row[] =>
  rows.slice(top.above, top.above + tableRows(size));

/** Rows of the table without its head; the rest is two lines above, two below and the pane. */
export function tableRows({ rows }: Size): number {
  return Math.max(1, Math.floor((rows - OTHERS) * TABLE_SHARE));
}

/** How many lines of the pane can be seen. */
export function paneRows(size: Size): number {
  return Math.max(0, size.rows - OTHERS - tableRows(size));
}

/** The title, the machine, the head of the table, the line between, the keys. */
const OTHERS = 5;
const TABLE_SHARE = 0.6;

/** What is drawn, besides the state of the view. */
export type Picture = {
  readonly version: Results['version'] | null;
  readonly machine: MachineFigures;
  /** All services, in sight or not. */
  readonly services: Results['ls']['services'];
  readonly rows: readonly Row[];
  readonly pane: readonly string[];
};

/** Exactly as many lines as the terminal has, none wider than it. */
export function draw(top: Top, picture: Picture, size: Size, style: Style): string[] {
  const { version, machine, services, rows, pane } = picture;
  const cut = (text: string): string => shorten(text, size.columns, ellipsis(style));
  const [head = '', ...lines] = fitting(rows, size, style);
  const shown = Array.from({ length: tableRows(size) }, (_, i) => {
    const line = lines[top.above + i];
    if (line === undefined) return '';
    return rows[top.above + i]?.key === top.chosen ? `${MARK}${line}` : `${BLANK}${line}`;
  });
  const below = Array.from({ length: paneRows(size) }, (_, i) => cut(pane[i] ?? ''));
  return [
    paint(cut(titleOf(version, services)), 'bold', style),
    cut(machineLine(machine)),
    `${BLANK}${head}`,
    ...shown,
    shorten(between(top, picture, size), size.columns, ''),
    ...below,
    shorten(lastLine(top), size.columns - 1, ellipsis(style)),
  ].slice(0, size.rows);
}

function between(top: Top, { rows, machine }: Picture, { columns }: Size): string {
  const { chosen, pane, order } = top;
  const row = rows.find(({ key }) => key === chosen);
  const about = row === undefined ? '' : ` ${PANE_WORDS[pane]} ${safe(row.name)} `;
  const { sort, shape, filter } = order;
  const settings = [
    ...(machine.hasCgroups ? [] : ['no cgroups: main processes only']),
    ...(sort === 'state' ? [] : [`by ${sort}`]),
    ...(shape === 'flat' ? [] : [shape]),
    ...(filter === '' ? [] : [`/${filter}: ${rows.length}`]),
  ];
  const end = settings.length === 0 ? '' : ` ${settings.join(', ')} --`;
  const dashes = '-'.repeat(Math.max(0, columns - 2 - widthOf(about) - widthOf(end)));
  return `--${about}${dashes}${end}`;
}

function lastLine({ typing, order, message }: Top): string {
  if (typing) return `/${order.filter}_   enter: keep it, esc: all`;
  return message === '' ? KEYS : safe(message);
}

/** Names are never cut by the table; on a terminal that narrow they are, and without colour. */
function fitting(rows: readonly Row[], size: Size, style: Style): string[] {
  const columns = Math.max(1, size.columns - MARK.length);
  const plain = topLines(rows, { ...style, columns, colour: false });
  if (plain.every((line) => widthOf(line) <= columns)) return topLines(rows, { ...style, columns });
  return plain.map((line) => shorten(line, columns, ''));
}

const MARK = '> ';
const BLANK = '  ';
const PANE_WORDS: Readonly<Record<Pane, string>> = {
  log: 'log of',
  why: 'why is',
  keys: 'keys for',
};
const KEYS = 'j/k choose  l log  w why  u start  s stop  r restart  o sort  t tree  / ?  q';

function titleOf(version: Results['version'] | null, services: Picture['services']): string {
  if (version === null) return 'svinit does not answer';
  const { image, uptimeMs, halting, safe: isSafe } = version;
  const up = services.filter(({ state }) => state === 'up').length;
  const broken = services.filter(({ state }) => state === 'failed' || state === 'backoff').length;
  return [
    `svinit ${safe(version.version)} up ${shortDuration(uptimeMs)}, image ${image}`,
    `${services.length} services, ${up} up${broken > 0 ? `, ${broken} failing` : ''}`,
    ...(isSafe ? ['SAFE MODE'] : []),
    ...(halting === null ? [] : [`going down: ${safe(halting)}`]),
  ].join('  ');
}
