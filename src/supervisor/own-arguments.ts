/**
 * What one image tells the next on its command line, in front of what svinit was given.
 */

export type OwnArguments = {
  /** The descriptor that holds the state of the image before; null: there was none. */
  readonly state: number | null;
  /** What the image before died of, a signal number or 0; null: it handed over. */
  readonly died: number | null;
  /** Only tell whether this binary could go on. */
  readonly selfTest: boolean;
  /** svinit's own arguments. */
  readonly given: readonly string[];
};

/** The argument that asks for a self-test, in front of all others. */
export const SELF_TEST_OPTION = '--self-test';
/** The argument that tells an image that it goes on, and where its state is. */
export const STATE_OPTION = '--state=';
/** The argument behind it that tells what the image before died of: a signal number, or 0. */
export const DIED_OPTION = '--died=';

export function ownArguments(argv: readonly string[]): OwnArguments {
  const words = [...argv];
  const selfTest = words[0] === SELF_TEST_OPTION && words.shift() !== undefined;
  const take = (option: string): number | null => {
    if (words[0]?.startsWith(option) !== true) return null;
    return Number(words.shift()?.slice(option.length));
  };
  const state = take(STATE_OPTION);
  const died = state === null ? null : take(DIED_OPTION);
  return { state, died, selfTest, given: words };
}
