/**
 * The shape of privileges and confinement as an image leaves them to the next.
 */
import * as v from 'valibot';
import type { Confinement } from './spec-confinement.ts';
import type { Privileges } from './spec-privileges.ts';

export const PrivilegesSchema: v.GenericSchema<unknown, Privileges> = v.strictObject({
  user: v.exactOptional(v.string()),
  group: v.exactOptional(v.string()),
  groups: v.exactOptional(v.array(v.string())),
  umask: v.exactOptional(v.number()),
  nice: v.exactOptional(v.number()),
  oomScoreAdjust: v.exactOptional(v.number()),
  limits: v.exactOptional(v.record(v.string(), v.string())),
  capabilities: v.exactOptional(v.array(v.string())),
  noNewPrivileges: v.exactOptional(v.boolean()),
  ioClass: v.exactOptional(v.picklist(['realtime', 'best-effort', 'idle'])),
  ioPriority: v.exactOptional(v.number()),
  scheduling: v.exactOptional(
    v.strictObject({
      policy: v.picklist(['fifo', 'rr', 'batch', 'idle', 'other']),
      priority: v.number(),
    }),
  ),
  cpus: v.exactOptional(v.string()),
});

export const ConfinementSchema: v.GenericSchema<unknown, Confinement> = v.strictObject({
  chroot: v.exactOptional(v.string()),
  privateTmp: v.exactOptional(v.boolean()),
  readOnlyPaths: v.exactOptional(v.array(v.string())),
});
