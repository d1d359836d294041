/**
 * What is done in a life of an init, and the samples that come of it. Each function is one life,
 * and gives samples by figure.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { KIND, Life, msBetween } from './life.ts';
import type { Peer, Services } from './peer.ts';
import { quantile } from './results.ts';
import { stage } from './roots.ts';

/** A null: it should have come, and did not. */
export type Samples = Record<string, (number | null)[]>;

/** Longer than any service must have run to be started again at once. */
const SETTLE_MS = 1300;
const NS = 1e6;
/** Deaths that are followed; few where each takes a second. */
const [DEATHS, DEATHS_SLOW, PAUSE_US] = [40, 2, 10_000];
const ORPHANS = 10_000;
/** What takes longer is measured once a life. */
const SLOW_MS = 500;
/** A command is called more often than services are restarted, which takes a pause. */
const STATUS_TIMES = 3;
/** Between two restarts, so that the one before does not delay the next. */
const PAUSE_RESTART_US = '1200000';

/** Services come up; some are killed; all are stopped. */
export async function whole(peer: Peer, count: number): Promise<Samples> {
  const services = servicesOf(peer, count);
  return living(peer, services, `${peer.name}-${count}`, async (life, samples) => {
    await up(life, services, samples);
    if (count === 1) return;
    await sleep(SETTLE_MS);
    const before = await costOf(life);
    samples[`memory/${count}`] = [before.pss];
    const deaths = Math.min(count, restartsLate(peer) ? DEATHS_SLOW : DEATHS);
    if (peer.once !== true) {
      const took = await life.meter('crash', String(deaths), String(PAUSE_US));
      const after = await costOf(life);
      if (count === 100) samples['crash'] = took.map(([ns = 0]) => ns / NS);
      samples[`event/${count}`] = [(after.cpu - before.cpu) / deaths / 1000];
    }
    if (peer.stop !== undefined) samples[`stop/${count}`] = [await stopped(life, peer, count)];
  });
}

/** Services come up, and no more. */
export async function brief(peer: Peer, count: number): Promise<Samples> {
  const services = servicesOf(peer, count);
  return living(peer, services, `${peer.name}-${count}`, (life, samples) =>
    up(life, services, samples),
  );
}

/** A thousand services of which each has a FIFO and says that it is ready: what svinit's have. */
export async function full(peer: Peer): Promise<Samples> {
  const services: Services = { count: 1000, program: 'tick-ready' };
  return living(peer, services, `${peer.name}-full`, async (life, samples) => {
    const whole: Samples = {};
    await up(life, services, whole);
    samples['up-full/1000'] = whole['up/1000'] ?? [];
  });
}

/** Ten waves of twenty. */
export async function waves(peer: Peer): Promise<Samples> {
  const services: Services = { count: 200, program: 'tick-10ms', wave: 20 };
  return living(peer, services, `${peer.name}-waves`, async (life, samples) => {
    const ready = await life.stamped(KIND.ready, services.count);
    const [first] = await life.stamped(KIND.started, services.count);
    const [began] = await life.stamped(KIND.began, 1);
    const end = latest(ready);
    samples['waves'] = [msBetween(first?.at ?? 0n, end)];
    samples['waves-exec'] = [msBetween(began?.at ?? 0n, end)];
  });
}

export async function orphans(peer: Peer): Promise<Samples> {
  const services = servicesOf(peer, Math.min(peer.most, 10));
  return living(peer, services, `${peer.name}-orphans`, async (life, samples) => {
    await life.stamped(KIND.started, services.count);
    await sleep(SETTLE_MS);
    const took = async (): Promise<number | null> => {
      const [[ns = Number.NaN] = []] = await life.meter('orphans', String(ORPHANS));
      return Number.isNaN(ns) ? null : ns / NS;
    };
    const first = await took();
    const quickly = first !== null && first < SLOW_MS;
    samples['orphans'] = quickly ? [first, await took(), await took()] : [first];
    const { talk } = peer;
    if (talk === undefined) return;
    const [answers] = await Promise.all([
      life.meter('talk', talk.socket, '3000', talk.line),
      life.meter('orphans', String(ORPHANS)),
    ]);
    samples['orphans-talk'] = [quantile(sortedMs(answers), 0.99)];
  });
}

