/**
 * `node scripts/soak.ts reexecs|orphans|restarts|chaos [--count=N] [--services=N] [--minutes=N]
 * [--seed=N] [--runtime=bun|node]`: svinit under load in namespaces of its own, and what came of it,
 * counted end to end. Needs root and the built image. The exit code is 1 when something was lost or
 * has grown. Chaos leaves a plot and its samples in build/soak.
 */
import { parseArgs } from 'node:util';
import { RUNTIMES } from './compile.ts';
import { chaos } from './soak/chaos.ts';
import { type Outcome, orphans, reexecs, restarts } from './soak/count.ts';
import { end } from './soak/instance.ts';

const OPTIONS = {
  count: { type: 'string' },
  services: { type: 'string', default: '200' },
  minutes: { type: 'string', default: '20' },
  seed: { type: 'string', default: '1' },
  runtime: { type: 'string', default: process.env['RUNTIME'] || 'bun' },
} as const;

async function main(): Promise<number> {
  const { values, positionals } = parseArgs({ options: OPTIONS, allowPositionals: true });
  const runtime = RUNTIMES.find((known) => known === values.runtime);
  const [what = ''] = positionals;
  const [services, minutes] = [Number(values.services), Number(values.minutes)];
  if (runtime === undefined) {
    console.error(`Cannot soak on '${values.runtime}': there is ${RUNTIMES.join(' and ')}`);
    return 2;
  }
  const runs: Readonly<Record<string, () => Promise<Outcome>>> = {
    reexecs: () => reexecs(runtime, Number(values.count ?? 1000), services),
    orphans: () => orphans(runtime, Number(values.count ?? 100_000)),
    chaos: () => chaos(runtime, { minutes, services, seed: Number(values.seed) }),
    restarts: () => restarts(runtime, Number(values.count ?? 100_000)),
  };
  const run = Object.hasOwn(runs, what) ? runs[what] : undefined;
  if (run === undefined) {
    console.error(`Cannot soak '${what}': there is ${Object.keys(runs).join(', ')}`);
    return 2;
  }
  try {
    const { ok, told } = await run();
    for (const line of told) console.log(`${runtime}: ${line}`);
    console.log(`${runtime}: ${what}: ${ok ? 'all is well' : 'NOT as it should be'}`);
    return ok ? 0 : 1;
  } finally {
    await end();
  }
}

process.exitCode = await main();
