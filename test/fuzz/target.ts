/**
 * What a fuzz target is: inputs that can be made from a seed, kept in a file, changed a little and
 * made smaller, and a property that must hold of all of them. It knows no target.
 */
import type { Random } from '../core/support/random.ts';

/** How inputs are kept in files, changed and made smaller. */
export type Form<I> = {
  readonly write: (input: I) => CorpusFile;
  /** Takes what people write by hand, too: what does not fit is read as something that does. */
  readonly read: (file: CorpusFile) => I;
  /** Another input, near to this one. */
  readonly mutate: (random: Random, input: I) => I;
  /** Smaller inputs to try, those that are much smaller first. */
  readonly simpler: (input: I) => Iterable<I>;
  /** In bytes, more or less: what its time is measured against. */
  readonly size: (input: I) => number;
};

/** `txt` is the text as it is, `hex` is bytes as pairs of hexadecimal digits. */
export type CorpusFile = { readonly extension: 'txt' | 'hex'; readonly text: string };

export type Target<I> = {
  /** The name of the folder of its corpus, too. */
  readonly name: string;
  readonly form: Form<I>;
  /** Random inputs in one run of the tests: a few seconds' worth. */
  readonly rounds: number;
  readonly generate: (random: Random) => I;
  /** @throws {Error} that says what does not hold. */
  readonly run: (input: I) => void | Promise<void>;
};

/** @throws {Error} with `what`, unless it holds. */
export function insist(holds: boolean, what: () => string): asserts holds {
  if (!holds) throw new Error(what());
}

/** A text in a message: quoted, on one line, not too long. */
export function shown(value: unknown): string {
  const text = JSON.stringify(value) ?? String(value);
  return text.length > 300 ? `${text.slice(0, 300)}... (${text.length} characters)` : text;
}

/** @throws {Error} unless both are the same JSON; the order of keys does not count. */
export function insistSame(found: unknown, wanted: unknown, what: string): void {
  const [a, b] = [canonical(found), canonical(wanted)];
  if (a === b) return;
  let at = 0;
  while (a[at] === b[at]) at += 1;
  const from = Math.max(0, at - 60);
  throw new Error(`${what}: ${shown(a.slice(from))}, not ${shown(b.slice(from))}`);
}

/** JSON with the keys of all objects in order. */
export function canonical(value: unknown): string {
  return JSON.stringify(value, (_, inner: unknown) =>
    typeof inner === 'object' && inner !== null && !Array.isArray(inner)
      ? Object.fromEntries(Object.entries(inner).sort(([a], [b]) => (a < b ? -1 : 1)))
      : inner,
  );
}

let measuredMs = 0;

/** Does `act` and counts its time as that of the code under test, not of its test. */
export function measured<T>(act: () => T): T {
  const began = performance.now();
  try {
    return act();
  } finally {
    measuredMs += performance.now() - began;
  }
}

/** What was measured since the last look, in milliseconds. */
export function takeMeasured(): number {
  const ms = measuredMs;
  measuredMs = 0;
  return ms;
}
