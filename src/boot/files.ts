/**
 * The few questions and acts on files that booting needs, as an interface, so that a test can be a
 * read-only container. It decides nothing.
 */
import {
  accessSync,
  chmodSync,
  constants,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';

export type Look = {
  readonly kind: 'directory' | 'char' | 'link' | 'other';
  /** Permission bits, with set-id and sticky bits. */
  readonly mode: number;
  readonly uid: number;
  /** Of a device; 0 otherwise. */
  readonly major: number;
  readonly minor: number;
  /** The filesystem it is on: differs from the parent's where something is mounted. */
  readonly filesystem: number;
};

/** Acts throw what node:fs throws: an error with `code` and `syscall`. Questions never throw. */
export interface BootFiles {
  mkdir(path: string, mode: number): void;
  chmod(path: string, mode: number): void;
  symlink(target: string, path: string): void;
  /** Into a file that exists. */
  write(path: string, text: string): void;
  /** Null when it cannot be read. */
  read(path: string): string | null;
  readlink(path: string): string | null;
  /** What is at `path`, links followed. */
  look(path: string): Look | null;
  /** What is at `path`; a link is a link. */
  lookAt(path: string): Look | null;
  /** Whether entries can be made in the directory `path`. */
  writable(path: string): boolean;
}

export const realFiles: BootFiles = {
  mkdir: (path, mode) => {
    mkdirSync(path, { mode });
  },
  chmod: chmodSync,
  symlink: symlinkSync,
  write: (path, text) => writeFileSync(path, text, { flag: 'r+' }),
  read: (path) => orNull(() => readFileSync(path, 'utf8')),
  readlink: (path) => orNull(() => readlinkSync(path)),
  look: (path) => orNull(() => lookOf(statSync(path))),
  lookAt: (path) => orNull(() => lookOf(lstatSync(path))),
  writable: (path) =>
    orNull(() => {
      accessSync(path, constants.W_OK | constants.X_OK);
      return true;
    }) ?? false,
};

function orNull<T>(ask: () => T): T | null {
  try {
    return ask();
  } catch {
    return null;
  }
}

function lookOf(stats: Stats): Look {
  return {
    kind: kindOf(stats),
    mode: stats.mode & 0o7777,
    uid: stats.uid,
    // gnu_dev_major and gnu_dev_minor of sys/sysmacros.h, for the numbers below 4096 and 256.
    major: Math.floor(stats.rdev / 256) % 4096,
    minor: stats.rdev % 256,
    filesystem: stats.dev,
  };
}

function kindOf(stats: Stats): Look['kind'] {
  if (stats.isDirectory()) return 'directory';
  if (stats.isCharacterDevice()) return 'char';
  return stats.isSymbolicLink() ? 'link' : 'other';
}
