/**
 * The directories and files of cgroup2 (Documentation/admin-guide/cgroup-v2.rst), as acts. What is
 * to be made of them is decided elsewhere.
 */
import { mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { pidsIn, straysOf } from '../core/cgroup.ts';
import type { Pid } from '../core/units.ts';
import { statOf } from './survey.ts';

/** Where it is mounted, by us or by whoever made the container. */
export const ROOT = '/sys/fs/cgroup';

/** Processes that fork faster than they are moved are left where they are after so many rounds. */
const ROUNDS_MAX = 100;

/** @throws {Error} "write to memory.max failed with ENOENT". */
export function write(group: string, file: string, text: string): void {
  // Without O_CREAT and O_TRUNC, which these files do not know.
  named(`write to ${file}`, () => writeFileSync(`${group}/${file}`, text, { flag: 'r+' }));
}

/** @throws {Error} "read of cgroup.procs failed with ENOENT". */
export function read(group: string, file: string): string {
  return named(`read of ${file}`, () => readFileSync(`${group}/${file}`, 'latin1'));
}

/** The processes of our pid namespace in a cgroup; those in cgroups below it are not counted. */
export const pidsOf = (group: string): Pid[] => pidsIn(read(group, 'cgroup.procs'));

/** Names of the cgroups in one. */
export function directoriesIn(group: string): string[] {
  const entries = named('readdir', () => readdirSync(group, { withFileTypes: true }));
  return entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
}

/** Whether it was not there. */
export function make(group: string): boolean {
  try {
    return named('mkdir', () => mkdirSync(group, 0o755)) === undefined;
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false;
    throw error;
  }
}

/** Whether it is gone: one with processes, or with others in it, stays. */
export function remove(group: string): boolean {
  try {
    rmdirSync(group);
    return true;
  } catch (error) {
    return codeOf(error) === 'ENOENT';
  }
}

/** The same with all cgroups below it that have no processes. */
export function removeAll(group: string): boolean {
  if (remove(group)) return true;
  try {
    for (const name of directoriesIn(group)) removeAll(`${group}/${name}`);
  } catch {
    // It went meanwhile, or stays.
  }
  return remove(group);
}

/** Moves a process, unless it has ended. */
export function move(group: string, pid: Pid): void {
  try {
    write(group, 'cgroup.procs', String(pid));
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error;
  }
}

/**
 * Moves the process `main`, which has just been started in `from`, and what it has made until then.
 * @param before Who was in `from` before that.
 */
export function moveAll(from: string, to: string, before: ReadonlySet<Pid>, main: Pid): void {
  move(to, main);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const strays = straysOf(before, pidsOf(from), main, (pid) => statOf(String(pid)));
    if (strays.length === 0) return;
    for (const stray of strays) move(to, stray);
  }
}

export function codeOf(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : '';
}

/** Runtimes tell of files in other words than we do. */
function named<T>(call: string, act: () => T): T {
  try {
    return act();
  } catch (error) {
    const code = codeOf(error);
    throw Object.assign(new Error(`${call} failed with ${code}`, { cause: error }), { code });
  }
}
