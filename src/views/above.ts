/**
 * The directory of a service where the view of its logger is, `NAME/log`: it is there as long as
 * either of them, whichever of them is seen first or goes first.
 */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { makeDirectory, removeDirectory, Taken } from './files.ts';

/**
 * Makes the directory that the view of the logger `name` is in.
 * @throws {Taken} when it holds a service of its own.
 */
export function makeAbove(root: string, name: string): void {
  const path = join(root, dirname(name));
  if (existsSync(join(path, 'run'))) throw new Taken(`Cannot use ${path}: it holds a service`);
  makeDirectory(path, 0o755);
}

/** Removes it, unless there is still something in it. */
export function removeAbove(root: string, name: string): void {
  removeDirectory(join(root, dirname(name)));
}
