/** The shape of a definition in a checkpoint, key by key, and of the values that it is made of. */
import * as v from 'valibot';
import { PrivilegesSchema } from './privileges-schema.ts';

export const Name: v.GenericSchema<unknown, string> = v.pipe(v.string(), v.maxLength(64));
/** Longer than the longest argument of a program (MAX_ARG_STRLEN, linux/binfmts.h: 128 KiB). */
export const Text: v.GenericSchema<unknown, string> = v.pipe(v.string(), v.maxLength(262_144));
export const Instant: v.GenericSchema<unknown, number> = v.pipe(v.number(), v.finite());
export const MaybeInstant: v.GenericSchema<unknown, number | null> = v.nullable(Instant);
export const Count: v.GenericSchema<unknown, number> = v.pipe(
  v.number(),
  v.integer(),
  v.minValue(0),
);
export const Names: v.GenericSchema<unknown, string[]> = v.array(Name);
const CommandSchema = v.nullable(v.strictObject({ path: Text, argv: v.array(Text) }));
export const SpecSchema: v.GenericSchema = v.strictObject({
  name: Name,
  type: v.picklist(['longrun', 'oneshot', 'bundle']),
  dialect: v.picklist(['svinit', 's6', 'runit']),
  directory: Text,
  description: Text,
  start: CommandSchema,
  finish: CommandSchema,
  down: CommandSchema,
  cwd: Text,
  env: v.record(v.string(), v.string()),
  needs: Names,
  wants: Names,
  after: Names,
  before: Names,
  contents: Names,
  ready: v.union([
    v.strictObject({ by: v.picklist(['spawn', 'notify']) }),
    v.strictObject({ by: v.literal('fd'), fd: Count }),
  ]),
  initially: v.picklist(['up', 'down', 'target']),
  early: v.boolean(),
  essential: v.boolean(),
  tty: v.nullable(Text),
  stopSignal: Count,
  stopWithin: MaybeInstant,
  upWithin: MaybeInstant,
  downWithin: MaybeInstant,
  finishWithin: MaybeInstant,
  restart: v.strictObject({
    when: v.picklist(['always', 'on-failure', 'never']),
    limit: v.nullable(Count),
    window: Instant,
  }),
  watchdog: v.exactOptional(Instant),
  privileges: v.exactOptional(PrivilegesSchema),
  cgroup: v.exactOptional(v.record(v.string(), v.string())),
  root: v.exactOptional(Name),
});
