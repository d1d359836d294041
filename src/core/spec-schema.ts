/** The shape of a definition in a checkpoint, key by key, and of the values that it is made of. */
import * as v from 'valibot';
import { FULL_NAME_CHARS_MAX } from './names.ts';
import { ConfinementSchema, PrivilegesSchema } from './privileges-schema.ts';
import { AliveProbeSchema, ReadyProbeSchema } from './probe-schema.ts';
import { SocketsSchema } from './sockets-schema.ts';

export const Name: v.GenericSchema<unknown, string> = v.pipe(
  v.string(),
  v.maxLength(FULL_NAME_CHARS_MAX),
);
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
    ReadyProbeSchema,
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
  reloadSignal: v.exactOptional(Count),
  reload: v.exactOptional(v.strictObject({ path: Text, argv: v.array(Text) })),
  reloadWithin: v.exactOptional(MaybeInstant),
  killsGroup: v.exactOptional(v.boolean()),
  lockFd: v.exactOptional(Count),
  deathTally: v.exactOptional(Count),
  control: v.exactOptional(Text),
  ownPids: v.exactOptional(v.boolean()),
  watchdog: v.exactOptional(Instant),
  alive: v.exactOptional(AliveProbeSchema),
  privileges: v.exactOptional(PrivilegesSchema),
  confinement: v.exactOptional(ConfinementSchema),
  envFiles: v.exactOptional(v.array(Text)),
  cgroup: v.exactOptional(v.record(v.string(), v.string())),
  sockets: v.exactOptional(SocketsSchema),
  fdStoreMax: v.exactOptional(Count),
  lazy: v.exactOptional(v.boolean()),
  pipeline: v.exactOptional(
    v.strictObject({
      producerFor: v.exactOptional(Name),
      consumerFor: v.exactOptional(Names),
      name: v.exactOptional(Name),
    }),
  ),
  input: v.exactOptional(Name),
  output: v.exactOptional(Name),
  outlet: v.exactOptional(v.picklist(['given', 'beside'])),
  root: v.exactOptional(Name),
});
