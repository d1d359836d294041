/**
 * Which lives are lived, and how often: the lives of one round one after the other, so that a slow
 * minute is everybody's. ROWS and PEERS name some of them; none named is all.
 */
import { boots } from './boot.ts';
import { flat } from './flat.ts';
import { LOGGERS, logging } from './logging.ts';
import { brief, calls, full, orphans, type Samples, waves, whole } from './measure.ts';
import type { Peer } from './peer.ts';
import { PEERS } from './peers.ts';
import { COUNTS } from './rows.ts';
import { work } from './work.ts';

/** One life of one peer. */
export type Job = {
  readonly label: string;
  readonly peer: string;
  readonly run: () => Promise<Samples>;
};

export type Wishes = {
  readonly quick: boolean;
  /** Names of lives, without the number of services: `up`, `waves`. */
  readonly rows: readonly string[];
  readonly peers: readonly string[];
};

/** What is lived in each of so many rounds. */
type Kind = {
  readonly name: string;
  readonly label: string;
  /** Rounds of all of it, and of a quick run. */
  readonly rounds: readonly [all: number, quick: number];
  /** Rounds of who takes a minute; otherwise 1 and 1. */
  readonly slow?: readonly [all: number, quick: number];
  readonly able: (peer: Peer) => boolean;
  readonly run: (peer: Peer, quick: boolean) => Promise<Samples>;
};

export function planned({ quick, rows, peers }: Wishes): Job[] {
  const wanted = KINDS.filter(({ name }) => rows.length === 0 || rows.includes(name));
  const named = (name: string): boolean => peers.length === 0 || peers.includes(name);
  const at = quick ? 1 : 0;
  const most = Math.max(0, ...wanted.map(({ rounds }) => rounds[at]));
  const more = (name: string, lived: number, jobs: () => readonly Job[]): Job[][] =>
    rows.length === 0 || rows.includes(name)
      ? Array.from({ length: quick ? 1 : lived }, () => jobs().filter(({ peer }) => named(peer)))
      : [];
  const logs = more('log', LOG_ROUNDS, () => loggers(quick));
  const booted = more('boot', BOOT_ROUNDS, () => boots().map((job) => ({ label: 'boot', ...job })));
  const all = Math.max(most, logs.length, booted.length);
  return Array.from({ length: all }, (_, round) => [
    ...wanted.flatMap((kind) => lives(kind, round, quick).filter(({ peer }) => named(peer))),
    ...(logs[round] ?? []),
    ...(booted[round] ?? []),
  ]).flat();
}

/** Each peer once, and nothing is kept of it: the files of all are in memory then. */
export function warming({ peers }: Wishes): Job[] {
  const able = PEERS.filter(({ name }) => peers.length === 0 || peers.includes(name));
  return able.map((peer) => ({ label: 'warm-up', peer: peer.name, run: () => whole(peer, 1) }));
}

const [LOG_ROUNDS, BOOT_ROUNDS] = [2, 2];

const IDLE_MS = 10_000;

const KINDS: readonly Kind[] = [
  ...COUNTS.map(ofCount),
  ...COUNTS.filter((count) => count <= 1000).map(briefly),
  {
    ...{ name: 'up', label: 'up-full/1000', rounds: [5, 1] },
    able: ({ name }) => name.startsWith('limit'),
    run: full,
  },
  {
    ...{ name: 'up', label: 'up/1', rounds: [10, 2] },
    able: () => true,
    run: (peer) => whole(peer, 1),
  },
  ...[1, 1000].map(
    (count): Kind => ({
      ...{ name: 'work', label: `work/${count}`, rounds: [3, 1], slow: [0, 0] },
      able: ({ most }) => count <= most,
      run: (peer) => work(peer, count),
    }),
  ),
  {
    ...{ name: 'waves', label: 'waves', rounds: [5, 1] },
    able: (peer) => peer.waves,
    run: waves,
  },
  called([2, 1], isCompared),
  // Most of it is waiting, and they do not move meanwhile.
  called([1, 1], (peer) => !isCompared(peer)),
  {
    ...{ name: 'orphans', label: 'orphans', rounds: [3, 1] },
    able: () => true,
    run: orphans,
  },
  {
    ...{ name: 'flat', label: 'flat', rounds: [1, 0] },
    able: ({ name }) => name.startsWith('svinit'),
    run: flat,
  },
];

function isCompared({ name }: Peer): boolean {
  return /^(svinit|limit)/.test(name);
}

function called(rounds: Kind['rounds'], able: (peer: Peer) => boolean): Kind {
  return {
    ...{ name: 'calls', label: 'calls', rounds },
    able: (peer) => peer.most >= 100 && able(peer),
    run: (peer, quick) => calls(peer, quick ? IDLE_MS / 4 : IDLE_MS, quick ? 2 : 4),
  };
}

/** Few rounds where each takes long. */
function ofCount(count: number): Kind {
  const rounds: Readonly<Record<number, readonly [number, number]>> = {
    ...{ 10: [3, 1], 100: [3, 1], 1000: [4, 1], 5000: [2, 0] },
  };
  return {
    ...{ name: 'up', label: `up/${count}`, rounds: rounds[count] ?? [1, 1] },
    ...(count >= 1000 ? { slow: [1, 0] } : {}),
    able: ({ most }) => count <= most,
    run: (peer) => whole(peer, count),
  };
}

/** Until they are up and no longer: the noisiest figure, and the cheapest to have more samples of. */
function briefly(count: number): Kind {
  return {
    ...{ name: 'up', label: `up/${count}, only`, rounds: [6, 1], slow: [0, 0] },
    able: ({ most }) => count <= most,
    run: (peer) => brief(peer, count),
  };
}

function lives(
  { label, rounds, slow = [1, 1], able, run }: Kind,
  round: number,
  quick: boolean,
): Job[] {
  const at = quick ? 1 : 0;
  return PEERS.filter(
    (peer) =>
      able(peer) && round < Math.min(rounds[at], peer.slow === true ? slow[at] : rounds[at]),
  ).map((peer) => ({ label, peer: peer.name, run: () => run(peer, quick) }));
}

function loggers(quick: boolean): Job[] {
  const bytes = quick ? 64 * 1024 ** 2 : 1024 ** 3;
  return LOGGERS.map((logger) => ({
    ...{ label: logger.row, peer: logger.name },
    run: () => logging(logger, bytes),
  }));
}
