/** Specs that differ only in their relations, and a generator of random ones. */
import type { Spec } from '../../src/core/spec.ts';
import { good } from './spec-texts.ts';

const PLAIN: Spec = good({ run: '#!/bin/sh' });

export type Relations = Partial<
  Pick<Spec, 'type' | 'early' | 'needs' | 'wants' | 'after' | 'before' | 'contents'>
>;

/** Services by name; an array stands for its needs. */
export function specs(
  all: Readonly<Record<string, Relations | readonly string[]>>,
): Map<string, Spec> {
  return new Map(
    Object.entries(all).map(([name, relations]) => [
      name,
      {
        ...PLAIN,
        name,
        directory: `/services/${name}`,
        ...('length' in relations ? { needs: relations } : relations),
      },
    ]),
  );
}

export const bundle = (...contents: readonly string[]): Relations => ({ type: 'bundle', contents });

/** A generator of whole numbers below a bound; the same seed gives the same numbers. */
export function numbers(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((state / 2 ** 32) * below);
  };
}

/** A small world: up to 9 services and bundles, some names of which nobody defines. */
export function randomSpecs(seed: number): Map<string, Spec> {
  const next = numbers(seed);
  const size = 2 + next(8);
  const some = (chance: number): string[] =>
    Array.from({ length: size }, (_, i) => `s${i}`).filter(() => next(100) < chance);
  const all: Record<string, Relations> = {};
  for (let i = 0; i < size; i += 1) {
    // The last name is often left undefined, so that it is missing.
    if (i === size - 1 && next(3) === 0) continue;
    all[`s${i}`] =
      next(4) === 0
        ? { type: 'bundle', contents: some(25) }
        : { needs: some(12), wants: some(6), after: some(6), before: some(6) };
  }
  return specs(all);
}
