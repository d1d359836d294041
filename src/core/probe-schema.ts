/** The shape of probes, and of what came of them, in a checkpoint. */
import * as v from 'valibot';

const Text = v.pipe(v.string(), v.maxLength(262_144));
const Count = v.pipe(v.number(), v.integer(), v.minValue(0));
const Span = v.pipe(v.number(), v.finite());
const Asked = {
  tcp: v.exactOptional(Text),
  http: v.exactOptional(Text),
  status: v.exactOptional(v.array(Count)),
  exec: v.exactOptional(v.array(Text)),
  file: v.exactOptional(Text),
  line: v.exactOptional(Text),
  interval: Span,
  timeout: Span,
  retries: v.nullable(Count),
};
export const ReadyProbeSchema: v.GenericSchema = v.strictObject({
  by: v.literal('probe'),
  probe: v.strictObject(Asked),
});
export const AliveProbeSchema: v.GenericSchema = v.strictObject({
  ...Asked,
  startPeriod: Span,
  action: v.picklist(['restart', 'report']),
});

const Outcome = v.strictObject({ ok: v.nullable(v.boolean()), detail: Text });
export const OutcomesSchema: v.GenericSchema = v.strictObject({
  ready: v.exactOptional(Outcome),
  alive: v.exactOptional(Outcome),
});
