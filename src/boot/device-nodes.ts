/**
 * Nodes and links below /dev: gives nodes the modes and owners that core decides, and makes and
 * removes the links below /dev/disk. What cannot be done is handed back as words.
 */
import {
  chmodSync,
  chownSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { type LinkTable, linkChanges } from '../core/device-links.ts';
import { parseGroups, permissionOf } from '../core/device-modes.ts';

/** Where nodes and groups are; tests have others. */
export type DevicePlaces = { readonly dev: string; readonly groups: string };

export const DEVICE_PLACES: DevicePlaces = { dev: '/dev', groups: '/etc/group' };

/** The numbers of groups as they are now. */
export function groupsNow(places: DevicePlaces): ReadonlyMap<string, number> {
  return parseGroups(orNull(() => readFileSync(places.groups, 'utf8')) ?? '');
}

/**
 * Gives the node at `name` below /dev what it shall have. One that has gone meanwhile is no
 * problem, and a link or a file is left alone.
 */
export function permit(
  places: DevicePlaces,
  groups: ReadonlyMap<string, number>,
  name: string,
): void {
  const path = join(places.dev, name);
  const stats = orNull(() => lstatSync(path));
  if (stats === null || (!stats.isBlockDevice() && !stats.isCharacterDevice())) return;
  const wanted = permissionOf(stats.isBlockDevice() ? 'block' : 'char', name);
  if (wanted === null) return;
  const gid = groups.get(wanted.group ?? '') ?? 0;
  orNull(() => {
    // The owner first: whoever was in the former group shall not get more for a moment.
    if (stats.uid !== 0 || stats.gid !== gid) chownSync(path, 0, gid);
    if ((stats.mode & 0o7777) !== wanted.mode) chmodSync(path, wanted.mode);
  });
}

/** The names of all nodes below /dev, those left out that are no devices of the machine. */
export function nodeNames(places: DevicePlaces): readonly string[] {
  const names: string[] = [];
  const open = [''];
  for (let next = open.pop(); next !== undefined; next = open.pop()) {
    for (const entry of orNull(() => readdirSync(join(places.dev, next), WITH_TYPES)) ?? []) {
      const name = join(next, entry.name);
      if (entry.isDirectory() && !OTHERS.has(name)) open.push(name);
      else if (entry.isBlockDevice() || entry.isCharacterDevice()) names.push(name);
    }
  }
  return names;
}

/** The links that are there, of whoever was here before. */
export function linksThere(places: DevicePlaces): LinkTable {
  const disk = join(places.dev, 'disk');
  const directories = orNull(() => readdirSync(disk)) ?? [];
  return new Map(
    directories.flatMap((directory) => {
      const names = orNull(() => readdirSync(join(disk, directory))) ?? [];
      return names.flatMap((name): readonly (readonly [string, string])[] => {
        const target = orNull(() => readlinkSync(join(disk, directory, name)));
        const path = target === null ? null : resolve(join(disk, directory), target);
        return path === null ? [] : [[join(directory, name), path]];
      });
    }),
  );
}

/**
 * Makes the links that are in `before` be those in `after`, each in one step: who looks finds the
 * old one or the new one.
 * @returns What could not be done.
 */
export function relink(
  places: DevicePlaces,
  before: LinkTable,
  after: LinkTable,
): readonly string[] {
  const { gone, made } = linkChanges(before, after);
  const disk = join(places.dev, 'disk');
  const problems: string[] = [];
  const attempt = (link: string, act: (path: string) => void): void => {
    try {
      act(join(disk, link));
    } catch (error) {
      problems.push(
        `Cannot change the link ${link}: ${error instanceof Error ? error.message : error}`,
      );
    }
  };
  for (const link of gone) attempt(link, (path) => rmSync(path, { force: true }));
  for (const [link, target] of made) {
    attempt(link, (path) => {
      mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
      const draft = join(dirname(path), `.#${process.pid}`);
      rmSync(draft, { force: true });
      symlinkSync(relative(dirname(path), target), draft);
      renameSync(draft, path);
    });
  }
  return problems;
}

const WITH_TYPES = { withFileTypes: true } as const;

/** Mounts of their own, and our links. */
const OTHERS: ReadonlySet<string> = new Set(['pts', 'shm', 'mqueue', 'hugepages', 'disk']);

/** Any node may go while we look. */
function orNull<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}
