/**
 * `node scripts/bench/flat.ts [--runtime=bun|node] [--restarts=N] [--services=N]`: whether memory
 * stays as it is however often services are restarted.
 *
 * All services are killed, again and again, as soon as each has run long enough to be started again
 * without delay; that is as fast as services can crash. They go some at a time, and never more than
 * have come back. After each wave PSS of all that supervises is read. A runtime that collects its
 * garbage now and then has a saw of it: what is quoted is the least of the last third against the
 * least of the first.
 */
import { closeSync, fstatSync, openSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { RUNTIMES, type Runtime } from '../compile.ts';
import { KIND, Life } from './life.ts';
import type { Samples } from './measure.ts';
import type { Peer, Services } from './peer.ts';
import { bun, node } from './peers/svinit.ts';
import { stage } from './roots.ts';

export type Sample = { readonly restarts: number; readonly mib: number };

/** The row of one peer. */
export async function flat(peer: Peer): Promise<Samples> {
  const samples = await follow(peer, { count: 1000, program: 'tick' }, RESTARTS);
  return { flat: [growth(samples)] };
}

/** PSS against the number of restarts, until there have been so many. */
export async function follow(
  peer: Peer,
  services: Services,
  restarts: number,
  told: (sample: Sample) => void = () => {},
): Promise<Sample[]> {
  const { count } = services;
  const life = await Life.begin(stage(peer, 'flat', peer.files(services)), peer, services);
  const samples: Sample[] = [];
  let stamps: number | null = null;
  try {
    await life.stamped(KIND.started, count);
    stamps = openSync(life.path('/bench/stamps'), 'r');
    let seen = 0;
    do {
      const [[, kib = 0] = []] = await life.meter('cost');
      samples.push({ restarts: seen, mib: kib / 1024 });
      told({ restarts: seen, mib: kib / 1024 });
      const next = sleep(LIVES_MS);
      await wave(life, stamps);
      await next;
      const more = (await started(stamps, Infinity)) - count;
      if (more === seen) throw new Error(`Nobody is started again:\n${life.console}`);
      if (isReplaced(life)) throw new Error(`A fresh image has begun:\n${life.console}`);
      seen = more;
    } while (seen < restarts);
    return samples;
  } finally {
    if (stamps !== null) closeSync(stamps);
    await life.end();
  }
}

/** The least of the last third of the samples, times the least of the first. */
export function growth(samples: readonly Sample[]): number {
  const third = Math.ceil(samples.length / 3);
  const least = (some: readonly Sample[]): number => Math.min(...some.map(({ mib }) => mib));
  return least(samples.slice(-third)) / least(samples.slice(0, third));
}

/** An image that goes on from another has the memory of neither. */
function isReplaced({ pid }: Life): boolean {
  return commandOf(pid).includes('--state=');
}

/** The row says how many. */
const RESTARTS = 60_000;
/** A run of a second is long enough (core/pacing.ts). */
const LIVES_MS = 1050;
const LOOK_MS = 20;
/** Longer than the first delay of those that were killed too early. */
const PATIENCE_MS = 500;
/** So many are killed at once. */
const AT_ONCE = 50;
const STAMP_BYTES = 16;

/** Kills all that run now. */
async function wave(life: Life, stamps: number): Promise<void> {
  const pids = children(life);
  const before = await started(stamps, 0);
  for (let done = 0; done < pids.length; done += AT_ONCE) {
    for (const pid of pids.slice(done, done + AT_ONCE)) process.kill(pid, 'SIGKILL');
    await started(stamps, before + done);
  }
}

/** The services: the logger is told from them by its name. */
function children({ pid }: Life): number[] {
  const all = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim().split(' ');
  return all.map(Number).filter((child) => !commandOf(child).startsWith('svlog'));
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8');
  } catch {
    return '';
  }
}

/** How many starts there have been, once there are `least` or no more come. */
async function started(stamps: number, least: number): Promise<number> {
  // One stamp is that of PID 1.
  const now = (): number => Math.floor(fstatSync(stamps).size / STAMP_BYTES) - 1;
  let [count, at] = [now(), performance.now()];
  while (count < least && performance.now() - at < PATIENCE_MS) {
    await sleep(LOOK_MS);
    const more = now();
    if (more > count) [count, at] = [more, performance.now()];
  }
  return count;
}

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      runtime: { type: 'string' },
      restarts: { type: 'string', default: '100000' },
      services: { type: 'string', default: '1000' },
    },
  });
  const runtimes = RUNTIMES.filter((name) => (values.runtime ?? name) === name);
  const [restarts, count] = [Number(values.restarts), Number(values.services)];
  for (const runtime of runtimes as readonly Runtime[]) {
    const peer = runtime === 'bun' ? bun : node;
    let next = 0;
    const samples = await follow(peer, { count, program: 'tick' }, restarts, (sample) => {
      if (sample.restarts < next) return;
      next = sample.restarts + restarts / 20;
      console.log(`${peer.name}: ${sample.restarts} restarts, ${sample.mib.toFixed(1)} MiB`);
    });
    const times = growth(samples).toFixed(2);
    console.log(`${peer.name}: the last third has ${times} times the memory of the first`);
  }
}

if (import.meta.main) await main();
