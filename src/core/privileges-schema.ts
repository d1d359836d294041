/**
 * The shape of privileges as an image leaves them to the next.
 */
import * as v from 'valibot';
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
});
