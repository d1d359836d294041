/**
 * Cores with one mistake each, to see that the model world would find it. What a mistake is stands
 * next to the words with which it must be found.
 */
import { step } from '../../src/core/step.ts';
import type { Outcome, SystemEffect } from '../../src/core/system.ts';
import { ms, type Pid, pid } from '../../src/core/units.ts';
import type { Core } from './life.ts';

export type Mutant = { readonly mistake: string; readonly found: RegExp; readonly core: Core };

const withEffects =
  (change: (effects: readonly SystemEffect[]) => readonly SystemEffect[]): Core =>
  (system, event, now) => {
    const outcome = step(system, event, now);
    return { ...outcome, effects: change(outcome.effects) };
  };

const without = (wrong: (effect: SystemEffect) => boolean): Core =>
  withEffects((effects) => effects.filter((effect) => !wrong(effect)));

const twice = (wrong: (effect: SystemEffect) => boolean): Core =>
  withEffects((effects) =>
    effects.flatMap((effect) => (wrong(effect) ? [effect, effect] : [effect])),
  );

const withOutcome =
  (change: (outcome: Outcome) => Partial<Outcome>): Core =>
  (system, event, now) => {
    const outcome = step(system, event, now);
    return { ...outcome, ...change(outcome) };
  };

export const MUTANTS: readonly Mutant[] = [
  {
    mistake: 'a service is started twice',
    found: /wait for a spawn|run that nobody knows of|was ordered/,
    core: twice((effect) => effect.do === 'spawn' && effect.role === 'start'),
  },
  {
    mistake: 'a start is forgotten',
    found: /wait for a spawn/,
    core: without((effect) => effect.do === 'spawn' && effect.name === 'c'),
  },
  {
    mistake: 'KILL at the deadline is forgotten',
    found: /is never killed/,
    core: without((effect) => effect.do === 'signal' && effect.signal === 9),
  },
  {
    mistake: 'the wrong process is killed',
    found: /which is nobody's/,
    core: withEffects((effects) =>
      effects.map((effect) =>
        effect.do === 'signal' && effect.signal === 9
          ? { ...effect, pid: pid(effect.pid + 1000) as Pid }
          : effect,
      ),
    ),
  },
  {
    mistake: 'who runs is ready, whatever it says',
    found: /is up and never said so/,
    core: (system, event, now) => {
      const outcome = step(system, event, now);
      if (event.type !== 'spawned') return outcome;
      const { effects, touched, changes } = step(system, { type: 'ready', pid: event.pid }, now);
      return {
        ...outcome,
        effects: [...outcome.effects, ...effects],
        changes: [...outcome.changes, ...changes],
        touched: new Set([...outcome.touched, ...touched]),
      };
    },
  },
  {
    mistake: 'an answer is forgotten',
    found: /nobody will ever answer/,
    core: without((effect) => effect.do === 'refuse'),
  },
  {
    mistake: 'an answer is given twice',
    found: /is answered again|nobody will ever answer/,
    core: twice((effect) => effect.do === 'reply'),
  },
  {
    mistake: 'what a request did is not noted',
    found: /what was noted is/,
    core: withOutcome(({ effects, touched }) =>
      effects.some((effect) => effect.do === 'reply') ? { touched: new Set() } : { touched },
    ),
  },
  {
    mistake: 'an open request is not noted',
    found: /what was noted is|nobody will ever answer/,
    core: withOutcome(() => ({ jobs: new Set() })),
  },
  {
    mistake: 'going down has no end',
    found: /going down has no end/,
    core: without((effect) => effect.do === 'halt'),
  },
  {
    mistake: 'a service that died is started too soon',
    found: /ms after it died/,
    core: (system, event, now) =>
      step(system, event, ms(event.type === 'exited' ? now - 900 : now)),
  },
];
