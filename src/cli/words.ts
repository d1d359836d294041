/**
 * How a state looks (glyph, word, colour), how a time reads in a column, and the one gate through
 * which text of others passes before it is shown.
 */
import { escapeForTerminal } from '../core/logline.ts';
import type { ServiceView, StateWord } from '../core/methods.ts';
import type { Style } from './terminal.ts';

type Colour = 'red' | 'yellow' | 'green' | 'dim' | 'bold';

type Look = {
  readonly glyph: string;
  /** For terminals and locales without the other. */
  readonly ascii: string;
  readonly colour: Colour;
  /** Rows of `ls` come in this order, then by name. */
  readonly rank: number;
};

/** SGR parameters of ECMA-48, 8.3.117. */
const SGR: Readonly<Record<Colour, string>> = {
  red: '31',
  yellow: '33',
  green: '32',
  dim: '2',
  bold: '1',
};

const LOOKS: Readonly<Record<StateWord, Look>> = {
  failed: { glyph: '✗', ascii: 'x', colour: 'red', rank: 0 },
  backoff: { glyph: '✗', ascii: 'x', colour: 'yellow', rank: 1 },
  waiting: { glyph: '…', ascii: '.', colour: 'yellow', rank: 2 },
  starting: { glyph: '…', ascii: '.', colour: 'yellow', rank: 3 },
  stopping: { glyph: '…', ascii: '.', colour: 'yellow', rank: 3 },
  finishing: { glyph: '…', ascii: '.', colour: 'yellow', rank: 3 },
  up: { glyph: '●', ascii: '*', colour: 'green', rank: 3 },
  done: { glyph: '✓', ascii: '+', colour: 'green', rank: 3 },
  down: { glyph: '○', ascii: '-', colour: 'dim', rank: 3 },
};

/** States on the way to somewhere: where to is always shown. */
const MOVING: ReadonlySet<StateWord> = new Set(['starting', 'stopping', 'finishing']);
/** States a service is only in because it is wanted up. */
const WANTED_UP: ReadonlySet<StateWord> = new Set(['up', 'done', 'waiting', 'backoff']);

/** Text of unknown origin, with everything that acts on a terminal made visible. */
export const safe = (text: string): string => escapeForTerminal(text);

export function paint(text: string, colour: Colour, style: Style): string {
  return style.colour ? `\x1b[${SGR[colour]}m${text}\x1b[0m` : text;
}

/** What paints a cell of this state. */
export const painterOf =
  (state: StateWord, style: Style): ((text: string) => string) =>
  (text) =>
    paint(text, lookOf(state).colour, style);

export function glyphOf(state: StateWord, style: Style): string {
  const { glyph, ascii } = lookOf(state);
  return style.unicode ? glyph : ascii;
}

/** The state, and what is wanted when that is something else: `up→down`, `starting→up`. */
export function stateText({ state, want }: ServiceView, style: Style): string {
  const asWanted = WANTED_UP.has(state) ? want === 'up' : state === 'failed' || want === 'down';
  if (asWanted && !MOVING.has(state)) return safe(state);
  return `${safe(state)}${arrow(style)}${safe(want)}`;
}

export const arrow = (style: Style): string => (style.unicode ? '→' : '->');
export const ellipsis = (style: Style): string => (style.unicode ? '…' : '..');
export const dash = (style: Style): string => (style.unicode ? '—' : '-');

/** Failed first, then what will be tried again, then what waits, then the rest; each by name. */
export function byUrgency(a: ServiceView, b: ServiceView): number {
  const ranks = lookOf(a.state).rank - lookOf(b.state).rank;
  return ranks !== 0 ? ranks : byName(a.name, b.name);
}

/** The order of code points: the same on every machine. */
export function byName(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** A duration for a column: `850ms`, `12s`, `4m10s`, `2h5m`, `3d4h`. */
export function shortDuration(duration: number): string {
  if (duration < 1000) return `${Math.round(duration)}ms`;
  const seconds = Math.floor(duration / 1000);
  const [days, hours] = [Math.floor(seconds / 86_400), Math.floor(seconds / 3600) % 24];
  const minutes = Math.floor(seconds / 60) % 60;
  if (days > 0) return `${days}d${hours}h`;
  if (hours > 0) return `${hours}h${minutes}m`;
  return minutes > 0 ? `${minutes}m${seconds % 60}s` : `${seconds}s`;
}

/** A state this svctl does not know (of a newer svinit) looks like one that is on the way. */
function lookOf(state: StateWord): Look {
  return LOOKS[state] ?? LOOKS.starting;
}
