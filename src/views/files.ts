/**
 * Files and directories of a view: made where they are missing, kept where they are as they should
 * be, replaced in one step. It knows nothing of what is in them.
 */
import {
  chmodSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmdirSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, relative } from 'node:path';
import type { Fd } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { LockKernel } from '../sys/locks.ts';
import { unlessRefused } from './errors.ts';

export type ViewKernel = Pick<Kernel, 'close' | 'mkfifo' | 'open' | 'read' | 'write'> & LockKernel;

/** It belongs to somebody else. `code` says so to whoever lives with failures. */
export class Taken extends Error {
  readonly code = 'EBUSY';
}

/**
 * A directory with exactly `mode`.
 * @throws {Taken} when the name is that of something else, a link to a directory included.
 */
export function makeDirectory(path: string, mode: number): void {
  unlessRefused(['EEXIST'], () => mkdirSync(path));
  if (!lstatSync(path).isDirectory()) throw new Taken(`Cannot use ${path}: it is no directory`);
  chmodSync(path, mode);
}

/** A FIFO that only its owner may use; whatever else has the name goes. */
export function makeFifo(kernel: ViewKernel, path: string): void {
  if (lstatSync(path, { throwIfNoEntry: false })?.isFIFO() !== true) {
    remove(path);
    kernel.mkfifo(path, PRIVATE);
  }
  chmodSync(path, PRIVATE);
}

/** The new content is there whole or not at all, for whoever reads at any time. */
export function replaceFile(path: string, content: Uint8Array | string): void {
  writeFileSync(`${path}.new`, content, { mode: 0o644 });
  renameSync(`${path}.new`, path);
}

/** Null when there is none. */
export function contentOf(path: string): Uint8Array | null {
  let content: Uint8Array | null = null;
  unlessRefused(['ENOENT', 'ENOTDIR'], () => {
    content = readFileSync(path);
  });
  return content;
}

/** An empty file is at `path`, or nothing is. */
export function mark(path: string, there: boolean): void {
  if (there) writeFileSync(path, '', { mode: 0o644 });
  else remove(path);
}

/**
 * A link at `path` leads to `target`, or, for null, nothing is there. It is a relative one, and so
 * the same for who looks from outside a container.
 */
export function link(path: string, target: string | null): void {
  remove(path);
  if (target !== null) symlinkSync(relative(dirname(path), target), path);
}

export function remove(path: string): void {
  unlessRefused(['ENOENT', 'ENOTDIR'], () => unlinkSync(path));
}

/** A directory that holds what is not ours stays. */
export function removeDirectory(path: string): void {
  unlessRefused(['ENOENT', 'ENOTDIR', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(path));
}

/**
 * Holds a lock file in both ways, as a supervisor of s6 and one of runit would: each of them then
 * finds that somebody is there already.
 * @throws {Taken} when one of them is.
 */
export function lockFile(kernel: ViewKernel, path: string): Fd {
  const fd = kernel.open(path, O.RDWR | O.CREAT | O.NONBLOCK | O.NOFOLLOW, 0o644);
  try {
    if (kernel.lockOpenFile(fd) && kernel.flock(fd)) return fd;
  } catch (error) {
    kernel.close(fd);
    throw error;
  }
  kernel.close(fd);
  throw new Taken(`Cannot lock ${path}: another supervisor is there`);
}

const PRIVATE = 0o600;
