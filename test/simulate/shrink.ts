/**
 * Makes a failing life smaller, as long as it fails: stretches are left out, halves first, then
 * definitions (delta debugging, Zeller 2002). What is left is what the failure takes.
 */
import { NAMES } from '../core/support/definitions.ts';
import { type Core, type Life, live } from './life.ts';

export function shrink(life: Life, core?: Core): Life {
  const fails = (candidate: Life): boolean => live(candidate, core).failure !== null;
  if (!fails(life)) throw new Error(`Seed ${life.seed} does not fail`);
  let smallest = life;
  for (let before = Infinity; size(smallest) < before; ) {
    before = size(smallest);
    const stretches = fewest(smallest.stretches, (some) => fails({ ...smallest, stretches: some }));
    smallest = { ...smallest, stretches };
    for (const name of NAMES) {
      if (smallest.omit.includes(name)) continue;
      const without = { ...smallest, omit: [...smallest.omit, name] };
      if (fails(without)) smallest = without;
    }
  }
  return smallest;
}

const size = ({ stretches, omit }: Life): number => stretches.length - omit.length;

/** The items of `all` without which `fails` does not hold any more, none of which can go alone. */
export function fewest<T>(all: readonly T[], fails: (some: readonly T[]) => boolean): readonly T[] {
  let kept = all;
  for (let chunk = Math.ceil(kept.length / 2); chunk >= 1; chunk = Math.floor(chunk / 2)) {
    for (let at = 0; at < kept.length; ) {
      const some = [...kept.slice(0, at), ...kept.slice(at + chunk)];
      if (fails(some)) kept = some;
      else at += chunk;
    }
  }
  return kept;
}
