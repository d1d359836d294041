/**
 * What is known of the root that is there, written down for whoever takes it away again and for
 * people. It is in memory and says nothing that PID 1 would act on.
 */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import type { BootOptions } from '../core/boot-options.ts';
import type { Mount } from '../core/mountinfo.ts';
import type { RootDevice } from '../core/root.ts';
import type { RootPlaces } from '../core/root-places.ts';
import { decodeRootState, type RootState } from '../core/root-state.ts';
import { realFiles } from './files.ts';
import { bootOptions } from './told.ts';

export type Brought = {
  readonly device: RootDevice | null;
  readonly options: BootOptions;
  readonly handover: 'stay' | 'classic';
  readonly writable: boolean;
  readonly mounts: readonly Mount[];
};

export function writeState(places: RootPlaces, brought: Brought): void {
  const { device, options, handover, writable, mounts } = brought;
  const { tree, lower } = places;
  const own = mounts.filter(({ target }) => target === lower || target === tree);
  const state: RootState = {
    root: options.root ?? '',
    device: device?.path ?? null,
    type: own[0]?.type ?? 'tmpfs',
    writable,
    overlay: options.overlay,
    etcOverlay: options.etcOverlay,
    handover,
  };
  writeFileSync(places.state, JSON.stringify(state), { mode: 0o600 });
}

/** What the kernel command line asks for, and words that people have added since. */
export function optionsFor(places: RootPlaces): BootOptions {
  return bootOptions(realFiles, textOf(places.words)?.split('\n') ?? []);
}

/** Notes the words for the attempts to come; none: those before do not count any more. */
export function noteWords(places: RootPlaces, words: readonly string[]): void {
  if (words.length === 0) rmSync(places.words, { force: true });
  else writeFileSync(places.words, words.join('\n'), { mode: 0o600 });
}

/** Null when there is no root, or nobody knows of one. */
export function readState(places: RootPlaces): RootState | null {
  const text = textOf(places.state);
  return text === null ? null : decodeRootState(text);
}

function textOf(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}
