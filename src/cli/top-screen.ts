/**
 * What `svctl top` shows and what its keys mean: a table of services, and under it the log of the
 * chosen one or why it is as it is. Pure; it draws lines and knows no terminal.
 */
import type { Results, ServiceView } from '../core/methods.ts';
import { tableLines } from './print.ts';
import { shorten, widthOf } from './table.ts';
import type { Style } from './terminal.ts';
import { byUrgency, ellipsis, paint, safe, shortDuration } from './words.ts';

export type Pane = 'log' | 'why' | 'keys';

export type Top = {
  /** The chosen service; null before the first look, and when there is none. */
  readonly chosen: string | null;
  /** How many services are above the first one that is shown. */
  readonly above: number;
  readonly pane: Pane;
  /** What came of the last act. */
  readonly message: string;
};

export const BEGIN: Top = { chosen: null, above: 0, pane: 'log', message: '' };

export type Act = { readonly verb: 'start' | 'stop' | 'restart'; readonly name: string };

/** In characters; both at least 1. */
export type Size = { readonly rows: number; readonly columns: number };

/** What a key does; null: it ends the view. */
export function press(
  key: string,
  top: Top,
  services: readonly ServiceView[],
  size: Size,
): { readonly top: Top; readonly act: Act | null } | null {
  const names = services.toSorted(byUrgency).map(({ name }) => name);
  const at = Math.max(0, names.indexOf(top.chosen ?? ''));
  const go = (to: number) => {
    const chosen = names[Math.min(Math.max(0, to), names.length - 1)] ?? null;
    return { top: { ...top, chosen }, act: null };
  };
  const show = (pane: Pane) => ({ top: { ...top, pane }, act: null });
  const page = Math.max(1, tableRows(size) - 1);
  switch (key) {
    case 'q':
    case '\x03':
    case '\x04':
      return null;
    case 'j':
    case '\x1b[B':
      return go(at + 1);
    case 'k':
    case '\x1b[A':
      return go(at - 1);
    case ' ':
    case '\x1b[6~':
      return go(at + page);
    case '\x1b[5~':
      return go(at - page);
    case 'g':
    case '\x1b[H':
      return go(0);
    case 'G':
    case '\x1b[F':
      return go(names.length - 1);
    case 'l':
      return show('log');
    case 'w':
      return show('why');
    case '?':
    case 'h':
      return show('keys');
    default:
      return act(key, top);
  }
}

const VERBS: ReadonlyMap<string, Act['verb']> = new Map([
  ['u', 'start'],
  ['s', 'stop'],
  ['r', 'restart'],
]);

function act(key: string, top: Top): { readonly top: Top; readonly act: Act | null } {
  const verb = VERBS.get(key);
  const { chosen } = top;
  if (verb === undefined || chosen === null) return { top: { ...top, message: '' }, act: null };
  return { top: { ...top, message: `${verb} ${chosen} ...` }, act: { verb, name: chosen } };
}

/** The chosen one is still there, and in sight. */
export function settle(top: Top, services: readonly ServiceView[], size: Size): Top {
  const names = services.toSorted(byUrgency).map(({ name }) => name);
  const found = names.indexOf(top.chosen ?? '');
  const at = Math.max(found, 0);
  const rows = tableRows(size);
  const most = Math.max(0, names.length - rows);
  const above = Math.min(Math.max(top.above, at - rows + 1), at, most);
  return { ...top, chosen: names[at] ?? null, above };
}

/** Rows of the table without its head; the rest is a line above, a line below and the pane. */
export function tableRows({ rows }: Size): number {
  return Math.max(1, Math.floor((rows - OTHERS) * TABLE_SHARE));
}

/** How many lines of the pane can be seen. */
export function paneRows(size: Size): number {
  return Math.max(0, size.rows - OTHERS - tableRows(size));
}

/** The title, the head of the table, the line between, the keys. */
const OTHERS = 4;
const TABLE_SHARE = 0.6;

/** Exactly as many lines as the terminal has, none wider than it. */
export function draw(
  top: Top,
  version: Results['version'] | null,
  services: readonly ServiceView[],
  pane: readonly string[],
  size: Size,
  style: Style,
): string[] {
  const [head = '', ...rows] = fitting(services.toSorted(byUrgency), size, style);
  const names = services.toSorted(byUrgency).map(({ name }) => name);
  const count = tableRows(size);
  const shown = Array.from({ length: count }, (_, i) => {
    const row = rows[top.above + i];
    if (row === undefined) return '';
    return names[top.above + i] === top.chosen ? `${MARK}${row}` : `${BLANK}${row}`;
  });
  const about = top.chosen === null ? '' : ` ${PANE_WORDS[top.pane]} ${safe(top.chosen)} `;
  const between = `--${about}${'-'.repeat(Math.max(0, size.columns - 2 - widthOf(about)))}`;
  const below = Array.from({ length: paneRows(size) }, (_, i) =>
    shorten(pane[i] ?? '', size.columns, ellipsis(style)),
  );
  const last = top.message === '' ? KEYS : safe(top.message);
  return [
    paint(shorten(titleOf(version, services), size.columns, ellipsis(style)), 'bold', style),
    `${BLANK}${head}`,
    ...shown,
    shorten(between, size.columns, ''),
    ...below,
    shorten(last, size.columns - 1, ellipsis(style)),
  ].slice(0, size.rows);
}

/** Names are never cut by the table; on a terminal that narrow they are, and without colour. */
function fitting(services: readonly ServiceView[], size: Size, style: Style): string[] {
  const columns = Math.max(1, size.columns - MARK.length);
  const plain = tableLines(services, { ...style, columns, colour: false });
  if (plain.every((line) => widthOf(line) <= columns)) {
    return tableLines(services, { ...style, columns });
  }
  return plain.map((line) => shorten(line, columns, ''));
}

const MARK = '> ';
const BLANK = '  ';
const PANE_WORDS: Readonly<Record<Pane, string>> = {
  log: 'log of',
  why: 'why is',
  keys: 'keys for',
};
const KEYS = 'j/k choose  l log  w why  u start  s stop  r restart  ? keys  q quit';

/** The pane that explains the keys. */
export const KEY_LINES: readonly string[] = [
  'j k, arrows       choose a service; space, page up and down: a page; g G: first, last',
  'l                 the last lines of its log',
  'w                 why it is as it is, and the command that helps',
  'u s r             start, stop, restart it; what others need is not stopped from here',
  'q, ctrl-C         leave',
];

function titleOf(version: Results['version'] | null, services: readonly ServiceView[]): string {
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
