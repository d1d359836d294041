/**
 * The figures of the benchmark: what each is called, its unit, and what svinit is to reach. Keys are
 * those of the results.
 */
export type Row = {
  readonly key: string;
  readonly title: string;
  readonly unit:
    | 'ms'
    | 'MiB'
    | 'µs'
    | 'MB/s'
    | 's'
    | 'switches'
    | '1/s'
    | 'ns/byte'
    | 'million'
    | '×';
  /** More is better; else less is. */
  readonly more?: boolean;
  /** What svinit is to reach: in the unit, or as a multiple of what another takes. */
  readonly aim?: Aim;
};

export type Aim = {
  readonly most?: number;
  /** `most` of svinit on Node, where it is another. */
  readonly mostOnNode?: number;
  readonly least?: number;
  /** `most` and `least` are multiples of the median of this peer. */
  readonly of?: string;
  /** `most` is over the median of this peer. */
  readonly over?: string;
};

/** The numbers of services of the figures that grow with it. */
export const COUNTS = [10, 100, 1000, 5000] as const;

/** Figures for every number of services. */
export const GROWING = ['up', 'stop', 'memory', 'event'] as const;

export const ROWS: readonly Row[] = [
  { key: 'up/1', title: '1 service up, from exec', unit: 'ms', aim: { most: 15 } },
  ...grown('up', 'services up, from exec', 'ms', { most: 1.8, of: 'floor' }),
  { key: 'up-full/1000', title: '1,000 services, each with a FIFO and readiness', unit: 'ms' },
  { key: 'work/1', title: '1 service up: instructions of all processes', unit: 'million' },
  { key: 'work/1000', title: '1,000 services up: instructions of all', unit: 'million' },
  ...grown('stop', 'services stopped, from the request', 'ms', { most: 60 }),
  ...grown('memory', 'services: PSS of all that supervises', 'MiB', { most: 40 }),
  ...grown('event', 'services: CPU time of a death and a start', 'µs'),
  {
    key: 'flat',
    title: '60,000 restarts of 1,000 services: PSS, the last third against the first',
    unit: '×',
    aim: { most: 1.1 },
  },
  { key: 'waves', title: '10 waves × 20, each ready after 10 ms', unit: 'ms', aim: { most: 125 } },
  { key: 'waves-exec', title: 'the same, from exec', unit: 'ms' },
  { key: 'crash', title: 'killed → running again, 100 services', unit: 'ms', aim: { most: 0.8 } },
  { key: 'orphans', title: '10,000 orphans: last fork → no zombie', unit: 'ms', aim: { most: 10 } },
  { key: 'orphans-talk', title: 'p99 of an answer meanwhile', unit: 'ms', aim: { most: 100 } },
  { key: 'status', title: '`status NAME` as a process', unit: 'ms', aim: { most: 12 } },
  { key: 'start', title: 'a program of the runtime that ends at once', unit: 'ms' },
  { key: 'restart', title: '`restart NAME` → running, process included', unit: 'ms' },
  { key: 'restart-cli', title: '`restart NAME` until it returns', unit: 'ms' },
  {
    key: 'restart-asked',
    title: 'restart: request written → running',
    unit: 'ms',
    aim: { most: 2 },
  },
  { key: 'talk', title: 'p99 of an answer, one connection', unit: 'ms', aim: { most: 5 } },
  {
    key: 'talk-rate',
    title: 'requests a second, one connection',
    unit: '1/s',
    more: true,
    aim: { least: 5000 },
  },
  {
    key: 'idle-switches',
    title: '100 services idle, 10 s: context switches',
    unit: 'switches',
    aim: { most: 60, mostOnNode: 15 },
  },
  { key: 'idle-cpu', title: 'the same: CPU time', unit: 'ms', aim: { most: 10 } },
  {
    key: 'log',
    title: 'lines of 100 bytes, stamped, rotated',
    unit: 'MB/s',
    more: true,
    aim: { least: 2, of: 's6-log' },
  },
  {
    key: 'log-cpu',
    title: 'CPU time of the logger',
    unit: 'ns/byte',
    aim: { most: 1, of: 's6-log' },
  },
  { key: 'log-bare', title: 'lines without stamps', unit: 'MB/s', more: true },
  {
    key: 'boot',
    title: 'QEMU start → 50 services up',
    unit: 's',
    aim: { most: 0.6, over: 'busybox init' },
  },
  { key: 'boot-kernel', title: 'the same, from the start of its clock', unit: 's' },
];

function grown(key: string, title: string, unit: Row['unit'], aim?: Aim): Row[] {
  return COUNTS.map((count) => ({
    key: `${key}/${count}`,
    title: `${count.toLocaleString('en')} ${title}`,
    unit,
    // The figures to reach are for a thousand.
    ...(aim !== undefined && count === 1000 ? { aim } : {}),
  }));
}
