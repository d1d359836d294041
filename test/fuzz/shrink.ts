/**
 * Makes an input that fails smaller for as long as it goes on failing. What is smaller, and what
 * fails, is the caller's.
 */

export type Shrunk<I> = { readonly input: I; readonly error: Error; readonly tries: number };

/**
 * The smallest input found in `triesMax` tries, and how it fails.
 * @param failure Null: it does not fail.
 */
export async function shrink<I>(
  start: { readonly input: I; readonly error: Error },
  simpler: (input: I) => Iterable<I>,
  failure: (input: I) => Promise<Error | null>,
  triesMax: number,
): Promise<Shrunk<I>> {
  let best = start;
  let tries = 0;
  for (let found = true; found; ) {
    found = false;
    for (const input of simpler(best.input)) {
      if (tries >= triesMax) return { ...best, tries };
      tries += 1;
      const error = await failure(input);
      if (error === null) continue;
      best = { input, error };
      found = true;
      break;
    }
  }
  return { ...best, tries };
}

/** Parts of something of `length`, all of it first, then halves, quarters, down to single ones. */
export function* pieces(length: number): Iterable<readonly [from: number, to: number]> {
  for (let size = length; size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < length; from += size) yield [from, Math.min(length, from + size)];
  }
}
