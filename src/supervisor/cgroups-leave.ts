/**
 * Takes svinit's own cgroups away again, for an init that makes its own: what it finds is what the
 * kernel began with.
 */
import { existsSync } from 'node:fs';
import { OWN_CGROUP, SERVICES_CGROUP } from '../core/cgroup.ts';
import { ROOT, read, removeAll, write } from './cgroupfs.ts';

/**
 * What still has processes, a storage daemon for one, stays, and is told.
 * @throws {Error} when this process cannot leave its own.
 */
export function leaveCgroups(say: (text: string) => void): void {
  if (!existsSync(`${ROOT}/${OWN_CGROUP}`)) return;
  write(ROOT, 'cgroup.procs', '0');
  const left = [OWN_CGROUP, SERVICES_CGROUP].filter((name) => !removeAll(`${ROOT}/${name}`));
  if (left.length > 0) return say(`still in use: cgroup ${left.join(', ')}`);
  for (const name of read(ROOT, 'cgroup.subtree_control').split(/\s+/).filter(Boolean)) {
    write(ROOT, 'cgroup.subtree_control', `-${name}`);
  }
}
