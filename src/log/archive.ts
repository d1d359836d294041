/**
 * Names and number of the archives beside `current`: `@` + TAI64N + `.s`, as s6-log names them, so
 * that names sort by time. It knows nothing of what is in them.
 */
import { readdirSync, renameSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import { nextLabel, tai64n } from './stamp.ts';

/** What svlog is writing to. */
export const CURRENT = 'current';

/** Older files of one service that are kept. */
export const ARCHIVES_MAX = 3;

/**
 * Renames `current` of `dir` to the archive name of `nowMs`, milliseconds since 1970, and removes
 * the oldest archives that are too many. A clock set back does not make old what is new: the label
 * is later than every other in any case.
 * @throws the error of node:fs when `current` could not be renamed; then nothing has changed.
 */
export function archive(dir: string, nowMs: number): void {
  const archives = listArchives(dir);
  const label = tai64n(nowMs);
  const newest = archives.at(-1)?.slice(1, 1 + LABEL_CHARS) ?? '';
  const name = `@${label > newest ? label : nextLabel(newest)}.s`;
  renameSync(join(dir, CURRENT), join(dir, name));
  for (const old of [...archives, name].slice(0, -ARCHIVES_MAX)) remove(join(dir, old));
}

/** Names of all archives in `dir`, oldest first. */
export function listArchives(dir: string): string[] {
  return readdirSync(dir)
    .filter((name) => ARCHIVE.test(name))
    .sort();
}

/** `.u` is what s6-log and svlogd leave after a crash. */
const ARCHIVE = /^@[0-9a-f]{24}\.[su]$/;
const LABEL_CHARS = 24;

/** One that cannot be removed is tried again at the next rotation. */
function remove(path: string): void {
  try {
    unlinkSync(path);
  } catch {}
}
