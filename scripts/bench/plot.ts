/**
 * A figure against the number of services, one line a peer, on two logarithmic axes: what grows with
 * the number is a straight line, what does not is flat. svinit's lines are thick, the limits of its
 * runtimes are dashed in the same colours, and the legend is in the order of the lines' ends.
 */
import { figure, type Results } from './results.ts';
import type { Row } from './rows.ts';

type Point = { readonly count: number; readonly value: number };
type Line = { readonly name: string; readonly points: readonly Point[] };

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, ROW] = [760, 440, 84, 160, 44, 56, 19];

const STYLE = `
  text { font: 12px sans-serif; fill: #222 } .title { font-size: 14px; font-weight: bold }
  .frame { fill: none; stroke: #999 } .grid { stroke: #999; opacity: 0.3 }
  .line { fill: none; stroke-width: 1.5 } .ours { stroke-width: 3.5 }
  .least { stroke-dasharray: 6 4; stroke-width: 2 }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .frame { stroke: #666 } }`;

/** Told apart on a light and on a dark page; a limit has the colour of whose limit it is. */
const COLOURS: Readonly<Record<string, string>> = {
  floor: '#777777',
  'limit (Bun)': '#d62728',
  'svinit (Bun)': '#d62728',
  'limit (Node)': '#2a8f3d',
  'svinit (Node)': '#2a8f3d',
  s6: '#1f77d0',
  runit: '#17a5b8',
  'busybox init': '#e08a00',
  systemd: '#9467bd',
  supervisord: '#a0694f',
  pm2: '#dd62b4',
};

/** SVG that can be read on a light and on a dark page. `rows` are of one figure. */
export function plot(rows: readonly Row[], peers: readonly string[], results: Results): string {
  const lines = peers
    .map((name): Line => ({ name, points: points(rows, name, results) }))
    .filter((line) => line.points.length > 0)
    .sort((a, b) => (b.points.at(-1)?.value ?? 0) - (a.points.at(-1)?.value ?? 0));
  const all = lines.flatMap((line) => line.points);
  const values = all.map(({ value }) => value);
  const counts = [...new Set(all.map(({ count }) => count))].sort((a, b) => a - b);
  const [first] = rows;
  const subject = subjectOf(first);
  const x = scale(Math.min(...counts) / 1.25, Math.max(...counts) * 1.25, LEFT, WIDTH - RIGHT);
  const [low, high] = around(values);
  const y = scale(low, high, HEIGHT - BOTTOM, TOP);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escaped(subject)}</title>`,
    `<style>${STYLE}</style>`,
    `<text x="${LEFT}" y="24" class="title">${escaped(subject)}</text>`,
    ...ticks(low, high).flatMap((value) => [
      `<path class="grid" d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}"/>`,
      text(LEFT - 8, Number(y(value)) + 4, label(value), 'end'),
    ]),
    ...counts.map((count) => text(x(count), HEIGHT - BOTTOM + 18, label(count), 'middle')),
    text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, 'services', 'middle'),
    `<text transform="translate(16 ${(TOP + HEIGHT - BOTTOM) / 2}) rotate(-90)" ` +
      `text-anchor="middle">${escaped(first?.unit ?? '')}</text>`,
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${WIDTH - RIGHT - LEFT}" height="${
      HEIGHT - BOTTOM - TOP
    }"/>`,
    ...lines.flatMap((line, i) => drawn(line, i, x, y)),
    '</svg>\n',
  ].join('\n');
}

/** The values 1, 2 and 5 of every power of ten from `low` to `high`; few of them where there is much. */
export function ticks(low: number, high: number): number[] {
  const from = Math.floor(Math.log10(low));
  const to = Math.ceil(Math.log10(high));
  const steps = to - from > 3 ? [1] : [1, 2, 5];
  const all = Array.from({ length: to - from + 1 }, (_, i) =>
    steps.map((step) => Number((step * 10 ** (from + i)).toPrecision(1))),
  );
  return all.flat().filter((value) => value >= low && value <= high);
}

/** `1,000 services: PSS` is about PSS, `1,000 services up` about services. */
function subjectOf(row: Row | undefined): string {
  const title = (row?.title ?? '').replace(/^[\d,]+ (services: )?/, '');
  return `${title.charAt(0).toUpperCase()}${title.slice(1)}`;
}

function drawn({ name, points }: Line, i: number, x: Scale, y: Scale): string[] {
  const colour = COLOURS[name] ?? '#555555';
  const kind = name.startsWith('svinit') ? ' ours' : /^(limit|floor)/.test(name) ? ' least' : '';
  const path = points.map(({ count, value }) => `${x(count)},${y(value)}`).join(' ');
  const at = TOP + 12 + i * ROW;
  const from = WIDTH - RIGHT + 12;
  return [
    `<polyline class="line${kind}" stroke="${colour}" points="${path}"/>`,
    ...points.map(
      ({ count, value }) => `<circle cx="${x(count)}" cy="${y(value)}" r="3" fill="${colour}"/>`,
    ),
    `<path class="line${kind}" stroke="${colour}" d="M${from} ${at - 4}h24"/>`,
    text(from + 30, at, name, 'start'),
  ];
}

function points(rows: readonly Row[], peer: string, results: Results): Point[] {
  return rows.flatMap((row) => {
    const value = figure(results, row.key, peer)?.median;
    if (value === undefined || !Number.isFinite(value) || value <= 0) return [];
    return [{ count: Number(row.key.split('/')[1]), value }];
  });
}

type Scale = (value: number) => string;

/** Logarithmic, to pixels. */
function scale(low: number, high: number, from: number, to: number): Scale {
  return (value) =>
    (from + (Math.log(value / low) / Math.log(high / low)) * (to - from)).toFixed(1);
}

/** Some room below and above. */
function around(values: readonly number[]): [number, number] {
  const [low, high] = [Math.min(...values), Math.max(...values)];
  return [low / 1.4, high * 1.4];
}

const text = (x: number | string, y: number, what: string, anchor: string): string =>
  `<text x="${x}" y="${y}" text-anchor="${anchor}">${escaped(what)}</text>`;

const label = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 3 });

const escaped = (what: string): string =>
  what.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
