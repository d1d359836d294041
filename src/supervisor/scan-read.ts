/**
 * Reading what others may have put on a disk: through descriptors only, so that what was checked is
 * what is read, never blocking, never more than a limit, and only what nobody else may write.
 */
import {
  closeSync,
  constants,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readSync,
  realpathSync,
  type Stats,
} from 'node:fs';
import { dirname } from 'node:path';
import { printable } from '../core/names.ts';
import type { FoundFile } from '../core/spec.ts';

/** What an entry of a directory is; anything that is neither is not read. */
export type EntryKind = 'file' | 'directory' | 'link' | 'other';

export type Entry = { readonly name: string; readonly kind: EntryKind };

/** Why something is not read, as `Cannot read OBJECT: WHY`; `code` is the kernel's, if any. */
export class Unreadable extends Error {
  override readonly name = 'Unreadable';
  readonly code: string | null;
  constructor(what: string, why: string, code: string | null = null) {
    super(`Cannot read ${printable(what)}: ${why}`);
    this.code = code;
  }
}

/**
 * Who may own what is read: root, and whoever svinit runs as. With `rootGroup` the group of root
 * may write to it: what was copied into an image from a checkout is often so, and nobody else's.
 */
export type Owners = ReadonlySet<number> & { readonly rootGroup?: boolean };

const COMMON = constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK;
const DIRECTORY = COMMON | constants.O_DIRECTORY;
const FILE = COMMON | constants.O_NOCTTY;
/** S_IWGRP | S_IWOTH and S_ISVTX (linux/stat.h). */
const WRITABLE_BY_OTHERS = 0o022;
const WRITABLE_BY_GROUP = 0o020;
const STICKY = 0o1000;

/**
 * Opens the directory at `path`, gives it to `use` and closes it.
 * @throws {Unreadable} when it cannot be opened or others may write to it.
 */
export function withDirectory<T>(
  path: string,
  what: string,
  owners: Owners,
  use: (fd: number) => T,
): T {
  const fd = attempt(what, 'open', () => openSync(path, DIRECTORY));
  try {
    refuseUntrusted(
      attempt(what, 'fstat', () => fstatSync(fd)),
      what,
      owners,
      false,
    );
    return use(fd);
  } finally {
    closeSync(fd);
  }
}

/** A path that names `name` inside the open directory `fd`, wherever that was moved to. */
export const inside = (fd: number, name: string): string => `/proc/self/fd/${fd}/${name}`;

/** The entries of an open directory, sorted by name; dotfiles are left out. */
export function entriesOf(fd: number, what: string, max: number): Entry[] {
  const read = () => readdirSync(`/proc/self/fd/${fd}`, { withFileTypes: true });
  const entries = attempt(what, 'readdir', read).filter(({ name }) => !name.startsWith('.'));
  if (entries.length > max) {
    throw new Unreadable(what, `it has ${entries.length} entries, the most is ${max}`);
  }
  return entries
    .map((entry) => ({ name: entry.name, kind: kindOf(entry) ?? kindByLstat(fd, entry.name) }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));
}

/**
 * Reads a regular file. With `firstLine`, no more than that line (of at most `max` bytes).
 * @throws {Unreadable} when it is no regular file, too long, not UTF-8, or others may write to it.
 */
export function readText(
  path: string,
  what: string,
  owners: Owners,
  max: number,
  firstLine: boolean,
): FoundFile {
  const fd = attempt(what, 'open', () => openSync(path, FILE));
  try {
    const stats = attempt(what, 'fstat', () => fstatSync(fd));
    if (!stats.isFile()) throw new Unreadable(what, 'it is not a regular file');
    refuseUntrusted(stats, what, owners, false);
    const bytes = attempt(what, 'read', () => readUpTo(fd, firstLine ? max : max + 1, stats.size));
    if (bytes.length > max) throw new Unreadable(what, `it is longer than ${max} bytes`);
    const text = firstLine ? decodeLine(bytes) : decode(bytes, what);
    return { text, executable: (stats.mode & 0o111) !== 0 };
  } finally {
    closeSync(fd);
  }
}

