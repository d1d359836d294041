/**
 * Who asked for what, in the words that a service carries as its cause.
 */
import type { Asker } from './system.ts';

export const who = (asker: Asker): string => `uid ${asker.uid}`;

/** It names what was asked for, so that what moves along can tell why: `stop of web by uid 0`. */
export function causeOf(act: string, names: readonly string[], asker: Asker): string {
  const few = names.slice(0, CAUSE_NAMES_MAX).join(', ');
  const more = names.length > CAUSE_NAMES_MAX ? ', ...' : '';
  return `${act} of ${few}${more} by ${who(asker)}`;
}

const CAUSE_NAMES_MAX = 3;
