/**
 * What changed since a checkpoint, as records that can be played back onto it. A checkpoint costs
 * as much as there are services; a record costs what moved.
 */
import {
  type Checkpoint,
  checkCheckpoint,
  checkRecord,
  type TurnRecord,
} from './checkpoint-schema.ts';
import type { System } from './system.ts';

/** The record of the services in `touched`, as they are now. */
export function turnRecord(system: System, touched: Iterable<string>): TurnRecord {
  const names = [...touched];
  const units = names.flatMap((name) => {
    const unit = system.units.get(name);
    if (unit === undefined) return [];
    const spec = system.definitions.get(name) === unit.spec ? null : unit.spec;
    const intent = system.intents.get(name) ?? null;
    return [{ name, service: unit.service, spec, intent }];
  });
  const gone = names.filter((name) => !system.units.has(name));
  const { boot, earlySettled, halt, mainExit } = system;
  return { units, gone, boot, booting: [...system.booting], earlySettled, halt, mainExit };
}

/**
 * Plays `records` back onto a checkpoint. Both come from outside this image and are checked; a
 * record that does not fit ends the playing, and what came before it stands.
 */
export function replay(
  base: unknown,
  records: readonly unknown[],
): { ok: true; checkpoint: Checkpoint } | { ok: false; reason: string } {
  const checked = checkCheckpoint(base);
  if (!checked.ok) return checked;
  const units = new Map(checked.checkpoint.units.map((unit) => [unit.name, unit]));
  const intents = new Map(checked.checkpoint.intents);
  let { checkpoint } = checked;
  for (const record of records) {
    const fitting = checkRecord(record);
    if (fitting === null) break;
    const { units: moved, gone, ...rest } = fitting;
    for (const { intent, ...unit } of moved) {
      units.set(unit.name, unit);
      if (intent === null) intents.delete(unit.name);
      else intents.set(unit.name, intent);
    }
    for (const name of gone) {
      units.delete(name);
      intents.delete(name);
    }
    checkpoint = { ...checkpoint, ...rest };
  }
  const whole = { ...checkpoint, units: [...units.values()], intents: [...intents] };
  return { ok: true, checkpoint: whole };
}
