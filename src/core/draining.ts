/**
 * When a pipe may come to its end: nobody writes to it any more, so who reads it is let read all
 * there is and end by itself (s6-svscan(8) does the same when it ends).
 */
import { isActive } from './phase.ts';
import type { Spec } from './spec.ts';
import { isSkipped, type System, type Unit } from './system.ts';

/**
 * Whether `name` is stopped by the end of what it reads: nobody writes to it, or is to. Otherwise
 * it is stopped as any other, and what is in the pipe waits for its next run (s6-svc(8), `-d`).
 */
export function mayDrain(system: System, name: string, { input }: Spec): boolean {
  if (input === undefined) return false;
  return !someWriter(
    system,
    name,
    ({ service, spec }) => service.want === 'up' || isActive(service, spec),
  );
}

/** Whether somebody who goes down still writes to what `name` reads: that is read until then. */
export function isAwaited(system: System, name: string, { input }: Spec): boolean {
  if (input === undefined) return false;
  return someWriter(system, name, ({ service, spec }, other) => {
    return service.want === 'down' && !isSkipped(system, other) && isActive(service, spec);
  });
}

/** Whether nobody runs whose output goes to the input of `name`. */
export function isUnwritten(system: System, name: string): boolean {
  return !someWriter(system, name, ({ service, spec }) => isActive(service, spec));
}

/** Whether `holds` is true of one of those whose output goes to `name`. */
function someWriter(
  { units, writers }: System,
  name: string,
  holds: (unit: Unit, name: string) => boolean,
): boolean {
  for (const writer of writers.get(name) ?? []) {
    const unit = units.get(writer);
    if (unit !== undefined && holds(unit, writer)) return true;
  }
  return false;
}
