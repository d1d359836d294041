/**
 * What is told of processes that were killed for want of memory, which the kernel counts for each
 * cgroup (cgroup-v2.rst, `memory.events`).
 */
import type { Spec } from './spec.ts';

/** The count in a text of `memory.events`. */
export function oomKillsIn(events: string): number {
  return Number(/^oom_kill ([0-9]{1,15})$/m.exec(events)?.[1] ?? 0);
}

/** What is put behind how a process ended, when so many of its service were killed. */
export function oomWords(kills: number, { cgroup }: Pick<Spec, 'cgroup'>): string {
  if (kills === 0) return '';
  const max = cgroup?.['memory.max'];
  const limit = max === undefined || max === 'max' ? '' : ` (memory.max ${max})`;
  return `: out of memory${limit}, ${kills} OOM ${kills === 1 ? 'kill' : 'kills'}`;
}
