/**
 * `node scripts/fuzz.ts [--minutes=N] [--seed=N] [--rounds=N] [TARGET…]`: random inputs for what
 * reads untrusted input, for some minutes (MINUTES, or 1) shared between the targets (all). An input
 * that fails is made smaller and written into its corpus; the exit code is 1 then. With `--rounds` it
 * is so many inputs from `--seed` on, however long they take.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { type Fuzzer, report } from '../test/fuzz/fuzzer.ts';
import { fuzzers } from '../test/fuzz/targets/all.ts';

const OPTIONS = {
  minutes: { type: 'string', default: process.env['MINUTES'] || '1' },
  seed: { type: 'string', default: '1' },
  rounds: { type: 'string' },
} as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const all = fuzzers();
  const chosen = all.filter(({ name }) => positionals.length === 0 || positionals.includes(name));
  const unknown = positionals.filter((name) => all.every((target) => target.name !== name));
  if (unknown.length > 0 || chosen.length === 0) {
    console.error(
      `Cannot fuzz ${unknown.join(', ')}: there is ${all.map((one) => one.name).join(', ')}`,
    );
    return 2;
  }
  const rounds = values.rounds === undefined ? Infinity : Number(values.rounds);
  const eachMs = rounds < Infinity ? Infinity : (Number(values.minutes) * 60_000) / chosen.length;
  let failed = 0;
  for (const target of chosen) {
    if (!(await fuzz(target, Number(values.seed), rounds, eachMs))) failed += 1;
  }
  return failed === 0 ? 0 : 1;
}

async function fuzz(target: Fuzzer, seed: number, rounds: number, forMs: number): Promise<boolean> {
  const beganAt = performance.now();
  let lived = 0;
  for (; lived < rounds && performance.now() - beganAt < forMs; lived += 1) {
    const failure = await target.round(seed + lived);
    if (failure === null) continue;
    mkdirSync(dirname(failure.file.path), { recursive: true });
    writeFileSync(failure.file.path, failure.file.text);
    console.log(report(failure));
    return false;
  }
  const seconds = (performance.now() - beganAt) / 1000;
  const slowest = target.slowest();
  const slow = slowest === null ? '' : `, at most ${slowest.msPer64KiB.toFixed(1)} ms for 64 KiB`;
  const rate = Math.round(lived / seconds);
  console.log(`${target.name}: ${lived} inputs, ${rate}/s, none failed${slow}`);
  return true;
}

process.exitCode = await main();
