/**
 * One row of what a boot can be told, and rows that are made alike. It knows no key.
 */
import type { BootDraft } from './boot-options.ts';
import { flag, type Reader } from './boot-values.ts';

export type BootKey = {
  /** As written on the kernel command line, `-` and `_` alike; more than one: the same thing. */
  readonly names: readonly string[];
  /** As an argument of svinit; null: not one. */
  readonly option: string | null;
  /** How the value is shown in help; null: there is none, the key alone says it. */
  readonly value: string | null;
  readonly about: string;
  /** Completes "expected …" when a value is refused. */
  readonly expects: string;
  /** Notes what `value` says (null: no `=`) and tells whether it could be understood. */
  readonly read: Reader;
};

/** A word that is a target by itself: `single`; `single=no` says nothing. */
export function targetWord(target: string, names: readonly string[], about: string): BootKey {
  const read = flag((draft, on) => {
    if (on) draft.target = target;
  });
  return { names, option: null, value: null, about, expects: 'yes or no', read };
}

/** A key that is said by itself, or with yes or no. */
export function flagKey(
  names: readonly string[],
  about: string,
  note: (draft: BootDraft, on: boolean) => void,
): BootKey {
  return { names, option: null, value: null, about, expects: 'yes or no', read: flag(note) };
}
