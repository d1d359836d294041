/**
 * The kernel command line, word by word, as svinit has understood it: for people, and so without
 * what is secret. What the words do is decided in cmdline.ts; this says which they were.
 */
import { BOOT_KEYS } from './boot-keys.ts';
import { otherKey, type WordState } from './boot-keys-other.ts';
import { parseCommandLine } from './cmdline.ts';
import { type KernelWord, plainKey, splitKernelWords } from './kernel-words.ts';
import { redactText, redactValue, secretsOf } from './redact.ts';

export type BootWord = {
  readonly key: string;
  /** Null when there is no `=`. */
  readonly value: string | null;
  readonly about: string;
};

/** A word that is no option of svinit; without its value, which is none of its business. */
export type OtherWord = {
  readonly key: string;
  readonly state: WordState;
  readonly about: string;
};

export type BootWords = {
  readonly understood: readonly BootWord[];
  readonly others: readonly OtherWord[];
  /** Keys that mean something to nobody here; without their values, which may be secrets. */
  readonly ignored: readonly string[];
  /** Words after `--`, which the kernel hands to init as its arguments. */
  readonly init: readonly string[];
  /** What could not be understood, and why. */
  readonly notices: readonly string[];
};

/** `text` is that of /proc/cmdline. */
export function explainCommandLine(text: string): BootWords {
  const { words, rest } = splitKernelWords(text);
  const secrets = secretsOf(text);
  const rows = words.map((word) => ({ word, about: ABOUTS.get(plainKey(word.key)) ?? null }));
  const strangers = rows.filter(({ about }) => about === null).map(({ word }) => word.key);
  return {
    understood: rows.flatMap(({ word, about }) =>
      about === null ? [] : [shown(word, about, secrets)],
    ),
    others: strangers.flatMap((key): OtherWord[] => {
      const row = otherKey(key);
      return row === null ? [] : [{ key, state: row.state, about: row.about }];
    }),
    ignored: strangers.filter((key) => otherKey(key) === null),
    init: rest.map((word) => redactText(word, secrets)),
    notices: parseCommandLine(text).notices.map((notice) => redactText(notice, secrets)),
  };
}

const ABOUTS: ReadonlyMap<string, string> = new Map(
  BOOT_KEYS.flatMap(({ names, about }) => names.map((name) => [plainKey(name), about] as const)),
);

function shown({ key, value }: KernelWord, about: string, secrets: readonly string[]): BootWord {
  return { key, value: value === null ? null : redactValue(key, value, secrets), about };
}
