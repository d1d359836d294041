/**
 * The shape of a verb's row, and what several rows say.
 */
import type { OptionRow, Parsed } from './options.ts';
import type { Session } from './session.ts';

export type Verb = {
  readonly name: string;
  readonly group: 'look' | 'act' | 'machine' | 'more';
  /** The command line after `svctl`. */
  readonly usage: string;
  /** One line. */
  readonly about: string;
  /** Whole paragraphs for `svctl help VERB`. */
  readonly more: readonly string[];
  readonly options: readonly OptionRow[];
  /** Runs it and returns the exit code. */
  readonly run: (parsed: Parsed, session: Session) => Promise<number>;
};

/** For verbs that show what may change; run.ts sees to it. */
export const WATCH: OptionRow = {
  name: 'watch',
  about: 'Go on, and show what changes as it changes; ends with ctrl-C',
};

export const PATTERNS = 'NAME may be a pattern: quote * and ? from the shell.';
