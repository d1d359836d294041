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

/** The record of the services in `touched` and of the jobs in `moved`, as they are now. */
export function turnRecord(
  system: System,
  touched: Iterable<string>,
  moved: Iterable<number>,
): TurnRecord {
  const names = [...touched];
  const numbers = [...moved];
  const jobs = numbers.flatMap((number) => system.jobs.get(number) ?? []);
  const over = numbers.filter((number) => !system.jobs.has(number));
  const units = names.flatMap((name) => {
    const unit = system.units.get(name);
    if (unit === undefined) return [];
    const spec = system.definitions.get(name) === unit.spec ? null : unit.spec;
    const intent = system.intents.get(name) ?? null;
    return [{ name, service: unit.service, spec, intent }];
  });
  const gone = names.filter((name) => !system.units.has(name));
  const { boot, earlySettled, halt, schedule, mainExit } = system;
  // Of these alone: all of them would be as many as there are services, in each record of a boot.
  const booting = names.filter((name) => system.booting.has(name));
  return { units, gone, jobs, over, boot, booting, earlySettled, halt, schedule, mainExit };
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
  const jobs = new Map(checked.checkpoint.jobs.map((job) => [job.number, job]));
  const waited = new Set(checked.checkpoint.booting);
  let { checkpoint } = checked;
  for (const record of records) {
    const fitting = checkRecord(record);
    if (fitting === null) break;
    const { units: moved, gone, jobs: added, over, booting, ...rest } = fitting;
    for (const { intent, ...unit } of moved) {
      units.set(unit.name, unit);
      waited.delete(unit.name);
      if (intent === null) intents.delete(unit.name);
      else intents.set(unit.name, intent);
    }
    for (const name of gone) {
      units.delete(name);
      waited.delete(name);
      intents.delete(name);
    }
    for (const name of booting) waited.add(name);
    for (const job of added) jobs.set(job.number, job);
    for (const number of over) jobs.delete(number);
    checkpoint = { ...checkpoint, ...rest };
  }
  const lists = { units: [...units.values()], intents: [...intents], jobs: [...jobs.values()] };
  return { ok: true, checkpoint: { ...checkpoint, ...lists, booting: [...waited] } };
}
