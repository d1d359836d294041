/**
 * The directories and files of cgroup2 (Documentation/admin-guide/cgroup-v2.rst), as acts. What is
 * to be made of them is decided elsewhere.
 */
import {
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import {
  CONTROL_CGROUP,
  DELEGATED_MAX,
  isDelegated,
  limitWrites,
  mayBeOurs,
  pidsIn,
  serviceIn,
  straysOf,
  toEnable,
  withoutIoLimits,
} from '../core/cgroup.ts';
import { oomKillsIn } from '../core/oom.ts';
import { bundleIn } from '../core/slices.ts';
import type { CgroupLimits } from '../core/spec-cgroup.ts';
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

/** Whether there is a tree, and svinit may change it. */
export function isForUs(machine: boolean): boolean {
  const own = readFileSync('/proc/self/cgroup', 'latin1');
  if (!mayBeOurs({ own, machine }) || !existsSync(`${ROOT}/cgroup.controllers`)) return false;
  // A root has no such file.
  const type = existsSync(`${ROOT}/cgroup.type`) ? read(ROOT, 'cgroup.type') : null;
  return machine || isDelegated(type, read(ROOT, 'cgroup.procs'));
}

/** Writes limits. @throws {Error} when what was asked for cannot be had. */
export function limit(group: string, limits: CgroupLimits, isFresh: boolean): void {
  if (!isFresh && existsSync(`${group}/io.max`)) {
    for (const line of withoutIoLimits(read(group, 'io.max'))) write(group, 'io.max', line);
  }
  for (const { file, text, isAsked } of limitWrites(limits, isFresh)) {
    const line = file === 'io.max' ? byNumber(text) : text;
    if (isAsked || existsSync(`${group}/${file}`)) write(group, file, line);
  }
}

/** The kernel knows block devices by number; a name is a file of /dev, which nobody can block. */
function byNumber(line: string): string {
  const [device = '', ...limits] = line.split(' ');
  if (!device.startsWith('/')) return line;
  const found = named(`stat of ${device}`, () => statSync(device));
  if (!found.isBlockDevice()) throw new Error(`${device} is no block device`);
  // gnu_dev_major(3) and gnu_dev_minor(3), as far as Linux has numbers: 12 and 20 bits.
  const { rdev } = found;
  const [major, minor] = [(rdev >>> 8) & 0xfff, (rdev & 0xff) | ((rdev >>> 12) & 0xfff00)];
  return [`${major}:${minor}`, ...limits].join(' ');
}

/** Controllers that a cgroup has and does not give to those in it. */
export const disabledIn = (group: string): string[] =>
  toEnable(read(group, 'cgroup.controllers'), read(group, CONTROL));

export const enable = (group: string, controller: string): void =>
  write(group, CONTROL, `+${controller}`);

const CONTROL = 'cgroup.subtree_control';

/** Services and where their cgroups are: in `above`, or in one of its slices. */
export function findServices(above: string): [name: string, group: string][] {
  return directoriesIn(above).flatMap((directory): [string, string][] => {
    const path = `${above}/${directory}`;
    if (bundleIn(directory) === null) return [[serviceIn(directory), path]];
    return directoriesIn(path).map((own) => [serviceIn(own), `${path}/${own}`]);
  });
}

/**
 * Gives a cgroup to `uid` as the kernel says that it is done (cgroup-v2.rst, "Delegation").
 * Removing what was made in it is our work, so that has its bounds.
 */
export function delegate(group: string, uid: number): void {
  for (const [file, text] of Object.entries(DELEGATED_MAX)) write(group, file, text);
  if (uid === 0) return;
  const files = named('read of delegate', () => readFileSync(DELEGATE, 'latin1'));
  for (const file of files.split('\n')) {
    const path = `${group}/${file}`;
    // The last line is empty, which is the directory itself.
    if (existsSync(path)) named('chown', () => chownSync(path, uid, -1));
  }
}

/** The files that whoever is given a cgroup may write (kernel/cgroup/cgroup.c, delegate_show). */
const DELEGATE = '/sys/kernel/cgroup/delegate';

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

/** Kills all in a cgroup and below it, if there is one. */
export function killAll(group: string, kill: (pid: Pid) => void): void {
  try {
    if (existsSync(`${group}/cgroup.kill`)) write(group, 'cgroup.kill', '1');
    // Before Linux 5.14. What was forked meanwhile is found by the next look.
    else for (const pid of pidsOf(group)) kill(pid);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
}

/** Processes in it and below it that were killed for want of memory; 0 where none are counted. */
export function killsIn(group: string): number {
  try {
    return oomKillsIn(read(group, 'memory.events'));
  } catch {
    return 0;
  }
}

/** Moves a process, unless it has ended. */
export function move(group: string, pid: Pid): void {
  try {
    write(group, 'cgroup.procs', String(pid));
  } catch (error) {
    if (codeOf(error) === 'ESRCH') return;
    // Who was given it has divided it, and no process may be where it is divided.
    if (codeOf(error) !== 'EBUSY' || group.endsWith(`/${CONTROL_CGROUP}`)) throw error;
    make(`${group}/${CONTROL_CGROUP}`);
    move(`${group}/${CONTROL_CGROUP}`, pid);
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