/** A hundred services: commands, requests, and what it costs when nothing happens. */
export async function calls(peer: Peer, idleMs: number, times: number): Promise<Samples> {
  const services = servicesOf(peer, 100);
  return living(peer, services, `${peer.name}-calls`, async (life, samples) => {
    await life.stamped(KIND.started, services.count);
    await sleep(2 * SETTLE_MS);
    const [[switches = 0, cpu = 0] = []] = await life.meter('idle', String(idleMs));
    const share = 10_000 / idleMs;
    samples['idle-switches'] = [switches * share];
    samples['idle-cpu'] = [(cpu / NS) * share];
    await commands(life, peer, times, samples);
    const { talk, control } = peer;
    const every = [String(times), PAUSE_RESTART_US] as const;
    if (control !== undefined) {
      const asked = await life.meter('write', control.fifo, ...every, control.text);
      samples['restart-asked'] = asked.map(([ns = 0]) => ns / NS);
    }
    if (talk === undefined) return;
    const answers = sortedMs(await life.meter('talk', talk.socket, '20000', talk.line));
    const total = answers.reduce((sum, ms) => sum + ms, 0);
    samples['talk'] = [quantile(answers, 0.99)];
    samples['talk-rate'] = [(answers.length / total) * 1000];
    const restart = talk.line.replace('"status"', '"restart"');
    const asked = await life.meter('request', talk.socket, ...every, restart);
    samples['restart-asked'] = asked.map(([ns = 0]) => ns / NS);
  });
}

async function commands(life: Life, peer: Peer, times: number, samples: Samples): Promise<void> {
  const named = (words: readonly string[]): string[] =>
    words.map((word) => word.replace('NAME', 'n0000'));
  if (peer.status !== undefined) {
    const took = await life.meter('spawn', String(STATUS_TIMES * times), ...named(peer.status));
    samples['status'] = took.map(([ns = 0]) => ns / NS);
  }
  if (peer.bare !== undefined) {
    const took = await life.meter('spawn', String(STATUS_TIMES * times), ...peer.bare);
    samples['start'] = took.map(([ns = 0]) => ns / NS);
  }
  if (peer.restart !== undefined) {
    const took = await life.meter(
      'restart',
      String(times),
      PAUSE_RESTART_US,
      ...named(peer.restart),
    );
    samples['restart'] = took.map(([ns = 0]) => ns / NS);
    samples['restart-cli'] = took.map(([, ns = 0]) => ns / NS);
  }
}

async function living(
  peer: Peer,
  services: Services,
  label: string,
  act: (life: Life, samples: Samples) => Promise<void>,
): Promise<Samples> {
  const samples: Samples = {};
  const key = label.replaceAll(/[^\w-]/g, '_');
  const staged = staged_.get(key) ?? stage(peer, key, peer.files(services));
  staged_.set(key, staged);
  const life = await Life.begin(staged, peer, services);
  try {
    await act(life, samples);
  } finally {
    await life.end();
  }
  return samples;
}

/** Roots on the disk: they are copied for each life and stay as they are. */
const staged_ = new Map<string, string>();

function servicesOf(peer: Peer, count: number): Services {
  return { count, program: peer.readiness ? 'tick-ready' : 'tick' };
}

async function up(life: Life, { count, program }: Services, samples: Samples): Promise<void> {
  const started = await life.stamped(KIND.started, count);
  const [began] = await life.stamped(KIND.began, 1);
  const end = program === 'tick' ? started : await life.stamped(KIND.ready, count);
  samples[`up/${count}`] = [msBetween(began?.at ?? 0n, latest(end))];
}

function latest(stamps: readonly { readonly at: bigint }[]): bigint {
  const [last] = stamps.map(({ at }) => at).sort((a, b) => (a < b ? 1 : -1));
  return last ?? 0n;
}

/** From when the command is executed until the last service has been told, and ends. */
async function stopped(life: Life, peer: Peer, count: number): Promise<number | null> {
  const asking = life.in(['/usr/lib/bench/meter', 'ask', ...(peer.stop ?? [])]).catch(() => '');
  const [asked] = await life.stamped(KIND.asked, 1);
  const since = ({ at }: { readonly at: bigint }): boolean => at > (asked?.at ?? 0n);
  try {
    const ended = await life.stamped(KIND.ended, count);
    return msBetween(asked?.at ?? 0n, latest(ended.filter(since)));
  } catch {
    return null;
  } finally {
    await life.end();
    await asking;
  }
}

type Cost = { readonly pss: number; readonly cpu: number };

async function costOf(life: Life): Promise<Cost> {
  const [[, kib = 0, cpu = 0] = []] = await life.meter('cost');
  return { pss: kib / 1024, cpu };
}

const sortedMs = (rows: readonly (readonly number[])[]): number[] =>
  rows.map(([ns = 0]) => ns / NS).sort((a, b) => a - b);

/** They wait a second, and have to be waited for. */
const restartsLate = ({ name, slow = false }: Peer): boolean => slow || name === 'busybox init';
