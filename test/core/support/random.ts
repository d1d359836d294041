/**
 * Numbers that look random and are the same for the same seed, so that a failure can be had again
 * from the one number in its message.
 */

export type Random = {
  /** In [0, 1). */
  readonly next: () => number;
  /** A whole number in [0, limit). */
  readonly below: (limit: number) => number;
  readonly chance: (probability: number) => boolean;
  /** One of `list`, which may not be empty. */
  readonly pick: <T>(list: readonly T[]) => T;
  /** Each of `list` with `probability`, in order. */
  readonly some: <T>(list: readonly T[], probability: number) => T[];
};

/** Numbers in stretches that do not depend on each other: one can be left out. */
export type SpanRandom = Random & {
  /** From here on come the numbers of stretch `span`. */
  readonly begin: (span: number) => void;
};

export function randomFrom(seed: number): Random {
  return randomSpans(seed);
}

export function randomSpans(seed: number): SpanRandom {
  let state = seed >>> 0;
  const begin = (span: number): void => {
    state = (Math.imul(seed, 0x9e3779b1) ^ Math.imul(span + 1, 0x85ebca6b)) >>> 0;
    next();
  };
  // mulberry32, public domain, by Tommy Ettinger.
  const next = (): number => {
    state = (state + 0x6d2b79f5) >>> 0;
    let z = Math.imul(state ^ (state >>> 15), state | 1);
    z ^= z + Math.imul(z ^ (z >>> 7), z | 61);
    return ((z ^ (z >>> 14)) >>> 0) / 2 ** 32;
  };
  const below = (limit: number): number => Math.floor(next() * limit);
  const pick = <T>(list: readonly T[]): T => {
    if (list.length === 0) throw new TypeError('Nothing to pick from');
    return list[below(list.length)] as T;
  };
  const chance = (probability: number): boolean => next() < probability;
  const some = <T>(list: readonly T[], probability: number): T[] =>
    list.filter(() => chance(probability));
  return { next, below, chance, pick, some, begin };
}
