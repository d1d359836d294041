/**
 * One life of a model svinit as data: the seed, which of its stretches of chance happen, and which
 * definitions are left out. The same life goes the same way every time.
 */
import type { step } from '../../src/core/step.ts';
import type { Outcome, System } from '../../src/core/system.ts';
import { World } from '../core/support/world.ts';

export type Life = {
  readonly seed: number;
  readonly stretches: readonly number[];
  readonly omit: readonly string[];
};

export type Core = typeof step;
export type Watch = (system: System, outcome: Outcome) => void;

/** Stretches of a life that nobody has made smaller. */
const STRETCHES: readonly number[] = [...Array(200).keys()];

export const wholeLife = (seed: number): Life => ({ seed, stretches: STRETCHES, omit: [] });

/** Lives it: chaos, then calm in which all that is wanted comes up, then the way down. */
export function live(
  { seed, stretches, omit }: Life,
  core?: Core,
  watch?: Watch,
): { readonly failure: string | null; readonly story: string } {
  const world = new World({
    seed,
    omit: new Set(omit),
    ...(core === undefined ? {} : { step: core }),
    ...(watch === undefined ? {} : { watch }),
  });
  try {
    world.chaos(stretches);
    world.calm();
    world.goDown();
    return { failure: null, story: world.story };
  } catch (error) {
    return { failure: error instanceof Error ? error.message : String(error), story: world.story };
  }
}

/** `3-5,9`: stretches as they are given on a command line. */
export function encodeStretches(stretches: readonly number[]): string {
  const runs: [from: number, to: number][] = [];
  for (const stretch of stretches) {
    const last = runs.at(-1);
    if (last !== undefined && last[1] === stretch - 1) last[1] = stretch;
    else runs.push([stretch, stretch]);
  }
  return runs.map(([from, to]) => (from === to ? `${from}` : `${from}-${to}`)).join(',');
}

/** @throws {Error} for anything that `encodeStretches` does not write. */
export function decodeStretches(text: string): number[] {
  if (text === '') return [];
  return text.split(',').flatMap((part) => {
    const found = /^(\d{1,6})(?:-(\d{1,6}))?$/.exec(part);
    if (found === null)
      throw new Error(`Cannot read the stretches '${text}': '${part}' is no range`);
    const [from, to] = [Number(found[1]), Number(found[2] ?? found[1])];
    return Array.from({ length: Math.max(0, to - from + 1) }, (_, i) => from + i);
  });
}
