/**
 * What the loop calls back for, with the cgroups of services in between: whatever is done about a
 * service is done about all of its processes.
 */
import { slicesIn } from '../core/slices.ts';
import type { Change } from '../core/system.ts';
import type { Pid } from '../core/units.ts';
import { Cgroups } from './cgroups.ts';
import type { LoopPorts, OtherEffect } from './loop.ts';
import type { SupervisorOptions } from './options.ts';

/** What only the supervisor can do: a question to the parts is answered among them. */
export type Performed = Exclude<OtherEffect, Question>;
export type Question = Extract<OtherEffect, { do: 'examine' | 'probes' }>;

/** What the parts call back for. */
export type Hooks = {
  readonly perform: (effect: Performed) => void;
  readonly changed: (changes: readonly Change[]) => void;
  readonly reconcile: () => void;
  readonly failed: (what: string, error: unknown) => void;
};

export function cgroupsFor(
  { kernel, machine, memoryMin, system }: SupervisorOptions,
  warn: (text: string) => void,
): Cgroups {
  const { pids } = system;
  return new Cgroups({ kernel, machine, memoryMin, pids, sliceOf: slicesIn(system), warn });
}

export function grouped(
  hooks: Hooks,
  cgroups: Cgroups,
  pids: ReadonlyMap<Pid, string>,
  answer: (question: Question) => void,
): Pick<LoopPorts, 'perform' | 'changed' | 'reconcile' | 'failed'> {
  return {
    ...hooks,
    perform: (effect) => {
      if (effect.do === 'examine' || effect.do === 'probes') return answer(effect);
      const name = effect.do === 'signal' && effect.group ? pids.get(effect.pid) : undefined;
      if (name !== undefined) cgroups.kill(name);
      hooks.perform(effect);
    },
    changed: (changes) => {
      cgroups.changed(changes);
      hooks.changed(changes);
    },
    reconcile: () => {
      hooks.reconcile();
      cgroups.look();
    },
  };
}
