/**
 * What the boot waits for, in one line for the console: who has not had its chance yet, for how
 * long, and when it will be given up. It changes nothing.
 */

import { holders } from './gates.ts';
import { deadline } from './phase.ts';
import type { System } from './system.ts';
import { durationWords, type Millis, ms } from './units.ts';
import { stateOf } from './views.ts';

/** Of so many services a line tells; the others are counted. */
const SHOWN_MAX = 4;
/** A boot that is shorter is nothing to tell of. */
const FIRST_MS = 5000;

/** Null when the boot has settled, or is on its way down. */
export function bootWords(system: System, now: Millis): string | null {
  const { boot, booting, halt, startedAt } = system;
  if (boot !== 'settling' || halt !== null || booting.size === 0) return null;
  // Those that wait for others are told of only when nothing else is.
  const moving = [...booting].filter((name) => stateWord(system, name) !== 'waiting');
  const told = moving.length > 0 ? moving : [...booting];
  const shown = told.slice(0, SHOWN_MAX).map((name) => wordsOf(system, name, now));
  const left = booting.size - shown.length;
  const more = left === 0 ? '' : ` and ${left} more`;
  return `boot waits since ${durationWords(now - startedAt)} for ${shown.join(', ')}${more}`;
}

/**
 * When the console is told next: soon at first, then less and less often, for what waits for
 * minutes is not news every few seconds.
 * @param toldAt null: it has not been told of yet.
 */
export function tellBootAt({ startedAt }: System, toldAt: Millis | null): Millis {
  if (toldAt === null) return ms(startedAt + FIRST_MS);
  return ms(toldAt + Math.max(FIRST_MS, (toldAt - startedAt) / 2));
}

function wordsOf(system: System, name: string, now: Millis): string {
  const unit = system.units.get(name);
  if (unit === undefined) return name;
  const { service } = unit;
  const held = service.phase.at === 'down' ? holders(system, name) : [];
  const due = deadline(service.phase);
  const why = held.length === 0 ? '' : ` for ${held.slice(0, SHOWN_MAX).join(', ')}`;
  const since = `${stateOf(service)}${why}, ${durationWords(Math.max(0, now - service.since))}`;
  const end = due === null ? 'no limit' : `limit in ${durationWords(Math.max(0, due - now))}`;
  return service.phase.at === 'down' ? `${name} (${since})` : `${name} (${since}, ${end})`;
}

function stateWord(system: System, name: string): string {
  const unit = system.units.get(name);
  return unit === undefined ? 'waiting' : stateOf(unit.service);
}
