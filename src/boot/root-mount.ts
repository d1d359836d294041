/**
 * Performs the steps of a root: modules for its filesystems, its mounts, and taking them away
 * again. Which steps there are is decided in core/root.ts.
 */
import { mkdirSync, readdirSync, readFileSync, readlinkSync, symlinkSync } from 'node:fs';
import { splitKernelWords } from '../core/kernel-words.ts';
import { resolve } from '../core/modules.ts';
import { type Mount, parseMounts } from '../core/mountinfo.ts';
import type { RootPlan, RootStep } from '../core/root.ts';
import type { RootPlaces } from '../core/root-places.ts';
import type { Kernel } from '../sys/kernel.ts';
import { SysError } from '../sys/libc.ts';
import { loadAll, loadedModules, placesOf, readIndex } from './modules.ts';
import { failureOf } from './run-program.ts';

/** What is mounted below this root, the last first. */
export function mountedAt(places: RootPlaces): readonly string[] {
  const { tree, lower, upper, pin } = places;
  const below = [tree, lower, upper, pin];
  return mountsNow()
    .map(({ target }) => target)
    .filter((target) => below.some((path) => target === path || target.startsWith(`${path}/`)))
    .reverse();
}

export function mountsNow(): readonly Mount[] {
  return parseMounts(readFileSync('/proc/self/mountinfo', 'utf8'));
}

/** Loads what the plan takes; what is missing shows when it is mounted. */
export function loadFilesystems(kernel: Kernel, { modules }: RootPlan): void {
  for (const type of modules) if (!isKnown(type)) loadFor(kernel, type);
}

/** A journal that is replayed takes its time; a disk that does not answer takes longer. */
const MOUNT_WITHIN_MS = 300_000;

/** Performs one step; gives the reason when that fails, and null otherwise. */
export async function perform(step: RootStep): Promise<string | null> {
  switch (step.do) {
    case 'mkdir':
      return attempt(() => mkdirSync(step.path, { recursive: true, mode: 0o755 }));
    case 'skeleton':
      return attempt(() => makeSkeleton(step.from, step.to));
    case 'bind': {
      const argv = ['mount', '--bind', step.source, step.target];
      const failure = await failureOf(argv, { withinMs: MOUNT_WITHIN_MS });
      return failure && `Cannot mount ${step.source} at ${step.target}: ${failure}`;
    }
    case 'mount':
      return mountAny(step);
  }
}

/** Tries one type after the other. */
async function mountAny(step: Extract<RootStep, { do: 'mount' }>): Promise<string | null> {
  const { types, source, target, options } = step;
  if (types.length === 0) {
    const what = `Cannot mount ${source}`;
    return `${what}: there is no filesystem on it that is known; rootfstype= names one`;
  }
  let reason = '';
  for (const type of types) {
    const words = `Cannot mount ${source} (${type})`;
    if (!isKnown(type)) {
      reason = `${words}: the kernel has no ${type}, and there is no module for it`;
      continue;
    }
    const argv = ['mount', '-t', type, '-o', options.join(','), source, target];
    const failure = await failureOf(argv, { withinMs: MOUNT_WITHIN_MS });
    if (failure === null) return null;
    reason = `${words} with ${options.join(',')}: ${failure}`;
  }
  return reason;
}

function isKnown(type: string): boolean {
  const lines = readFileSync('/proc/filesystems', 'utf8').split('\n');
  return lines.some((line) => line.split('\t').at(-1) === type);
}

/** Every filesystem that can be a module has this alias (MODULE_ALIAS_FS, linux/fs.h). */
function loadFor(kernel: Kernel, type: string): void {
  try {
    const places = placesOf(readFileSync('/proc/sys/kernel/osrelease', 'utf8').trim());
    const { words } = splitKernelWords(readFileSync('/proc/cmdline', 'utf8'));
    const { loads } = resolve(readIndex(places, words), `fs-${type}`);
    for (const { result } of loadAll(kernel, places, loads, loadedModules(places))) {
      if (result instanceof SysError) process.stderr.write(`${result.message}\n`);
    }
  } catch (error) {
    // A kernel without modules may well have the filesystem in itself.
    if (!(error instanceof Error) || !('code' in error)) throw error;
  }
}

/** What a root that is empty but for /usr needs to be one: links such as /bin, and mount points. */
function makeSkeleton(from: string, to: string): void {
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const target = `${to}/${entry.name}`;
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(`${from}/${entry.name}`), target);
    else if (entry.isDirectory()) mkdirSync(target, { recursive: true, mode: 0o755 });
  }
}

function attempt(act: () => void): string | null {
  try {
    act();
    return null;
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
