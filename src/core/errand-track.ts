/** Whose processes are whose, and when a service must be looked at, kept up to date. */
import { note } from './agenda.ts';
import { hasErrands } from './errand.ts';
import { deadlineOf, errandPids } from './errands.ts';
import { pidOf, type Service } from './phase.ts';
import type { Change, System, Unit } from './system.ts';

/** After a service has become another; `changes` are told of what its phase does not show. */
export function trackProcesses(
  { system, changes }: { readonly system: System; readonly changes: Change[] },
  name: string,
  from: Unit,
  to: Unit,
): void {
  const due = deadlineOf(to.service);
  const isNew = from.service.phase !== to.service.phase || due !== deadlineOf(from.service);
  if (due !== null && isNew) note(system.agenda, name, due);
  const [oldPid, pid] = [pidOf(from.service.phase), pidOf(to.service.phase)];
  if (oldPid !== null && oldPid !== pid) system.pids.delete(oldPid);
  if (pid !== null) system.pids.set(pid, name);
  for (const errand of errandPids(from.service)) system.errands.delete(errand);
  for (const errand of errandPids(to.service)) system.errands.set(errand, name);
  // What was kept for the last of them can go only now.
  const isLast = hasErrands(from.service) && !hasErrands(to.service);
  if (!isLast || from.service.phase !== to.service.phase) return;
  changes.push({ name, spec: to.spec, from: to.service.phase, service: to.service });
}

/** The service is forgotten. */
export function untrack({ errands }: System, service: Service): void {
  for (const pid of errandPids(service)) errands.delete(pid);
}
