/**
 * The keys of service.json that say what a service sees of the filesystem, and which files its
 * environment is in: the syntax of their values. How a program comes to see no more is decided in
 * chain-confinement.ts.
 */
import * as v from 'valibot';
import { expected, flag, type Key, key, list, type Value } from './spec-values.ts';

/** What a service sees of the filesystem; absent: all of it, as it is. */
export type Confinement = {
  /** The directory that is its root. */
  readonly chroot?: string;
  /** Its own, empty /tmp and /var/tmp. */
  readonly privateTmp?: boolean;
  /** What it cannot change, with all below; `-` in front: nothing need be there. */
  readonly readOnlyPaths?: readonly string[];
};

/** What these keys hold, once they have been read. */
export type ConfinementJson = Confinement & {
  /** Read where it runs, in this order; `-` in front: the file need not be there. */
  readonly envFile?: readonly string[];
};

const PATH_WORDS = 'an absolute path';
const MARKED_WORDS = 'an absolute path, with "-" in front if it may be missing';
const FILES_WORDS = `${MARKED_WORDS}, or an array of those`;

/** No step of it leads back up: what is meant is what is written. */
const path = (pattern: RegExp, what: string): Value<string> =>
  v.pipe(
    v.string(expected(what)),
    v.regex(pattern, expected(what)),
    v.check((text) => !/(?:^-?|\/)\.\.(?:\/|$)/.test(text), expected(`${what}, without ".."`)),
  );
const marked = path(/^-?\/[^\0\n]*$/, MARKED_WORDS);

export const CONFINEMENT_KEYS: {
  readonly envFile: Key<readonly string[]>;
  readonly chroot: Key<string>;
  readonly privateTmp: Key<boolean>;
  readonly readOnlyPaths: Key<readonly string[]>;
} = {
  envFile: key(
    'Files with lines NAME=value, added to its environment; "-" in front: if there.',
    v.union(
      [
        v.pipe(
          marked,
          v.transform((one): readonly string[] => [one]),
        ),
        list(marked, 'an array of paths'),
      ],
      expected(FILES_WORDS),
    ),
  ),
  chroot: key(
    'The directory that is its root; takes `command`, which is looked up in it.',
    path(/^\/[^\0\n]*$/, PATH_WORDS),
  ),
  privateTmp: key('A /tmp and a /var/tmp of its own, empty at each start.', flag),
  readOnlyPaths: key(
    'What it cannot change, with all that is below; "-" in front: if there.',
    list(marked, 'an array of paths'),
  ),
};

/** What of a service.json says so; nothing when it says nothing. */
export function confinementOf(json: ConfinementJson): {
  readonly confinement?: Confinement;
  readonly envFiles?: readonly string[];
} {
  const { envFile, chroot, privateTmp, readOnlyPaths } = json;
  const confinement: Confinement = {
    ...(chroot === undefined ? {} : { chroot }),
    ...(privateTmp === true ? { privateTmp } : {}),
    ...(readOnlyPaths === undefined || readOnlyPaths.length === 0 ? {} : { readOnlyPaths }),
  };
  return {
    ...(Object.keys(confinement).length === 0 ? {} : { confinement }),
    ...(envFile === undefined || envFile.length === 0 ? {} : { envFiles: envFile }),
  };
}
