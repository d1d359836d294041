/**
 * A soak as a picture: four charts over one axis of time, and a mark for each act of the nemesis. A
 * value that stands for many is the largest of them, so that no peak is lost.
 */
import type { Sample } from './sample.ts';
import type { Mark } from './stage.ts';

/** SVG that can be read on a light and on a dark page. */
export function plot(title: string, samples: readonly Sample[], marks: readonly Mark[]): string {
  const seconds = Math.max(1, samples.at(-1)?.second ?? 1);
  const acts = [...new Set(marks.map(({ act }) => act))].sort();
  const height = TOP + CHARTS.length * STEP + ROW + Math.ceil(acts.length / PER_ROW) * ROW + ROW;
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${height}" role="img">`,
    `<title>${escaped(title)}</title>`,
    `<style>${STYLE}</style>`,
    `<text x="${LEFT}" y="18" class="title">${escaped(title)}</text>`,
    ...marks.map((mark) => tick(mark, seconds, acts)),
    ...CHARTS.flatMap((chart, i) => panel(chart, samples, seconds, TOP + i * STEP)),
    ...axis(seconds, TOP + CHARTS.length * STEP),
    ...acts.map((_, i) => legend(acts, i, TOP + CHARTS.length * STEP + 2 * ROW)),
    '</svg>\n',
  ].join('\n');
}

type Chart = {
  readonly label: string;
  readonly value: (sample: Sample) => number;
  /** The axis ends there at least. */
  readonly least: number;
};

const CHARTS: readonly Chart[] = [
  { label: 'memory of PID 1, MiB', value: ({ rss }) => rss / 1024, least: 64 },
  { label: 'descriptors of PID 1', value: ({ descriptors }) => descriptors, least: 10 },
  { label: 'an answer takes, ms', value: ({ lagMs }) => lagMs, least: 100 },
  { label: 'lines lost without a word', value: ({ lost }) => lost, least: 10 },
];

const [WIDTH, LEFT, RIGHT, TOP, STEP, TALL, ROW, PER_ROW] = [960, 60, 20, 34, 132, 100, 18, 7];
const SPAN: number = WIDTH - LEFT - RIGHT;

const STYLE = `
  text { font: 12px sans-serif; fill: #222 } .title { font-weight: bold }
  .frame { fill: none; stroke: #999 } .line { fill: none; stroke: #0969da; stroke-width: 1.5 }
  .mark { stroke-width: 1; opacity: 0.35 }
  @media (prefers-color-scheme: dark) {
    text { fill: #ddd } .frame { stroke: #666 } .line { stroke: #58a6ff }
  }`;

/** Evenly spread over the circle of hues, in the middle of lightness: seen on light and dark. */
const colour = (i: number, count: number): string =>
  `hsl(${Math.round((i * 360) / count)}, 70%, 50%)`;

const xOf = (second: number, seconds: number): number => LEFT + (second / seconds) * SPAN;

function tick({ second, act, what }: Mark, seconds: number, acts: readonly string[]): string {
  const x = xOf(Math.min(second, seconds), seconds).toFixed(1);
  const stroke = colour(acts.indexOf(act), acts.length);
  const to = TOP + CHARTS.length * STEP - (STEP - TALL);
  const about = `<title>${escaped(`${second.toFixed(1)} s: ${what}`)}</title>`;
  return `<path class="mark" stroke="${stroke}" d="M${x} ${TOP}V${to}">${about}</path>`;
}

function panel(
  { label, value, least }: Chart,
  samples: readonly Sample[],
  seconds: number,
  top: number,
): string[] {
  const most = roundUp(Math.max(least, ...buckets(samples, value, seconds).map(([, y]) => y)));
  const points = buckets(samples, value, seconds).map(([x, y]) => {
    return `${x.toFixed(1)},${(top + TALL - (y / most) * TALL).toFixed(1)}`;
  });
  return [
    `<rect class="frame" x="${LEFT}" y="${top}" width="${SPAN}" height="${TALL}"/>`,
    `<polyline class="line" points="${points.join(' ')}"/>`,
    `<text x="${LEFT}" y="${top + TALL + 14}">${label}</text>`,
    `<text x="${LEFT - 6}" y="${top + 10}" text-anchor="end">${most}</text>`,
    `<text x="${LEFT - 6}" y="${top + TALL}" text-anchor="end">0</text>`,
  ];
}

/** At most one point for each unit of the picture: its x, and the largest value there. */
function buckets(
  samples: readonly Sample[],
  value: (sample: Sample) => number,
  seconds: number,
): (readonly [number, number])[] {
  const largest = new Map<number, number>();
  for (const sample of samples) {
    const x = Math.round(xOf(sample.second, seconds));
    largest.set(x, Math.max(largest.get(x) ?? 0, value(sample)));
  }
  return [...largest];
}

/** 1, 2 or 5 times a power of ten. */
function roundUp(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  return ([1, 2, 5, 10].find((factor) => factor * power >= value) ?? 10) * power;
}

function axis(seconds: number, top: number): string[] {
  const [unit, word] = seconds > 7200 ? [3600, 'h'] : seconds > 120 ? [60, 'min'] : [1, 's'];
  const step = Math.max(1, roundUp(seconds / unit / 10));
  const count = Math.floor(seconds / unit / step);
  return Array.from({ length: count + 1 }, (_, i) => {
    const x = xOf(i * step * unit, seconds).toFixed(1);
    return `<text x="${x}" y="${top}" text-anchor="middle">${i * step} ${word}</text>`;
  });
}

/** The acts below the charts, in rows, each with its colour before it. */
function legend(acts: readonly string[], i: number, top: number): string {
  const x = Math.round(LEFT + (i % PER_ROW) * (SPAN / PER_ROW));
  const y = top + Math.floor(i / PER_ROW) * ROW;
  const fill = colour(i, acts.length);
  const box = `<rect x="${x}" y="${y - 9}" width="9" height="9" fill="${fill}"/>`;
  return `${box}<text x="${x + 13}" y="${y}">${escaped(acts[i] ?? '')}</text>`;
}

const escaped = (text: string): string =>
  text.replace(/[&<>"]/g, (found) => `&#${found.charCodeAt(0)};`);
