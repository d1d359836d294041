/**
 * What this image of svinit knows of its own circumstances, gathered for `svctl doctor`. It only
 * looks at what is known already: everybody may ask.
 */
import type { Examined } from '../core/examined.ts';
import { stateOf } from '../core/views.ts';
import { LOGGER } from './definitions.ts';
import type { SupervisorOptions } from './options.ts';
import type { Parts } from './parts.ts';

export function examine(
  options: SupervisorOptions,
  { cgroups, lifeline, watchdog }: Pick<Parts, 'cgroups' | 'lifeline' | 'watchdog'>,
): Examined {
  const { beginning, console, kernel, revivals, system } = options;
  const logger = system.units.get(LOGGER);
  return {
    ...beginning,
    image: system.image,
    safe: system.options.safe,
    deaths: revivals.length,
    revives: lifeline.isHeld,
    console,
    cgroups: cgroups.facts,
    watchdog: {
      askedS: options.watchdog,
      lacking: watchdog.lacking,
      isMissing: watchdog.isMissing,
    },
    nofile: kernel.getNofile(0),
    logger: logger === undefined ? 'not there' : stateOf(logger.service),
    refused: system.problems.length,
  };
}
