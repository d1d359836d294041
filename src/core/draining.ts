/**
 * When a pipe may come to its end: nobody writes to it any more, so who reads it is let read all
 * there is and end by itself (s6-svscan(8) does the same when it ends).
 */
import { isActive } from './phase.ts';
import type { Spec } from './spec.ts';
import { isSkipped, type System } from './system.ts';

/**
 * Whether `name` is stopped by the end of what it reads: nobody writes to it, or is to. Otherwise
 * it is stopped as any other, and what is in the pipe waits for its next run (s6-svc(8), `-d`).
 */
export function mayDrain({ units }: System, name: string, { input }: Spec): boolean {
  if (input === undefined) return false;
  for (const { service, spec } of units.values()) {
    if (spec.output !== name) continue;
    if (service.want === 'up' || isActive(service, spec)) return false;
  }
  return true;
}

/** Whether somebody who goes down still writes to what `name` reads: that is read until then. */
export function isAwaited(system: System, name: string, { input }: Spec): boolean {
  if (input === undefined) return false;
  for (const [other, { service, spec }] of system.units) {
    if (spec.output !== name || service.want === 'up' || isSkipped(system, other)) continue;
    if (isActive(service, spec)) return true;
  }
  return false;
}

/** Whether nobody runs whose output goes to the input of `name`. */
export function isUnwritten({ units }: System, name: string): boolean {
  for (const { service, spec } of units.values()) {
    if (spec.output === name && isActive(service, spec)) return false;
  }
  return true;
}
