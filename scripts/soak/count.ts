/**
 * The soaks that count: re-execs under load, orphans, restarts. Each says what went in and what came
 * out, and whether that is the same.
 */
import { writeFileSync } from 'node:fs';
import { type Definitions, script } from '../../test/supervisor/definitions.ts';
import { until } from '../../test/supervisor/instance.ts';
import type { Runtime } from '../compile.ts';
import {
  begin,
  type Cost,
  costOf,
  list,
  livesOf,
  MORTAL,
  missing,
  startOf,
  WRITER,
} from './instance.ts';

export type Outcome = { readonly ok: boolean; readonly told: readonly string[] };

/** `count` planned re-execs, one after the other, while `services` print, die and are restarted. */
export async function reexecs(runtime: Runtime, count: number, services: number): Promise<Outcome> {
  const writers = names('w', Math.ceil(services / 2));
  const mortals = names('m', Math.floor(services / 2));
  const svinit = await begin(runtime, { ...each(writers, WRITER), ...each(mortals, MORTAL) });
  const [born, before] = [startOf(svinit), costOf(svinit)];
  const beganAt = performance.now();
  let slowest = 0;
  for (let image = 2; image <= count + 1; image += 1) {
    const askedAt = performance.now();
    const reply = await svinit.call('reexec');
    slowest = Math.max(slowest, performance.now() - askedAt);
    const { image: found } = (reply?.result ?? {}) as { image?: number };
    if (found !== image) return { ok: false, told: [`image ${found} answered, not ${image}`] };
  }
  const seconds = (performance.now() - beganAt) / 1000;
  writeFileSync(svinit.path('/tmp/enough'), '');
  for (const name of writers) await svinit.logFile(name).expect(/last \d+\n/);
  const running = async (): Promise<true | null> => {
    const all = await list(svinit);
    return all.every(({ name, state }) => !name.startsWith('m') || state === 'up') || null;
  };
  await until('nobody dies any more', async () => {
    const lives = mortals.map((name) => livesOf(svinit, name)).join();
    await new Promise((resolve) => setTimeout(resolve, 3000));
    return (await running()) && lives === mortals.map((name) => livesOf(svinit, name)).join();
  });

  const printed = writers.map((name) => missing(svinit, name));
  const wrong = printed.reduce((sum, one) => sum + one.wrong, 0);
  const lines = printed.reduce((sum, one) => sum + one.lines, 0);
  const restarts = new Map((await list(svinit)).map((one) => [one.name, one.restarts]));
  const lives = mortals.reduce((sum, name) => sum + livesOf(svinit, name), 0);
  // The last start of each counts no life: it found that it is enough.
  const counted = mortals.reduce((sum, name) => sum + (restarts.get(name) ?? 0), 0);
  const after = costOf(svinit);
  const ok = wrong === 0 && lives === counted && born === startOf(svinit) && after.zombies === 0;
  return {
    ok: ok && after.descriptors === before.descriptors,
    told: [
      `${count} re-execs in ${seconds.toFixed(0)} s, the slowest answered after ${slowest.toFixed(0)} ms`,
      `${lines} lines printed by ${writers.length} services: ${wrong} lost or doubled`,
      `${lives} exits of ${mortals.length} services: ${lives - counted} lost`,
      `PID 1 is ${born === startOf(svinit) ? 'the same process' : 'another'}; ${costs(before, after)}`,
    ],
  };
}

/** `count` processes left to PID 1 by parents that end at once. */
export async function orphans(runtime: Runtime, count: number): Promise<Outcome> {
  const run = script(`
    while [ ! -p /tmp/go ]; do sleep 0.1; done; read line </tmp/go
    i=0; while [ $i -lt ${count} ]; do (true & ); i=$((i + 1)); done
    echo flooded; idle
  `);
  const svinit = await begin(runtime, { flood: { run: `${run}` } });
  await svinit.run(['sh', '-c', 'mkfifo /tmp/go; true']);
  const before = await settledCost(svinit);
  const beganAt = performance.now();
  await svinit.run(['sh', '-c', 'echo >/tmp/go']);
  await svinit.logFile('flood').expect('flooded');
  await until('nobody is a zombie', async () => costOf(svinit).zombies === 0 || null);
  const seconds = (performance.now() - beganAt) / 1000;
  const after = await settledCost(svinit);
  return {
    ok: isFlat(before, after),
    told: [`${count} orphans in ${seconds.toFixed(0)} s`, costs(before, after)],
  };
}

/** `count` restarts of services that end at once, as often as svinit may start them. */
export async function restarts(runtime: Runtime, count: number): Promise<Outcome> {
  const many = names('r', RESTARTED);
  const svinit = await begin(runtime, each(many, '#!/bin/sh\nexec sleep 1.02\n'));
  const before = await settledCost(svinit);
  const beganAt = performance.now();
  const done = async (): Promise<number> =>
    (await list(svinit)).reduce((sum, one) => sum + one.restarts, 0);
  let seen = 0;
  while (seen < count) {
    await new Promise((resolve) => setTimeout(resolve, 1000));
    seen = await done();
  }
  const seconds = (performance.now() - beganAt) / 1000;
  await svinit.svctl('stop', 'r*');
  const after = await settledCost(svinit);
  return {
    ok: isFlat(before, after),
    told: [
      `${seen} restarts of ${RESTARTED} services in ${seconds.toFixed(0)} s`,
      costs(before, after),
    ],
  };
}

/** So many services restart some hundred times a second together. */
const RESTARTED = 400;
const FLAT = 1.1;

/** Memory within a tenth of the start, not one descriptor more, nobody a zombie. */
const isFlat = (before: Cost, after: Cost): boolean =>
  after.rss <= before.rss * FLAT && after.descriptors <= before.descriptors && after.zombies === 0;

const costs = (before: Cost, after: Cost): string =>
  `memory ${before.rss} KiB before, ${after.rss} KiB after; ` +
  `descriptors ${before.descriptors} and ${after.descriptors}; ${after.zombies} zombies`;

/** A fresh image has loaded what it needs after some seconds, and let go of who asked last. */
async function settledCost(svinit: Awaited<ReturnType<typeof begin>>): Promise<Cost> {
  await new Promise((resolve) => setTimeout(resolve, 8000));
  await list(svinit);
  const costs: Cost[] = [];
  for (let look = 0; look < 10; look += 1) {
    await new Promise((resolve) => setTimeout(resolve, 100));
    costs.push(costOf(svinit));
  }
  return costs.reduce((least, cost) => (cost.descriptors < least.descriptors ? cost : least));
}

const names = (prefix: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${prefix}${i}`);

const each = (all: readonly string[], run: string): Definitions =>
  Object.fromEntries(all.map((name) => [name, { run }]));
