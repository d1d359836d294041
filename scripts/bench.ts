/**
 * `node scripts/bench.ts run|report|summary|compare|record`: svinit and its peers side by side.
 *
 *   run      measures all figures in interleaved rounds into build/bench, then reports; QUICK=1 in a
 *            few minutes, and without touching docs/. ROWS=up,waves: only figures of these lives
 *            (scripts/bench/plan.ts); PEERS=s6,runit: only these. Then, too, docs/ stays as it is
 *   report   docs/benchmarks.md and its plots from what was measured last
 *   summary  the rows of the README, from the same
 *   compare  names what got worse by more than 20 % against the recorded ratios
 *   record   makes the ratios of what was measured last the recorded ones
 *
 * Needs root, and what `scripts/bench/prepare.sh` fetches. It asserts nothing.
 */
import { compare, ratiosOf, readRecorded, record } from './bench/compare.ts';
import { describeMachine } from './bench/machine.ts';
import { type Job, planned, type Wishes, warming } from './bench/plan.ts';
import { report, summary } from './bench/report.ts';
import { add, load, type Results, save } from './bench/results.ts';

const listed = (name: string): string[] =>
  (process.env[name] ?? '').split(',').filter((word) => word !== '');

const WISHES: Wishes = {
  quick: (process.env['QUICK'] ?? '') !== '',
  rows: listed('ROWS'),
  peers: listed('PEERS'),
};

async function run(): Promise<void> {
  const results: Results = {
    began: new Date().toISOString(),
    quick: WISHES.quick || WISHES.rows.length > 0 || WISHES.peers.length > 0,
    machine: await describeMachine(),
    missing: {},
    samples: {},
  };
  for (const job of warming(WISHES)) await attempt(job, results, false);
  const jobs = planned(WISHES);
  const began = performance.now();
  for (const [done, job] of jobs.entries()) {
    await attempt(job, results, true);
    save(results);
    const seconds = ((performance.now() - began) / 1000).toFixed(0);
    console.log(`${done + 1}/${jobs.length} ${seconds} s  ${job.label}: ${job.peer}`);
  }
}

async function attempt(job: Job, results: Results, kept: boolean): Promise<void> {
  try {
    const samples = await job.run();
    if (!kept) return;
    for (const [row, values] of Object.entries(samples)) add(results, row, job.peer, ...values);
  } catch (error) {
    const [why = ''] = (error instanceof Error ? error.message : String(error)).split('\n');
    if (kept) results.missing[`${job.label}: ${job.peer}`] = why;
    console.log(`\n${job.label}: ${job.peer}: ${why}`);
  }
}

async function main(verb: string): Promise<number> {
  if (verb === 'run') {
    await run();
    report(load());
  } else if (verb === 'report') report(load());
  else if (verb === 'summary') console.log(summary(load()).join('\n'));
  else if (verb === 'compare') {
    const { began, quick, ...rest } = load();
    console.log(`Measured ${began}${quick ? ', in a quick run: few samples' : ''}.`);
    console.log(compare(readRecorded(), ratiosOf({ began, quick, ...rest })).join('\n'));
  } else if (verb === 'record') record(load());
  else {
    console.error('usage: bench.ts run|report|summary|compare|record');
    return 2;
  }
  return 0;
}

process.exitCode = await main(process.argv[2] ?? 'run');