/**
 * The path without symbolic links.
 * @throws {Unreadable} when there is nothing, or others may change a directory on the way to it.
 */
export function trustedRealpath(path: string, what: string, owners: Owners): string {
  const real = attempt(what, 'realpath', () => realpathSync.native(path));
  for (let above = dirname(real); ; above = dirname(above)) {
    const stats = attempt(above, 'lstat', () => lstatSync(above));
    // In a sticky directory as /tmp only the owner of an entry can move it.
    refuseUntrusted(stats, above, owners, true);
    if (above === dirname(above)) return real;
  }
}

/** Why what `stats` tells of may have been changed by others than `owners`; null when not. */
export function distrust(
  { mode: format, uid, gid }: Pick<Stats, 'mode' | 'uid'> & Partial<Pick<Stats, 'gid'>>,
  owners: Owners,
  sticky = false,
): string | null {
  const mode = format & 0o7777;
  if (!owners.has(uid)) return `it is owned by uid ${uid}`;
  const group = owners.rootGroup === true && gid === 0 ? WRITABLE_BY_GROUP : 0;
  if ((mode & WRITABLE_BY_OTHERS & ~group) === 0 || (sticky && (mode & STICKY) !== 0)) return null;
  const shown = mode.toString(8).padStart(4, '0');
  return `others than its owner may write to it (mode ${shown})`;
}

function refuseUntrusted(stats: Stats, what: string, owners: Owners, sticky: boolean): void {
  const why = distrust(stats, owners, sticky);
  if (why !== null) throw new Unreadable(what, why);
}

type Dirent = {
  isFile(): boolean;
  isDirectory(): boolean;
  isSymbolicLink(): boolean;
  isFIFO(): boolean;
  isSocket(): boolean;
  isBlockDevice(): boolean;
  isCharacterDevice(): boolean;
};

/** Null when the filesystem does not say (DT_UNKNOWN of getdents(2)). */
function kindOf(entry: Dirent): EntryKind | null {
  if (entry.isFile()) return 'file';
  if (entry.isDirectory()) return 'directory';
  if (entry.isSymbolicLink()) return 'link';
  const special = entry.isFIFO() || entry.isSocket();
  return special || entry.isBlockDevice() || entry.isCharacterDevice() ? 'other' : null;
}

function kindByLstat(fd: number, name: string): EntryKind {
  try {
    return kindOf(lstatSync(inside(fd, name))) ?? 'other';
  } catch {
    // It went away between the two calls; opening it will say so.
    return 'file';
  }
}

/** Read into by all, one after the other: as large as the largest that is asked for. */
let buffer = new Uint8Array(0);

/** Until its end, which a file of no size (as in proc(5)) has where nothing more is read. */
function readUpTo(fd: number, max: number, size: number): Uint8Array {
  if (buffer.length < max) buffer = new Uint8Array(max);
  let length = 0;
  while (length < max && (size === 0 || length < size)) {
    const count = readSync(fd, buffer, length, max - length, null);
    if (count === 0) break;
    length += count;
  }
  return buffer.subarray(0, length);
}

const LOSSY = new TextDecoder();
const STRICT = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** A program may be binary: only its first line is ever looked at, and only for `#!`. */
function decodeLine(bytes: Uint8Array): string {
  const end = bytes.indexOf(0x0a);
  return LOSSY.decode(end === -1 ? bytes : bytes.subarray(0, end));
}

function decode(bytes: Uint8Array, what: string): string {
  try {
    return STRICT.decode(bytes);
  } catch {
    throw new Unreadable(what, 'it is not UTF-8 text');
  }
}

function attempt<T>(what: string, call: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code: unknown = error instanceof Error && 'code' in error ? error.code : null;
    if (typeof code !== 'string') throw error;
    throw new Unreadable(what, `${call} failed with ${code}`, code);
  }
}
