/**
 * `node scripts/bench.ts run|report|compare|record`: svinit and its peers side by side.
 *
 *   run      measures all figures in interleaved rounds into build/bench, then reports; QUICK=1 in a
 *            few minutes, and without touching docs/. ROWS=up,waves: only figures of these lives
 *   report   docs/benchmarks.md and its plots from what was measured last
 *   compare  names what got worse by more than 20 % against the recorded ratios
 *   record   makes the ratios of what was measured last the recorded ones
 *
 * Needs root, and what `scripts/bench/prepare.sh` fetches. It asserts nothing.
 */
import { boots } from './bench/boot.ts';
import { compare, record } from './bench/compare.ts';
import { LOGGERS, logging } from './bench/logging.ts';
import { describeMachine } from './bench/machine.ts';
import { calls, orphans, type Samples, waves, whole } from './bench/measure.ts';
import type { Peer } from './bench/peer.ts';
import { PEERS } from './bench/peers.ts';
import { report } from './bench/report.ts';
import { add, load, type Results, save } from './bench/results.ts';
import { COUNTS } from './bench/rows.ts';

const QUICK = process.env['QUICK'] !== undefined && process.env['QUICK'] !== '';
const ONLY = (process.env['ROWS'] ?? '').split(',').filter((name) => name !== '');
const NAMED = (process.env['PEERS'] ?? '').split(',').filter((name) => name !== '');

/** One life of one peer. */
type Job = { readonly label: string; readonly peer: string; readonly run: () => Promise<Samples> };

async function run(): Promise<void> {
  const results: Results = {
    began: new Date().toISOString(),
    quick: QUICK,
    machine: await describeMachine(),
    missing: {},
    samples: {},
  };
  const jobs = planned();
  const began = performance.now();
  for (const [done, job] of jobs.entries()) {
    try {
      const samples = await job.run();
      for (const [row, values] of Object.entries(samples)) add(results, row, job.peer, ...values);
    } catch (error) {
      const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
      results.missing[`${job.label}: ${job.peer}`] = why;
      console.log(`\n${job.label}: ${job.peer}: ${why}`);
    }
    save(results);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${done + 1}/${jobs.length} ${seconds} s  ${job.label}: ${job.peer}`);
  }
}

/** All lives, those of one round one after the other, so that a slow minute is everybody's. */
function planned(): Job[] {
  const jobs: Job[] = [];
  const rounds = QUICK ? 1 : 4;
  for (let round = 0; round < rounds; round += 1) {
    if (wanted('up')) jobs.push(...COUNTS.flatMap((count) => ofCount(count, round)));
    if (wanted('up')) jobs.push(...each('up/1', (peer) => whole(peer, 1), round));
    if (wanted('waves')) {
      jobs.push(...each('waves', waves, round).filter(({ peer }) => named(peer)?.waves === true));
    }
    if (round >= (QUICK ? 1 : 2)) continue;
    const [idleMs, times] = QUICK ? [3000, 3] : [10_000, 3];
    if (wanted('calls')) {
      const able = each('calls', (peer) => calls(peer, idleMs, times), round);
      const once = QUICK || round > 0;
      jobs.push(
        ...able.filter(({ peer }) => {
          const { most = 0, slow = false } = named(peer) ?? {};
          return most >= 100 && !(slow && once);
        }),
      );
    }
    if (wanted('orphans')) {
      const reaping = each('orphans', orphans, round).filter(
        ({ peer }) => !peer.startsWith('limit'),
      );
      jobs.push(...reaping);
    }
    if (wanted('log')) {
      const bytes = QUICK ? 64 * 1024 ** 2 : 1024 ** 3;
      const able = LOGGERS.filter(({ name }) => NAMED.length === 0 || NAMED.includes(name));
      for (const logger of able) {
        jobs.push({ label: logger.row, peer: logger.name, run: () => logging(logger, bytes) });
      }
    }
    if (wanted('boot')) jobs.push(...boots().map((job) => ({ label: 'boot', ...job })));
  }
  return jobs;
}

const wanted = (name: string): boolean => ONLY.length === 0 || ONLY.includes(name);

const named = (name: string): Peer | undefined => PEERS.find((peer) => peer.name === name);

/** Few rounds where each takes long. */
function ofCount(count: number, round: number): Job[] {
  if (count === 5000 && (QUICK || round >= 2)) return [];
  if (count < 1000 && round >= 3) return [];
  const job = (peer: Peer): Promise<Samples> => whole(peer, count);
  return each(`up/${count}`, job, round).filter(({ peer }) => {
    const { most = 0, slow = false } = named(peer) ?? {};
    return count <= most && !(slow && count >= 1000 && (QUICK || round >= 1));
  });
}

function each(label: string, run: (peer: Peer) => Promise<Samples>, round: number): Job[] {
  const able = PEERS.filter(({ name }) => NAMED.length === 0 || NAMED.includes(name));
  return able
    .filter(({ slow = false }) => !slow || round < 2)
    .map((peer) => ({ label, peer: peer.name, run: () => run(peer) }));
}

async function main(verb: string): Promise<number> {
  if (verb === 'run') {
    await run();
    report(load());
  } else if (verb === 'report') report(load());
  else if (verb === 'compare') compare(load());
  else if (verb === 'record') record(load());
  else {
    console.error('usage: bench.ts run|report|compare|record');
    return 2;
  }
  return 0;
}

process.exitCode = await main(process.argv[2] ?? 'run');
