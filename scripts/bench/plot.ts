/**
 * A figure against the number of services, one line a peer, on two logarithmic axes: what grows with
 * the number is a straight line, what does not is flat.
 */
import { figure, type Results } from './results.ts';
import type { Row } from './rows.ts';

type Point = { readonly count: number; readonly value: number };

const [WIDTH, HEIGHT, LEFT, RIGHT, TOP, BOTTOM, ROW] = [720, 420, 70, 150, 40, 40, 18];

const STYLE = `
  text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold }
  .frame { fill: none; stroke: #999 } .grid { stroke: #999; opacity: 0.25 }
  .line { fill: none; stroke-width: 1.5 } .ours { stroke-width: 3 }
  @media (prefers-color-scheme: dark) { text { fill: #ddd } .frame { stroke: #666 } }`;

/** SVG that can be read on a light and on a dark page. `rows` are of one figure. */
export function plot(rows: readonly Row[], peers: readonly string[], results: Results): string {
  const lines = peers
    .map((name, i) => ({
      name,
      colour: colour(i, peers.length),
      points: points(rows, name, results),
    }))
    .filter((line) => line.points.length > 0);
  const all = lines.flatMap((line) => line.points);
  const [first] = rows;
  const title = `${first?.title.replace(/^[\d,]+ /, '') ?? ''}, ${first?.unit ?? ''}`;
  const x = scale(
    all.map(({ count }) => count),
    LEFT,
    WIDTH - RIGHT,
  );
  const y = scale(
    all.map(({ value }) => value),
    HEIGHT - BOTTOM,
    TOP,
  );
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text x="${LEFT}" y="20" class="title">${escaped(title)}</text>`,
    ...grid(rows, all, x, y),
    ...lines.flatMap(({ name, colour, points }, i) => {
      const ours = name.startsWith('svinit') ? ' ours' : '';
      const path = points.map(({ count, value }) => `${x(count)},${y(value)}`).join(' ');
      const at = TOP + 12 + i * ROW;
      const from = WIDTH - RIGHT + 12;
      return [
        `<polyline class="line${ours}" stroke="${colour}" points="${path}"/>`,
        ...points.map(
          ({ count, value }) =>
            `<circle cx="${x(count)}" cy="${y(value)}" r="3" fill="${colour}"/>`,
        ),
        `<rect x="${from}" y="${at - 9}" width="9" height="9" fill="${colour}"/>`,
        `<text x="${from + 14}" y="${at}">${escaped(name)}</text>`,
      ];
    }),
    '</svg>\n',
  ].join('\n');
}

function points(rows: readonly Row[], peer: string, results: Results): Point[] {
  return rows.flatMap((row) => {
    const value = figure(results, row.key, peer)?.median;
    if (value === undefined || !Number.isFinite(value) || value <= 0) return [];
    return [{ count: Number(row.key.split('/')[1]), value }];
  });
}

type Scale = (value: number) => string;

/** From the powers of ten around the values to pixels. */
function scale(values: readonly number[], from: number, to: number): Scale {
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  return (value) => (from + ((Math.log10(value) - low) / (high - low)) * (to - from)).toFixed(1);
}

function grid(rows: readonly Row[], all: readonly Point[], x: Scale, y: Scale): string[] {
  const values = all.map(({ value }) => value);
  const low = Math.floor(Math.log10(Math.min(...values)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values))));
  const powers = Array.from({ length: high - low + 1 }, (_, i) => 10 ** (low + i));
  const counts = rows.map(({ key }) => Number(key.split('/')[1]));
  const shown = counts.filter((count) => all.some((point) => point.count === count));
  return [
    ...powers.flatMap((value) => [
      `<path class="grid" d="M${LEFT} ${y(value)}H${WIDTH - RIGHT}"/>`,
      `<text x="${LEFT - 8}" y="${y(value)}" text-anchor="end">${label(value)}</text>`,
    ]),
    ...shown.map(
      (count) =>
        `<text x="${x(count)}" y="${HEIGHT - BOTTOM + 18}" text-anchor="middle">${count}</text>`,
    ),
    `<rect class="frame" x="${LEFT}" y="${TOP}" width="${WIDTH - RIGHT - LEFT}" height="${
      HEIGHT - BOTTOM - TOP
    }"/>`,
  ];
}

const label = (value: number): string => value.toLocaleString('en', { maximumFractionDigits: 3 });

const colour = (i: number, count: number): string =>
  `hsl(${Math.round((i * 360) / count)}, 70%, 50%)`;

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
