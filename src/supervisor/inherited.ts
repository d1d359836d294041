/**
 * The environment a program is given: what all inherit, then its own. Most services have none of
 * their own, and then it is made once for all of them.
 */
import { ownVariables, resolveEnvironment } from '../core/program.ts';
import type { Spec } from '../core/spec.ts';

type Variables = Readonly<Record<string, string>>;

/** An environment, and the same as `KEY=value`. */
export type Inherited = { readonly environment: Variables; readonly words: readonly string[] };

/** @param told What svinit tells this program alone: nothing of the others comes before it. */
export function inheritedBy(spec: Spec, base: Variables, told: Variables): Inherited {
  const own = ownVariables(spec);
  const isCommon = isEmpty(own) && isEmpty(spec.env) && isEmpty(told);
  const known = isCommon ? common.get(base) : undefined;
  if (known !== undefined) return known;
  const environment = { ...resolveEnvironment({ ...base, ...own }, spec.env), ...told };
  const words = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
  const made = { environment, words };
  if (isCommon) common.set(base, made);
  return made;
}

const common = new WeakMap<Variables, Inherited>();

const isEmpty = (variables: Variables): boolean => Object.keys(variables).length === 0;
