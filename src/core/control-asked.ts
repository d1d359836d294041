/**
 * Whom of `control/` runsv(8) asks before what: a letter for each signal, `u` for a start, `t` and
 * `d` for a stop. What comes of the answers is decided in errands.ts.
 */
import { type Effect, pidOf, type Service } from './phase.ts';
import { SIGCONT, SIGTERM, signalName } from './signals.ts';
import type { Spec } from './spec.ts';

/** An effect, or null, and the letter that is asked before it; empty: nobody is. */
export type Wish = { readonly run: string; readonly effect: Effect | null };

/** What the lifecycle does, behind those who are to be asked first. */
export function wishesOf(
  { phase, want }: Service,
  effects: readonly Effect[],
  spec: Spec,
  isAdmitted: boolean,
): readonly Wish[] {
  const stops = phase.at === 'stopping' && effects.some((effect) => isStop(effect, spec));
  const wishes = effects.map((effect): Wish => {
    const starts = effect.do === 'spawn' && effect.role === 'start';
    if (starts) return { run: isAdmitted ? '' : asks(spec, 'u'), effect };
    return { run: stops && isStop(effect, spec) ? asks(spec, 't') : '', effect };
  });
  const isDown = stops && want === 'down' && asks(spec, 'd') !== '';
  return [...wishes, ...(isDown ? [{ run: 'd', effect: null }] : [])];
}

/** A TERM for what is to be down is all that a stop is (runsv(8), `t`). */
export function tellWishes(svc: Service, signal: number, spec: Spec): readonly Wish[] {
  const told = signalWish(svc, signal, spec);
  if (signal !== SIGTERM || svc.want === 'up') return [told];
  const go = { ...signalWish(svc, SIGCONT, spec), run: '' };
  const isAsked = asks(spec, 'd') !== '';
  return [told, go, ...(isAsked ? [{ run: 'd', effect: null }] : [])];
}

export function signalWish({ phase }: Service, signal: number, spec: Spec): Wish {
  const pid = pidOf(phase);
  const letter = LETTERS.get(signalName(signal)) ?? '';
  if (pid === null) return { run: '', effect: null };
  const run = letter === '' ? '' : asks(spec, letter);
  return { run, effect: { do: 'signal', pid, signal, group: false } };
}

const isStop = (effect: Effect, { stopSignal }: Spec): boolean =>
  effect.do === 'signal' && !effect.group && effect.signal === stopSignal;

/** The letters of runsv(8) for signals that somebody sends; CONT after a TERM is not one. */
const LETTERS: ReadonlyMap<string, string> = new Map([
  ...([
    ['TERM', 't'],
    ['STOP', 'p'],
    ['CONT', 'c'],
    ['HUP', 'h'],
    ['ALRM', 'a'],
  ] as const),
  ...([
    ['INT', 'i'],
    ['QUIT', 'q'],
    ['USR1', '1'],
    ['USR2', '2'],
    ['KILL', 'k'],
  ] as const),
]);

const asks = ({ control }: Spec, letter: string): string =>
  control?.includes(letter) === true ? letter : '';
