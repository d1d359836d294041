/**
 * The shape of a way down in a checkpoint, under way or scheduled.
 */
import * as v from 'valibot';
import { FULL_NAME_CHARS_MAX } from './names.ts';

const Name = v.pipe(v.string(), v.maxLength(FULL_NAME_CHARS_MAX));
const Instant = v.pipe(v.number(), v.finite());
/** Longer than the longest argument of a program (MAX_ARG_STRLEN, linux/binfmts.h: 128 KiB). */
const Text = v.pipe(v.string(), v.maxLength(262_144));
const Kind = v.picklist([
  ...(['poweroff', 'reboot', 'halt', 'kexec', 'switch-root', 'exit'] as const),
]);
const Target = v.strictObject({ root: Text, init: Text, arguments: v.array(Text) });

export const HaltSchema: v.GenericSchema = v.strictObject({
  kind: Kind,
  cause: Text,
  by: Instant,
  released: v.boolean(),
  skipped: v.array(Name),
  to: v.exactOptional(Target),
});

export const ScheduleSchema: v.GenericSchema = v.strictObject({
  kind: Kind,
  cause: Text,
  message: Text,
  by: Instant,
  tellAt: Instant,
});
