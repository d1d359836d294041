/**
 * Writes entries into a directory, as a root to chroot into or to hand to a namespace.
 *
 * Needs no privilege: device nodes are left out and everything belongs to whoever runs it.
 */
import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Entry, sorted } from './entries.ts';

/** Writes `entries` below `directory`, which is made and must not exist. */
export function stage(entries: readonly Entry[], directory: string): void {
  mkdirSync(directory, { recursive: true });
  for (const entry of sorted(entries)) write(entry, join(directory, entry.path));
}

function write(entry: Entry, path: string): void {
  if (entry.type === 'node') return;
  if (entry.type === 'link') return symlinkSync(entry.target, path);
  if (entry.type === 'directory') mkdirSync(path);
  else writeFileSync(path, entry.content);
  // The umask took its share of the mode given at creation; the owner must be able to go on.
  chmodSync(path, entry.type === 'directory' ? entry.mode | 0o700 : entry.mode);
}
