/**
 * What services have for descriptors 0 to 2 when they have no terminal, and the pipes between them
 * over their lives: a pipe is let go of when nobody is left who could read or write it.
 */
import { constants } from 'node:fs';
import { isUnwritten } from '../core/draining.ts';
import { isActive } from '../core/phase.ts';
import type { Spec } from '../core/spec.ts';
import type { Change, System } from '../core/system.ts';
import type { FileAction } from '../sys/spawn.ts';
import { type Fifos, inputOf, readerOf } from './fifos.ts';

/**
 * Stdin is the pipe of who reads one, and stdout that of its reader; the rest is logged. All are
 * opened anew in the child, for its own description: ours is non-blocking, its must block.
 */
export function standardFiles(fifos: Fifos, spec: Spec, isMain: boolean): FileAction[] {
  const { input, output } = spec;
  const log = held(fifos, spec.name);
  if (spec.privileges?.user === undefined) fifos.takeBack(spec.name);
  else fifos.giveAway(spec.name);
  // What `finish` would read is not meant for it.
  const stdin = input === undefined || !isMain ? '/dev/null' : held(fifos, inputOf(input));
  const stdout = output === undefined ? log : held(fifos, inputOf(output));
  return [
    { fd: 0, open: stdin, flags: constants.O_RDONLY, mode: 0 },
    { fd: 1, open: stdout, flags: constants.O_WRONLY, mode: 0 },
    { fd: 2, open: log, flags: constants.O_WRONLY, mode: 0 },
  ];
}

/** Holds the input of `reader`, or lets it come to its end. */
export function holdInput(fifos: Fifos, reader: string, hold: boolean): void {
  if (hold) fifos.hold(inputOf(reader));
  else fifos.loosen(inputOf(reader));
}

/** Removes pipes whose readers are no more, once nobody writes to them either. */
export function releaseUnused(fifos: Fifos, system: System, changes: readonly Change[]): void {
  // Only who comes to rest leaves a pipe unused.
  if (changes.every(({ service, spec }) => isActive(service, spec))) return;
  const touched = changes.flatMap(({ spec: { input, output } }) => [input ?? [], output ?? []]);
  // All are looked through only when a service is gone, not whenever one dies.
  const isGone = changes.some(({ name }) => !system.units.has(name));
  const held = isGone ? [...fifos.held().keys()] : [];
  const readers = held.flatMap((name) => readerOf(name) ?? []);
  for (const reader of new Set([...touched.flat(), ...readers])) {
    if (system.units.has(reader) || !isUnwritten(system, reader)) continue;
    fifos.release(inputOf(reader));
  }
}

function held(fifos: Fifos, name: string): string {
  fifos.hold(name);
  return fifos.pathOf(name);
}
