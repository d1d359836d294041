/**
 * How far a start has come, as `s6-rc change` would judge it: it is over when nothing moves any
 * more, and well when nothing is left. Views in, words out.
 */
import { COMMAND, GATE } from './overlay.ts';
import type { ServiceView, StateWord } from './service-view.ts';

export type Start =
  | { readonly is: 'moving' | 'up' }
  /** Why, for each service that is not up. */
  | { readonly is: 'failed'; readonly why: string };

/** What will be something else, whatever becomes of the others. */
const MOVING: ReadonlySet<StateWord> = new Set([
  ...(['starting', 'stopping', 'finishing', 'backoff'] as const),
]);

/** The command, and who waits for the start on its behalf, are no part of it. */
export function judgeStart(services: readonly ServiceView[]): Start {
  const wanted = services.filter(
    ({ name, want }) => want === 'up' && name !== GATE && name !== COMMAND,
  );
  if (wanted.some(({ state }) => MOVING.has(state))) return { is: 'moving' };
  // What waits now waits for one that has failed, near or far.
  const bad = wanted.filter(({ state }) => state !== 'up' && state !== 'done');
  if (bad.length === 0) return { is: 'up' };
  const words = bad.map(({ name, state, note }) => `${name} is ${state} (${note})`);
  return { is: 'failed', why: words.join('; ') };
}
