/**
 * What the keys of `svctl top` mean: a move, another order, a pane, an act. Pure.
 */
import { type Order, type Row, SHAPES, SORT_KEYS } from './top-rows.ts';
import { type Pane, type Size, type Top, tableRows } from './top-screen.ts';

export type Act = { readonly verb: 'start' | 'stop' | 'restart'; readonly name: string };
type Pressed = { readonly top: Top; readonly act: Act | null };

/** What a key does; null: it ends the view. */
export function press(key: string, top: Top, rows: readonly Row[], size: Size): Pressed | null {
  if (key === '\x03' || key === '\x04') return null;
  if (top.typing) return { top: typed(key, top), act: null };
  if (key === 'q') return null;
  const keys = rows.map((row) => row.key);
  const moved = move(key, Math.max(0, keys.indexOf(top.chosen ?? '')), keys.length, size);
  if (moved !== null) {
    const chosen = keys[Math.min(Math.max(0, moved), keys.length - 1)] ?? null;
    return { top: { ...top, chosen }, act: null };
  }
  const changed = CHANGES.get(key);
  return changed === undefined ? act(key, top, rows) : { top: changed(top), act: null };
}

/** The pane that explains the keys. */
export const KEY_LINES: readonly string[] = [
  'j k, arrows       choose a service; space, page up and down: a page; g G: first, last',
  'l w               the last lines of its log; why it is as it is',
  'u s r             start, stop, restart it; what others need is not stopped from here',
  'o, P M I N S      sort by the next key; by CPU, memory, pressure, name, state',
  't                 slices by bundle, then a tree of needs, then flat again',
  '/                 only names with this in them; esc: all',
  'PSI               worst of cpu, memory, io: percent of 10 s that somebody waited for it',
  'q, ctrl-C         leave',
];

/** The row that a key goes to, which may be beyond the ends; null: it is for something else. */
function move(key: string, at: number, count: number, size: Size): number | null {
  const page = Math.max(1, tableRows(size) - 1);
  switch (key) {
    case 'j':
    case '\x1b[B':
    case '\x1bOB':
      return at + 1;
    case 'k':
    case '\x1b[A':
    case '\x1bOA':
      return at - 1;
    case ' ':
    case '\x1b[6~':
      return at + page;
    case '\x1b[5~':
      return at - page;
    case 'g':
    case '\x1b[H':
    case '\x1b[1~':
      return 0;
    case 'G':
    case '\x1b[F':
    case '\x1b[4~':
      return count - 1;
    default:
      return null;
  }
}

const toPane =
  (pane: Pane) =>
  (top: Top): Top => ({ ...top, pane });
/** In another order the first is what is asked for. */
const ordered = (top: Top, order: Partial<Order>): Top => ({
  ...top,
  chosen: null,
  order: { ...top.order, ...order },
  message: '',
});
const sorted =
  (sort: Order['sort']) =>
  (top: Top): Top =>
    ordered(top, { sort });

const CHANGES: ReadonlyMap<string, (top: Top) => Top> = new Map([
  ['l', toPane('log')],
  ['w', toPane('why')],
  ['?', toPane('keys')],
  ['h', toPane('keys')],
  ['P', sorted('cpu')],
  ['M', sorted('memory')],
  ['I', sorted('pressure')],
  ['N', sorted('name')],
  ['S', sorted('state')],
  ['o', (top) => sorted(after(SORT_KEYS, top.order.sort))(top)],
  ['t', (top) => ordered(top, { shape: after(SHAPES, top.order.shape) })],
  ['/', (top) => ({ ...ordered(top, { filter: '' }), typing: true })],
  ['\x1b', (top) => ({ ...top, order: { ...top.order, filter: '' }, message: '' })],
]);

const after = <T>(all: readonly T[], one: T): T => all[(all.indexOf(one) + 1) % all.length] ?? one;

/** A name has no more characters than this. */
const FILTER_CHARS_MAX = 64;

function typed(key: string, top: Top): Top {
  const { order } = top;
  const filtered = (filter: string): Top => ({ ...top, order: { ...order, filter } });
  if (key === '\r' || key === '\n') return { ...top, typing: false };
  if (key === '\x1b') return { ...filtered(''), typing: false };
  if (key === '\x7f' || key === '\b') return filtered(order.filter.slice(0, -1));
  if (key === '\x15') return filtered('');
  const isLetter = /^[A-Za-z0-9_.@:+-]$/.test(key) && order.filter.length < FILTER_CHARS_MAX;
  return isLetter ? filtered(order.filter + key) : top;
}

const VERBS: ReadonlyMap<string, Act['verb']> = new Map([
  ['u', 'start'],
  ['s', 'stop'],
  ['r', 'restart'],
]);

function act(key: string, top: Top, rows: readonly Row[]): Pressed {
  const verb = VERBS.get(key);
  const row = rows.find((one) => one.key === top.chosen);
  if (verb === undefined || row === undefined) return { top: { ...top, message: '' }, act: null };
  const { name, view } = row;
  if (view === null) return { top: { ...top, message: `${name} is a slice` }, act: null };
  return { top: { ...top, message: `${verb} ${name} ...` }, act: { verb, name } };
}
