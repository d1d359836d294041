/**
 * What can be chosen at the console when a boot has failed. Who asks, and what then happens, is not
 * known here.
 */
import type { BootOptions } from './boot-options.ts';

export type Ending = 'reboot' | 'poweroff' | 'halt';

/** Try again what has failed, go on without it, a shell first; or the machine goes down. */
export type Choice = 'retry' | 'without' | 'shell' | Ending;

export type Circumstances = {
  /** Nothing is supervised yet, so there is nothing to go on with. */
  readonly first: boolean;
  /** There is nothing that could be tried again. */
  readonly last: boolean;
};

/** Each with its letter and a word for people, the most likely first. */
export function rescueChoices(
  { shell }: Pick<BootOptions, 'shell'>,
  { first, last }: Circumstances,
): readonly (readonly [letter: string, choice: Choice, about: string])[] {
  return [
    ...(last ? [] : [['r', 'retry', 'try again'] as const]),
    ...(shell ? [['s', 'shell', 'a shell'] as const] : []),
    ...(first ? [] : [['c', 'without', 'go on without'] as const]),
    ['b', 'reboot', 'restart the machine'],
    ['p', 'poweroff', 'power off'],
  ];
}
