/**
 * The shape of a checkpoint, key by key. It decides what fits; what it means is in checkpoint.ts.
 */
import * as v from 'valibot';
import { ErrandsSchema, ReloadSchema } from './errand-schema.ts';
import type { Halt } from './halt.ts';
import { HaltSchema, ScheduleSchema } from './halt-schema.ts';
import type { Job } from './jobs.ts';
import { GOALS } from './methods.ts';
import type { Service } from './phase.ts';
import { OutcomesSchema } from './probe-schema.ts';
import type { Schedule } from './schedule.ts';
import type { Problem, Spec } from './spec.ts';
import { Count, Instant, MaybeInstant, Name, Names, SpecSchema, Text } from './spec-schema.ts';
import type { System } from './system.ts';
import type { Millis } from './units.ts';
import type { Intent } from './wants.ts';

/** Raised whenever the shape changes: an image refuses the state of another shape. */
export const CHECKPOINT_VERSION = 6;

export type Checkpoint = {
  readonly startedAt: Millis;
  readonly image: number;
  readonly definitions: readonly Spec[];
  readonly problems: readonly Problem[];
  readonly units: readonly { name: string; service: Service; spec: Spec | null }[];
  readonly intents: readonly (readonly [string, Intent])[];
  /** Requests that wait for their answer. */
  readonly jobs: readonly Job[];
  readonly boot: System['boot'];
  readonly booting: readonly string[];
  readonly earlySettled: boolean;
  readonly halt: Halt | null;
  readonly schedule: Schedule | null;
  readonly mainExit: System['mainExit'];
};

/** What moved since a checkpoint, or since the record before: see ledger.ts. */
export type TurnRecord = {
  readonly units: readonly {
    readonly name: string;
    readonly service: Service;
    /** Null: the definition of that name. */
    readonly spec: Spec | null;
    readonly intent: Intent | null;
  }[];
  readonly gone: readonly string[];
  /** Those that are new, and the numbers of those that are over. */
  readonly jobs: readonly Job[];
  readonly over: readonly number[];
  readonly boot: System['boot'];
  /** Those of `units` that the boot waits for. */
  readonly booting: readonly string[];
  readonly earlySettled: boolean;
  readonly halt: Halt | null;
  readonly schedule: Schedule | null;
  readonly mainExit: System['mainExit'];
};

/** Checks a value of unknown origin; the reason names the key that does not fit. */
export function checkCheckpoint(
  value: unknown,
): { ok: true; checkpoint: Checkpoint } | { ok: false; reason: string } {
  const result = v.safeParse(CheckpointSchema, value);
  if (result.success) return { ok: true, checkpoint: result.output as unknown as Checkpoint };
  const [issue] = result.issues;
  const where = v.getDotPath(issue) ?? '';
  return { ok: false, reason: `The checkpoint is not ours: ${where} ${issue.message}` };
}

/** The same for a record; null when it does not fit. */
export function checkRecord(value: unknown): TurnRecord | null {
  const result = v.safeParse(RecordSchema, value);
  return result.success ? (result.output as unknown as TurnRecord) : null;
}

const Pid = v.pipe(v.number(), v.integer(), v.minValue(1));
/** -1: nobody knows who. */
const UidSchema = v.pipe(v.number(), v.integer(), v.minValue(-1));
const IdSchema = v.nullable(v.union([v.string(), v.number()]));

const ExitSchema = v.variant('kind', [
  v.strictObject({ kind: v.literal('code'), code: Count }),
  v.strictObject({ kind: v.literal('signal'), signal: Count, core: v.boolean() }),
]);
const Why = v.picklist(['asked', 'restart', 'unready', 'unwell', 'probe']);
const bare = (at: string): v.GenericSchema => v.strictObject({ at: v.literal(at) });
const PhaseSchema = v.union([
  bare('down'),
  bare('spawning'),
  bare('done'),
  bare('failed'),
  v.strictObject({
    at: v.literal('starting'),
    pid: Pid,
    startedAt: Instant,
    readyBy: MaybeInstant,
  }),
  v.strictObject({
    at: v.literal('up'),
    pid: Pid,
    startedAt: Instant,
    alive: v.exactOptional(v.strictObject({ every: Instant, by: Instant })),
  }),
  v.strictObject({
    at: v.literal('stopping'),
    pid: Pid,
    startedAt: Instant,
    killAt: MaybeInstant,
    why: Why,
    draining: v.exactOptional(v.literal(true)),
  }),
  v.strictObject({
    at: v.literal('finishing'),
    pid: v.nullable(Pid),
    killAt: MaybeInstant,
    retryAt: MaybeInstant,
    ranFor: Instant,
    readyFor: v.exactOptional(Instant),
    why: v.nullable(Why),
  }),
  v.strictObject({
    at: v.literal('undoing'),
    pid: v.nullable(Pid),
    killAt: MaybeInstant,
    retryAt: MaybeInstant,
  }),
  v.strictObject({ at: v.literal('backoff'), until: Instant }),
]);
const ServiceSchema = v.strictObject({
  want: v.picklist(['up', 'down']),
  phase: PhaseSchema,
  since: Instant,
  failures: Count,
  failedAt: v.array(Instant),
  refusals: Count,
  starts: Count,
  exit: v.nullable(ExitSchema),
  exitAt: MaybeInstant,
  error: v.nullable(Text),
  cause: Text,
  status: v.exactOptional(Text),
  errands: v.exactOptional(ErrandsSchema),
  admitted: v.exactOptional(v.literal(true)),
  reload: v.exactOptional(ReloadSchema),
  calledAt: v.exactOptional(v.array(Instant)),
  probes: v.exactOptional(OutcomesSchema),
});
const ProblemSchema = v.strictObject({
  name: Text,
  directory: Text,
  file: v.nullable(Text),
  line: v.nullable(Count),
  reason: Text,
});
const JobSchema = v.strictObject({
  number: Count,
  method: v.picklist(['start', 'stop', 'restart', 'reload', 'wait', 'watch']),
  asker: v.strictObject({ client: Count, id: IdSchema, uid: UidSchema }),
  goals: v.array(
    v.strictObject({
      name: Name,
      goal: v.picklist([...GOALS, 'reloaded']),
      startsBefore: v.pipe(v.number(), v.integer(), v.minValue(-1)),
    }),
  ),
  by: MaybeInstant,
  patient: v.boolean(),
});
const IntentSchema = v.picklist(['up', 'down', 'once']);
const Common = {
  boot: v.picklist(['unscanned', 'settling', 'settled']),
  booting: Names,
  earlySettled: v.boolean(),
  halt: v.nullable(HaltSchema),
  schedule: v.nullable(ScheduleSchema),
  mainExit: v.nullable(ExitSchema),
};
const RecordSchema = v.strictObject({
  ...Common,
  units: v.array(
    v.strictObject({
      name: Name,
      service: ServiceSchema,
      spec: v.nullable(SpecSchema),
      intent: v.nullable(IntentSchema),
    }),
  ),
  gone: Names,
  jobs: v.array(JobSchema),
  over: v.array(Count),
});
const CheckpointSchema = v.strictObject({
  version: v.literal(CHECKPOINT_VERSION),
  startedAt: Instant,
  image: Count,
  definitions: v.array(SpecSchema),
  problems: v.array(ProblemSchema),
  units: v.array(
    v.strictObject({ name: Name, service: ServiceSchema, spec: v.nullable(SpecSchema) }),
  ),
  intents: v.array(v.tuple([Name, IntentSchema])),
  jobs: v.array(JobSchema),
  ...Common,
});
