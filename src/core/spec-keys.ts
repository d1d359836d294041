/**
 * Which keys a service.json may have, object by object: unknown ones with a suggestion, and those
 * that the design has but this version does not honour. It knows names of keys, not their values.
 */
import type { Json } from './json.ts';
import { quoted } from './names.ts';
import { didYouMean } from './suggest.ts';

/**
 * The keys of each object in a service.json, by the path of the object; '' is the whole. An empty
 * list stands for any key, and `[]` behind a path for each element of an array.
 */
export type KeysByPath = ReadonlyMap<string, readonly string[]>;

export type KeyProblem = { readonly path: string; readonly reason: string };

/** Keys of the design that are not honoured yet, by the path of the object they are in. */
const NOT_YET: KeysByPath = new Map([
  ['', ('conflicts provides schedule ' + 'instances log').split(' ')],
  ['stop', ['command']],
  ['restart', ['then', 'backoff']],
]);

/**
 * Every key of `top`, and of the objects in it, that has no place where it stands. An array where
 * an object belongs is told here too: the schema library takes one for the other.
 */
export function keyProblems(top: Json, keysByPath: KeysByPath): KeyProblem[] {
  return [...keysByPath].flatMap(([path, keys]) => {
    if (!path.endsWith('[]')) {
      return problemsIn(path === '' ? top : member(top, path), path, keys);
    }
    const array = member(top, path.slice(0, -2));
    if (!isArray(array)) return [];
    return array.flatMap((element, index) =>
      problemsIn(element, `${path.slice(0, -2)}.${index}`, keys),
    );
  });
}

function problemsIn(object: Json, path: string, keys: readonly string[]): KeyProblem[] {
  if (isArray(object)) return [{ path, reason: arrayReason(path) }];
  if (typeof object !== 'object' || object === null) return [];
  return Object.keys(object)
    .filter((key) => keys.length > 0 && !keys.includes(key))
    .map((key) => unplaced(path, key, keys));
}

const isArray = (value: Json): value is readonly Json[] => Array.isArray(value);

function member(top: Json, key: string): Json {
  if (typeof top !== 'object' || top === null || isArray(top)) return null;
  return top[key] ?? null;
}

function arrayReason(path: string): string {
  return `${path === '' ? '' : `${path}: `}expected an object, found an array`;
}

function unplaced(path: string, key: string, keys: readonly string[]): KeyProblem {
  const inside = path === '' ? key : `${path}.${key}`;
  if (NOT_YET.get(path)?.includes(key)) {
    return { path: inside, reason: `${quoted(inside)} is not supported yet` };
  }
  return { path: inside, reason: `unknown key ${quoted(inside)}${didYouMean(key, keys)}` };
}
