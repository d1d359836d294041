/** What failed and is done without: each reason is told once, however often it comes back. */
import { wordsOf } from './let-go.ts';

export class Troubles {
  readonly #warn: (text: string) => void;
  readonly #told = new Set<string>();

  constructor(warn: (text: string) => void) {
    this.#warn = warn;
  }

  /** Does without what `act` would have done when that fails. */
  try(what: string, act: () => void): void {
    try {
      act();
    } catch (error) {
      this.tell(what, error);
    }
  }

  tell(what: string, error: unknown): void {
    const reason = wordsOf(error);
    if (this.#told.has(reason)) return;
    this.#told.add(reason);
    this.#warn(`Cannot ${what}: ${reason}`);
  }

  /** The reasons so far. */
  get reasons(): readonly string[] {
    return [...this.#told];
  }
}
