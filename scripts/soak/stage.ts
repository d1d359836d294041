/**
 * What the acts of the nemesis act on: the instance, what they have done to it that is still to be
 * undone, and what they can answer for later.
 */
import type { Results, ServiceView } from '../../src/core/methods.ts';
import type { Random } from '../../test/core/support/random.ts';
import type { Instance } from '../../test/supervisor/instance.ts';
import type { Peer } from '../../test/supervisor/peer.ts';
import type { Cast } from './cast.ts';

export type Version = Results['version'];

/** One act of the nemesis: a mark in the chart. */
export type Mark = { readonly second: number; readonly act: string; readonly what: string };

export type Stage = {
  readonly svinit: Instance;
  readonly random: Random;
  readonly cast: Cast;
  /** When svlog was killed, in milliseconds since 1970. */
  readonly loggerKills: number[];
  /** When PID 1 was hit, in milliseconds since 1970. */
  readonly deaths: number[];
  /** Names of services whose process is stopped, with its pid. */
  readonly frozen: Map<string, number>;
  /** Definitions that came and will go. */
  readonly comers: Set<string>;
  /** Connections that say nothing. */
  readonly peers: Peer[];
  /** Images that were asked for, by a re-exec or a fault. */
  images: number;
};

/** Of /run: far more than logs and sockets take. */
export const RUN_SIZE = '2g';
export const DEFINITIONS = '/etc/svinit/services';
const MOUNTS = { '/run': RUN_SIZE, '/tmp': '64m' } as const;

export function stageOf(svinit: Instance, random: Random, cast: Cast): Stage {
  return {
    ...{ svinit, random, cast, loggerKills: [], deaths: [], peers: [], images: 0 },
    ...{ frozen: new Map(), comers: new Set() },
  };
}

/** Bounds what services may fill; the memory of the host is behind it. */
export async function bound(stage: Stage): Promise<void> {
  for (const [path, size] of Object.entries(MOUNTS)) {
    const { code, stderr } = await inside(stage, `mount -o remount,size=${size} ${path}`);
    if (code !== 0) throw new Error(`Cannot bound ${path}: ${stderr}`);
  }
}

/** Runs a text of the shell inside, which must end by itself; how it ends is the caller's. */
export function inside(stage: Stage, text: string): ReturnType<Instance['run']> {
  return stage.svinit.run(['sh', '-c', text]);
}

/** Processes of services, of those that have one. */
export async function pidsOf(
  stage: Stage,
  names: readonly string[],
): Promise<ReadonlyMap<string, number>> {
  const result = (await ask(stage, 'status', { names })) as Results['status'] | null;
  const all = result?.services ?? [];
  return new Map(all.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid]])));
}

/**
 * A request that may fail, for a fault may be under way: null then, or when it was refused. An image
 * that goes on after a death says which requests it knows of; it will not answer any other.
 */
export async function ask(stage: Stage, method: string, params: unknown = {}): Promise<unknown> {
  const peer = await stage.svinit.dial().catch(() => null);
  if (peer === null) return null;
  try {
    peer.write(`${JSON.stringify({ jsonrpc: '2.0', id: ID, method, params })}\n`);
    for (;;) {
      const line = JSON.parse((await peer.line()) ?? 'null') as Line | null;
      if (line === null || line.id === ID) return line?.result ?? null;
      if (line.method === 'revived' && !line.params?.pending?.includes(ID)) return null;
    }
  } finally {
    await peer.close();
  }
}

const ID = 1;

/** An answer, or something that is told unasked. */
type Line = {
  readonly id?: number;
  readonly result?: unknown;
  readonly method?: string;
  readonly params?: { readonly pending?: readonly number[] };
};

/** How svinit is, asked again and again on fresh connections until it says so. */
export const versionOf = (stage: Stage): Promise<Version> => insist(stage, 'version');

/** All services, asked for in the same way. */
export async function servicesOf(stage: Stage): Promise<readonly ServiceView[]> {
  return (await insist<Results['ls']>(stage, 'ls')).services;
}

async function insist<T>(stage: Stage, method: string): Promise<T> {
  const endsAt = performance.now() + ANSWER_MS;
  while (performance.now() < endsAt) {
    const result = await ask(stage, method);
    if (result !== null) return result as T;
    await pause(AGAIN_MS);
  }
  throw new Error(`svinit has not answered ${method} for ${ANSWER_MS} ms`);
}

/** Longer than any hang that svinit itself ends. */
const ANSWER_MS = 120_000;
const AGAIN_MS = 10;

export function pause(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

/** Milliseconds, as often short as long. */
export function someTime({ random }: Stage, from: number, to: number): number {
  return Math.round(from + (to - from) * random.next());
}

/** At least one and at most `most` of `all`, each once. */
export function someOf<T>({ random }: Stage, all: readonly T[], most: number): T[] {
  const count = 1 + random.below(Math.min(most, all.length));
  const found = new Set<T>();
  for (let i = 0; i < count; i += 1) found.add(random.pick(all));
  return [...found];
}

/** Services that are asked to be down. */
export async function unwantedOf(stage: Stage): Promise<string[]> {
  const { victims } = stage.cast;
  const all = await servicesOf(stage);
  return all.flatMap(({ name, want }) => (want === 'down' && victims.includes(name) ? [name] : []));
}
