/** The shape of what errand.ts has, as an image leaves it to the next. */
import * as v from 'valibot';

const Instant = v.pipe(v.number(), v.finite());
const Pid = v.pipe(v.number(), v.integer(), v.minValue(1));
const Word = v.pipe(v.string(), v.maxLength(16));
const Text = v.pipe(v.string(), v.maxLength(1000));
const Signal = v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(64));

export const ErrandsSchema: v.GenericSchema = v.array(
  v.strictObject({
    run: Word,
    pid: v.nullable(Pid),
    begun: v.boolean(),
    by: v.nullable(Instant),
    next: v.variant('do', [
      v.strictObject({ do: v.picklist(['nothing', 'start']) }),
      v.strictObject({ do: v.literal('signal'), pid: Pid, signal: Signal }),
    ]),
  }),
);

export const ReloadSchema: v.GenericSchema = v.variant('at', [
  v.strictObject({ at: v.literal('heard') }),
  v.strictObject({
    at: v.literal('running'),
    pid: v.nullable(Pid),
    by: v.nullable(Instant),
  }),
  v.strictObject({ at: v.literal('asked'), by: Instant }),
  v.strictObject({ at: v.literal('over'), problem: v.nullable(Text) }),
]);
