/**
 * What must hold after every fault, whatever it was, and the services that show it. PID 1 is the same
 * process and the image it should be, it answers, nobody is a zombie, no service is lost or there
 * twice, what is wanted is up, no log line is missing, and nothing that PID 1 opened is left over.
 *
 * What a fault may change is for its test to say. How long things take is not judged.
 */
import { readFileSync } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import type { Runtime } from '../../scripts/compile.ts';
import type { ServiceView } from '../../src/core/methods.ts';
import { type Definitions, longrun, needs, script } from '../supervisor/definitions.ts';
import { type Health, health } from '../supervisor/health.ts';
import { type Instance, type InstanceOptions, start, until } from '../supervisor/instance.ts';

/** Prints 1, 2, 3 … for as long as it runs: a line that is missing, or there twice, shows. */
export const BEAT: Readonly<Record<string, string>> = {
  run: '#!/bin/sh\nn=0\nwhile :; do n=$((n + 1)); echo $n; sleep 0.05; done\n',
};

/** On every machine of the matrix: one that counts, one that is needed, one that needs it. */
const ALWAYS: Definitions = {
  beat: BEAT,
  base: longrun('base'),
  top: longrun('top', needs('base')),
};

/** What is compared with later. */
export type Before = {
  readonly health: Health;
  /** Main processes by service, of those that have one. */
  readonly pids: ReadonlyMap<string, number>;
  /** Images that had grown too large until then. */
  readonly outgrown: number;
};

export type Expected = {
  /** Services whose process may be another one, or gone, now. */
  readonly moved?: readonly string[];
  /** Services that need not be up although they are wanted. */
  readonly failing?: readonly string[];
  /** Images of PID 1 since: one for each re-exec and each death. */
  readonly images?: number;
  /** PID 1 holds other descriptors than before, and may. */
  readonly openedMore?: boolean;
};

/** What of tap's `t` is needed. */
type Test = {
  teardown(end: () => Promise<void>): void;
  same(found: unknown, wanted: unknown, message: string): unknown;
  match(found: unknown, pattern: object, message: string): unknown;
  ok(found: unknown, message: string): unknown;
};

/** An instance with the services that the oracle asks about, and others. */
export async function machine(
  t: Test,
  runtime: Runtime,
  services: Definitions = {},
  more: Partial<InstanceOptions> = {},
): Promise<Instance> {
  return start(t, { runtime, ...more, services: { ...ALWAYS, ...services } });
}

export async function before(svinit: Instance): Promise<Before> {
  const pids = pidsOf(await servicesOf(svinit));
  return { health: await health(svinit), pids, outgrown: outgrown(svinit) };
}

/** Fails unless the machine soon is as it was `before`, but for what was to be expected. */
export async function expectOracle(
  t: Test,
  svinit: Instance,
  was: Before,
  { moved = [], failing = [], images = 0, openedMore = false }: Expected = {},
): Promise<void> {
  let lacking: readonly string[] = [];
  const reached = async (): Promise<true | null> => {
    const all = (await servicesOf(svinit)).filter(({ name }) => !failing.includes(name));
    lacking = all.flatMap((service) => (isAsWanted(service) ? [] : [told(service)]));
    return lacking.length === 0 || null;
  };
  await until('what is wanted is up', reached).catch(() => {});
  t.same(lacking, [], 'what is wanted is up');
  // What is a zombie for a moment is one that is being reaped.
  let zombies = 0;
  const reaped = async (): Promise<true | null> => {
    zombies = [...svinit.processes().values()].filter((state) => state === 'Z').length;
    return zombies === 0 || null;
  };
  await until('no zombie is left', reaped).catch(() => {});
  t.same(zombies, 0, 'nobody is a zombie');

  let now = was.health;
  const same = async (): Promise<true | null> => {
    now = await health(svinit);
    return openedMore || isDeepStrictEqual(held(now), held(was.health)) || null;
  };
  await until('nothing more is open', same).catch(() => {});
  if (!openedMore) t.same(held(now), held(was.health), 'PID 1 holds nothing more open');
  const { startedAt } = was.health;
  const expected = (): number => was.health.image + images + outgrown(svinit) - was.outgrown;
  // What it says on the console comes another way than its answers.
  await until('its images are told', async () => now.image === expected() || null).catch(() => {});
  const image = expected();
  t.match(now, { image, startedAt }, `PID 1 is the same process, and image ${image}`);
  const pids = pidsOf(await servicesOf(svinit));
  const others = (some: ReadonlyMap<string, number>) =>
    [...some].filter(([name]) => !moved.includes(name) && !failing.includes(name)).sort();
  t.same(others(pids), others(was.pids), 'every other service has its process');
  const twice = leaders(svinit).filter((pid) => ![...pids.values()].includes(pid));
  t.ok(failing.length > 0 || twice.length === 0, `nobody is there twice: ${twice}`);
  t.same(gaps(svinit.log('beat')), [], 'every line is there once');
}

/**
 * How often svinit said that it has grown and a fresh image goes on: what it may do at any time,
 * and does when a slow machine gives it the time to look while a thousand definitions are read.
 */
function outgrown(svinit: Instance): number {
  return [...svinit.console.text().matchAll(/svinit has grown to \d+ MiB/g)].length;
}

/**
 * Descriptors, without the pipe that each service has once it has run, of which a second is once
 * too often; and without a console, the host's or none, which is opened when there is a word to say.
 */
function held({ descriptors }: Health): readonly string[] {
  return descriptors.filter((name, i) => {
    if (name === '/dev/null' || name.includes('/build/test/')) return false;
    return !name.startsWith(PIPES) || name === descriptors[i - 1];
  });
}

const PIPES = '/run/svinit/log/';

/** Where the numbers do not follow each other; from 1 again is a new process. */
export function gaps(lines: readonly string[]): string[] {
  return lines.flatMap((line, i) => {
    const last = i === 0 ? 0 : Number(lines[i - 1]);
    return Number(line) === last + 1 || Number(line) === 1 ? [] : [`after ${last} comes ${line}`];
  });
}

async function servicesOf(svinit: Instance): Promise<readonly ServiceView[]> {
  const all = await until('svinit answers', () => svinit.services().catch(() => null));
  return [...all.values()];
}

function isAsWanted({ type, want, state }: ServiceView): boolean {
  if (type === 'bundle') return true;
  return want === 'up' ? state === 'up' || state === 'done' : state === 'down';
}

const told = ({ name, want, state, note }: ServiceView): string =>
  `${name} is ${state}, ${want} is wanted: ${note}`;

function pidsOf(views: readonly ServiceView[]): ReadonlyMap<string, number> {
  return new Map(views.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid]])));
}

/** Children of PID 1 that lead a session, as a service does: fields 4 and 6 of proc_pid_stat(5). */
function leaders(svinit: Instance): number[] {
  return [...svinit.processes().keys()].filter((pid) => {
    const stat = readOrNothing(svinit.path(`/proc/${pid}/stat`)).replace(/^.*\) /s, '');
    const [, parent, , session] = stat.split(' ').map(Number);
    return parent === 1 && session === pid;
  });
}

function readOrNothing(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return '';
  }
}

/** Several lines as a shell script, run inside; fails the test when the script fails. */
export async function sh(svinit: Instance, text: string): Promise<string> {
  const { code, stdout, stderr } = await svinit.run(['sh', '-c', text]);
  if (code !== 0) throw new Error(`Cannot run ${text}: exit ${code}: ${stderr}`);
  return stdout;
}

export { needs, script };
