/**
 * A bell that rings when something in the scan path has changed and then been quiet for a while.
 * It says neither what changed nor whether it matters: the truth is what the next scan reads.
 *
 * Only directories are watched, one inotify watch each, and the kernel's own events are listened
 * to: a watch a file would cost several times as many and not tell of a `chmod +x`.
 */
import type { Stats } from 'node:fs';
import { basename, relative, resolve } from 'node:path';
import { readingOf } from '../core/spec-known.ts';

export type Bell = { close(): Promise<void> };

/**
 * Watches `roots`, of which any may not exist yet. `ring` is called once nothing has happened for
 * `quietMs` milliseconds, so that a directory is not looked at while it is being copied. A failure
 * to watch, as at the end of the inotify limit, is told to `failed` once a kind; then a change may
 * go unseen until someone asks for a scan. The promise is resolved when the watches stand; it is
 * never rejected. The bell does not keep the process alive.
 */
export async function openBell(
  roots: readonly string[],
  ring: () => void,
  failed: (reason: string) => void,
  quietMs = 100,
): Promise<Bell> {
  const told = new Set<string>();
  const tell = (error: unknown): void => {
    const reason = `Cannot watch ${roots.join(', ')}: ${whatFailed(error)}`;
    if (!told.has(reason)) failed(reason);
    told.add(reason);
  };
  const quiet = debounced(ring, quietMs);
  try {
    const { watch } = await import('chokidar');
    const paths = roots.map((root) => resolve(root));
    const watcher = watch(paths, {
      atomic: false,
      ignored: (path: string, stats?: Stats) => isIgnored(paths, path, stats),
      ignoreInitial: true,
      persistent: false,
    });
    watcher.on('raw', (_event, name, details) => {
      if (matters(paths, watchedPathOf(details), name)) quiet.touch();
    });
    watcher.on('all', () => quiet.touch());
    watcher.on('error', tell);
    await new Promise<void>((done) => watcher.once('ready', done));
    return {
      close: async () => {
        quiet.cancel();
        await watcher.close();
      },
    };
  } catch (error) {
    tell(error);
    return { close: async () => quiet.cancel() };
  }
}

/** Whether an event about `name` in the directory `watched` can change what a scan reads. */
export function matters(roots: readonly string[], watched: string, name: string | null): boolean {
  // The kernel's queue ran over (IN_Q_OVERFLOW): what happened is not known, so it matters.
  if (name === null) return true;
  if (name.startsWith('.') || name.endsWith('~')) return false;
  const depth = depthOf(roots, watched);
  // Above the roots: chokidar waits there for a missing root, and tells when it appears.
  if (depth === null) return false;
  if (depth === 1) return readingOf(name, false) !== null || readingOf(name, true) !== null;
  return depth <= 2;
}

function isIgnored(roots: readonly string[], path: string, stats?: Stats): boolean {
  if (stats !== undefined && !stats.isDirectory() && !stats.isSymbolicLink()) return true;
  const depth = depthOf(roots, path);
  const name = basename(path);
  // Not chokidar's own `depth`: that counts from where it waits for a root that is missing.
  if (depth === null) return !roots.some((root) => depthOf([path], root) !== null);
  if (depth === 0) return false;
  if (depth === 1) return name.startsWith('.');
  const reading = readingOf(name, true);
  return depth > 2 || reading === null || reading === 'mark';
}

/** 0 for a root, 1 for what is in it; null for what is in no root. */
function depthOf(roots: readonly string[], path: string): number | null {
  for (const root of roots) {
    const inside = relative(root, path);
    if (inside === '') return 0;
    if (!inside.startsWith('..')) return inside.split('/').length;
  }
  return null;
}

function watchedPathOf(details: unknown): string {
  if (typeof details !== 'object' || details === null || !('watchedPath' in details)) return '';
  return String(details.watchedPath);
}

type Quiet = { touch(): void; cancel(): void };

function debounced(act: () => void, quietMs: number): Quiet {
  let timer: NodeJS.Timeout | null = null;
  let cancelled = false;
  const cancel = (): void => {
    cancelled = true;
    if (timer !== null) clearTimeout(timer);
  };
  const touch = (): void => {
    if (cancelled) return;
    if (timer !== null) clearTimeout(timer);
    timer = setTimeout(act, quietMs);
  };
  return { touch, cancel };
}

function whatFailed(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (!('code' in error) || !('syscall' in error)) return error.message;
  return `${String(error.syscall)} failed with ${String(error.code)}`;
}
