/**
 * The kernel command line, word by word, as svinit has understood it: for people. What the words do
 * is decided in cmdline.ts; this says which they were.
 */
import { BOOT_KEYS } from './boot-keys.ts';
import { parseCommandLine } from './cmdline.ts';
import { plainKey, splitKernelWords } from './kernel-words.ts';

export type BootWord = {
  readonly key: string;
  /** Null when there is no `=`. */
  readonly value: string | null;
  readonly about: string;
};

export type BootWords = {
  readonly understood: readonly BootWord[];
  /** Keys that are for the kernel or for nobody; without their values, which may be secrets. */
  readonly ignored: readonly string[];
  /** Words after `--`, which the kernel hands to init as its arguments. */
  readonly init: readonly string[];
  /** What could not be understood, and why. */
  readonly notices: readonly string[];
};

/** `text` is that of /proc/cmdline. */
export function explainCommandLine(text: string): BootWords {
  const abouts = new Map(
    BOOT_KEYS.flatMap(({ names, about }) => names.map((name) => [plainKey(name), about] as const)),
  );
  const { words, rest } = splitKernelWords(text);
  const understood = words.flatMap(({ key, value }): BootWord[] => {
    const about = abouts.get(plainKey(key));
    return about === undefined ? [] : [{ key, value, about }];
  });
  const ignored = words.map(({ key }) => key).filter((key) => !abouts.has(plainKey(key)));
  return { understood, ignored, init: rest, notices: parseCommandLine(text).notices };
}
