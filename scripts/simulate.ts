/**
 * `node scripts/simulate.ts [--seeds=N] [--from=SEED] [--jobs=N]`: lives of the real core in a model
 * world, by the thousand, with everything going wrong that can (test/core/support/world.ts says what
 * must hold). The first that fails is made as small as possible and told, with the command that has
 * it again: `--seed=N --stretches=A-B,C --omit=NAME,NAME`. The exit code is 1 then.
 */
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import { isMainThread, parentPort, Worker, workerData } from 'node:worker_threads';
import {
  decodeStretches,
  encodeStretches,
  type Life,
  live,
  wholeLife,
} from '../test/simulate/life.ts';
import { shrink } from '../test/simulate/shrink.ts';

/** Seeds that a worker lives between two reports. */
const BATCH = 250;

type Batch = { readonly from: number; readonly count: number };
type Report = { readonly lived: number; readonly failed: number | null; readonly counts: Counts };
/** How often each thing was seen: phases entered, events, effects. */
type Counts = Readonly<Record<string, number>>;

const OPTIONS = {
  seeds: { type: 'string', default: process.env['SEEDS'] || '10000' },
  from: { type: 'string', default: '1' },
  jobs: { type: 'string', default: String(availableParallelism()) },
  seed: { type: 'string' },
  stretches: { type: 'string' },
  omit: { type: 'string', default: '' },
} as const;

async function main(): Promise<number> {
  const { values } = parseArgs({ options: OPTIONS });
  if (values.seed !== undefined) return one(lifeFrom(values));
  const [seeds, from, jobs] = [values.seeds, values.from, values.jobs].map(Number);
  if (!(Number(seeds) > 0 && Number(jobs) > 0 && Number(from) >= 0)) {
    console.error('Cannot simulate: --seeds, --from and --jobs are numbers');
    return 2;
  }
  return many(Number(from), Number(seeds), Number(jobs));
}

type Values = { readonly seed?: string; readonly stretches?: string; readonly omit: string };

function lifeFrom({ seed, stretches, omit }: Values): Life {
  const whole = wholeLife(Number(seed));
  return {
    ...whole,
    stretches: stretches === undefined ? whole.stretches : decodeStretches(stretches),
    omit: omit.split(',').filter((name) => name !== ''),
  };
}

function one(life: Life): number {
  const { failure, story } = live(life);
  console.log(failure ?? `${story}\nseed ${life.seed}: all is well`);
  return failure === null ? 0 : 1;
}

async function many(from: number, seeds: number, jobs: number): Promise<number> {
  const beganAt = performance.now();
  const total = new Map<string, number>();
  let [next, lived] = [from, 0];
  let failed: number | null = null;
  const end = from + seeds;
  const say = (): void => {
    const rate = Math.round(lived / ((performance.now() - beganAt) / 1000));
    console.log(`${lived} of ${seeds} seeds, ${rate}/s`);
  };
  const work = (worker: Worker): Promise<void> =>
    new Promise((resolve, reject) => {
      const give = (): void => {
        if (next >= end || failed !== null) return void worker.terminate().then(() => resolve());
        const count = Math.min(BATCH, end - next);
        worker.postMessage({ from: next, count } satisfies Batch);
        next += count;
      };
      worker.on('error', reject);
      worker.on('message', (report: Report) => {
        lived += report.lived;
        for (const [key, count] of Object.entries(report.counts)) {
          total.set(key, (total.get(key) ?? 0) + count);
        }
        if (report.failed !== null) failed = Math.min(failed ?? Infinity, report.failed);
        if (Math.floor(lived / 10_000) > Math.floor((lived - report.lived) / 10_000)) say();
        give();
      });
      give();
    });
  const file = new URL(import.meta.url);
  await Promise.all(
    Array.from({ length: jobs }, () => work(new Worker(file, { workerData: true }))),
  );
  say();
  console.log(
    [...total]
      .sort()
      .map(([key, count]) => `  ${key}: ${count}`)
      .join('\n'),
  );
  console.log(`seeds ${from} to ${end - 1}: ${failed === null ? 'none failed' : 'one failed'}`);
  if (failed === null) return 0;
  tellSmallest(failed);
  return 1;
}

function tellSmallest(seed: number): void {
  const { stretches, omit, ...life } = shrink(wholeLife(seed));
  console.log(live({ ...life, stretches, omit }).failure);
  const command = [
    'node scripts/simulate.ts',
    `--seed=${seed}`,
    `--stretches=${encodeStretches(stretches)}`,
    ...(omit.length === 0 ? [] : [`--omit=${omit.join(',')}`]),
  ];
  console.log(`\nThe same again: ${command.join(' ')}`);
}

/** What a worker does with each batch. */
function batch({ from, count }: Batch): Report {
  const counts: Record<string, number> = {};
  const seen = (key: string): void => {
    counts[key] = (counts[key] ?? 0) + 1;
  };
  for (let seed = from; seed < from + count; seed += 1) {
    const { failure } = live(wholeLife(seed), undefined, (_, { changes, effects }) => {
      for (const { service } of changes) seen(`phase ${service.phase.at}`);
      for (const effect of effects) seen(`effect ${effect.do}`);
    });
    if (failure !== null) return { lived: seed - from + 1, failed: seed, counts };
  }
  return { lived: count, failed: null, counts };
}

if (isMainThread) process.exitCode = await main();
else if (workerData === true) {
  parentPort?.on('message', (given: Batch) => parentPort?.postMessage(batch(given)));
}
