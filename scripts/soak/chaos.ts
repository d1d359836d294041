/**
 * The soak that torments: services of all kinds, a nemesis that does one bad thing after another,
 * and a look every second. In the end the nemesis relents, and svinit has to come to rest: whatever
 * was done to it, nothing may be left of it.
 */
import { mkdirSync, readFileSync, readlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { randomFrom } from '../../test/core/support/random.ts';
import { health } from '../../test/supervisor/health.ts';
import type { Instance } from '../../test/supervisor/instance.ts';
import type { Runtime } from '../compile.ts';
import { castOf } from './cast.ts';
import type { Outcome } from './count.ts';
import { begin, costOf, startOf } from './instance.ts';
import { relent, torment } from './nemesis.ts';
import { type Count, Numbers } from './numbers.ts';
import { plot } from './plot.ts';
import { isAsWanted, Sampler } from './sample.ts';
import { bound, inside, pause, type Stage, servicesOf, stageOf, versionOf } from './stage.ts';

export type ChaosOptions = {
  /** How long the nemesis acts; a fraction is fine. */
  readonly minutes: number;
  readonly services: number;
  /** The same seed draws the same acts; when they meet what is up to the machine. */
  readonly seed: number;
  /** Directory of the samples, the acts and the picture: RUNTIME.csv, .events.csv, .svg. */
  readonly into?: string;
};

/** Needs root and the built image. Whoever calls it ends the instance: `end` of instance.ts. */
export async function chaos(runtime: Runtime, options: ChaosOptions): Promise<Outcome> {
  const { minutes, services, seed, into = 'build/soak' } = options;
  const cast = castOf(services);
  const svinit = await begin(runtime, cast.definitions);
  const stage = stageOf(svinit, randomFrom(seed), cast);
  await bound(stage);
  // The watch on the definitions stands only some time after the boot.
  await health(svinit);
  const was = await restOf(stage);
  const numbers = new Numbers(svinit.path('/run/log/svinit'), cast.writers, stage.loggerKills);
  mkdirSync(into, { recursive: true });
  const sampler = new Sampler(stage, numbers, join(into, runtime));
  sampler.begin();
  const endsAt = performance.now() + minutes * 60_000;
  try {
    await torment(
      stage,
      () => performance.now() > endsAt,
      (mark) => sampler.mark(mark),
    );
    await relent(stage);
    sampler.mark({ act: 'relent', what: 'the nemesis relents' });
    await inside(stage, 'touch /tmp/enough');
    const [rest, count] = await comeToRest(stage, was, numbers);
    return told(was, rest, count, numbers, sampler);
  } finally {
    await sampler.end();
    numbers.close();
    const title = `svinit on ${runtime}: ${services} services, ${minutes} min, seed ${seed}`;
    writeFileSync(join(into, `${runtime}.svg`), plot(title, sampler.samples, sampler.marks));
  }
}

/** What must be as it was, or empty, in the end. */
type Rest = {
  readonly startedAt: string;
  readonly descriptors: readonly string[];
  readonly rss: number;
  readonly zombies: number;
  /** Services not as wanted, in words. */
  readonly unwanted: readonly string[];
  readonly names: readonly string[];
  /** Processes that are no service's: of one started twice, or left over. */
  readonly strangers: readonly string[];
  /** Images that nobody asked for. */
  readonly images: number;
  readonly safe: boolean;
};

async function restOf(stage: Stage): Promise<Rest> {
  const { svinit } = stage;
  const { image, safe } = await versionOf(stage);
  const all = (await servicesOf(stage)).filter(({ type }) => type !== 'bundle');
  const unwanted = all.filter((service) => !isAsWanted(service) || service.want !== 'up');
  const { rss, zombies } = costOf(svinit);
  const mains = new Set([1, ...all.map(({ pid }) => pid)]);
  return {
    startedAt: startOf(svinit),
    descriptors: await descriptorsOf(stage),
    rss,
    zombies,
    unwanted: unwanted.map(({ name, state, note }) => `${name} is ${state}: ${note}`),
    names: all.map(({ name }) => name).sort(),
    strangers: [...svinit.processes().keys()].filter((pid) => !mains.has(pid)).map(named(svinit)),
    images: image - 1 - stage.images,
    safe,
  };
}

/** A process by its number, its command and what it prints to: proc_pid_cmdline(5), fd(5). */
const named =
  (svinit: Instance) =>
  (pid: number): string => {
    const own = svinit.path(`/proc/${pid}`);
    try {
      const words = readFileSync(`${own}/cmdline`, 'latin1').split('\0');
      return `${pid} ${words.join(' ').trim()} >${readlinkSync(`${own}/fd/1`)}`;
    } catch {
      return `${pid}, gone`;
    }
  };

/** What PID 1 holds open while one client, this one, has been answered. */
async function descriptorsOf({ svinit }: Stage): Promise<readonly string[]> {
  const peer = await svinit.dial();
  await peer.ask('version');
  const descriptors = svinit.descriptors();
  await peer.close();
  return descriptors;
}

/** Looks until all is well, or it has taken too long; then as it is. */
async function comeToRest(stage: Stage, was: Rest, numbers: Numbers): Promise<[Rest, Count]> {
  const endsAt = performance.now() + REST_MS;
  for (;;) {
    const count = numbers.look();
    const rest = await restOf(stage);
    const isAtRest = numbers.unfinished().length === 0 && wrongs(was, rest).length === 0;
    if (isAtRest || performance.now() > endsAt) return [rest, count];
    await pause(LOOK_MS);
  }
}

/** Whoever died often waits for half a minute at most until it is started again. */
const REST_MS = 120_000;
const LOOK_MS = 500;

/** What is not as it should be in the end, each in a few words. */
function wrongs(was: Rest, rest: Rest): string[] {
  const found: (readonly [boolean, string])[] = [
    [rest.startedAt === was.startedAt, 'PID 1 is another process'],
    [!rest.safe, 'PID 1 is in safe mode'],
    [rest.images === 0, `${rest.images} images of PID 1 that nobody asked for`],
    [rest.zombies === 0, `${rest.zombies} zombies`],
    [rest.unwanted.length === 0, `not as wanted: ${some(rest.unwanted)}`],
    [
      isDeepStrictEqual(rest.strangers, was.strangers),
      `processes of nobody: ${difference(was.strangers, rest.strangers)}`,
    ],
    [isDeepStrictEqual(rest.names, was.names), `services: ${difference(was.names, rest.names)}`],
    [
      isDeepStrictEqual(rest.descriptors, was.descriptors),
      `descriptors: ${difference(was.descriptors, rest.descriptors)}`,
    ],
  ];
  return found.flatMap(([isWell, wrong]) => (isWell ? [] : [wrong]));
}

function told(was: Rest, rest: Rest, count: Count, numbers: Numbers, sampler: Sampler): Outcome {
  const unfinished = numbers.unfinished();
  const { lost, doubled, garbled, unread } = count;
  const wrong = [
    ...wrongs(was, rest),
    ...(unfinished.length === 0 ? [] : [`no last line of ${some(unfinished)}`]),
    ...(lost + doubled + garbled + unread === 0 ? [] : ['lines are not complete']),
    ...numbers.complaints(),
  ];
  const largest = (of: 'rss' | 'descriptors' | 'lagMs'): number =>
    Math.round(Math.max(0, ...sampler.samples.map((sample) => sample[of])));
  return {
    ok: wrong.length === 0,
    told: [
      `${sampler.marks.length} acts: ${tally(sampler.marks.map(({ act }) => act))}`,
      `${count.read} lines: ${lost} lost without a word, ${doubled} doubled, ${garbled} garbled, ` +
        `${unread} removed unread; ${count.told} dropped and said so, ${count.killed} with svlog`,
      `memory ${was.rss} KiB before, ${largest('rss')} at most, ${rest.rss} after; descriptors ` +
        `${was.descriptors.length}, ${largest('descriptors')} and ${rest.descriptors.length}`,
      `the slowest answer took ${largest('lagMs')} ms`,
      `${rest.names.length - rest.unwanted.length} of ${rest.names.length} services as wanted; ` +
        `${rest.zombies} zombies`,
      ...wrong.map((what) => `WRONG: ${what}`),
    ],
  };
}

function tally(words: readonly string[]): string {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return [...counts].map(([word, count]) => `${count} ${word}`).join(', ');
}

/** What has come (+) and gone (-), as often as it has. */
function difference(before: readonly string[], after: readonly string[]): string {
  const gone = [...before];
  const come = after.filter((one) => {
    const at = gone.indexOf(one);
    if (at >= 0) gone.splice(at, 1);
    return at < 0;
  });
  return some([...come.map((one) => `+${one}`), ...gone.map((one) => `-${one}`)]);
}

const some = (all: readonly string[]): string =>
  all.length <= SHOWN
    ? all.join('; ')
    : `${all.slice(0, SHOWN).join('; ')} and more: ${all.length}`;

const SHOWN = 5;
