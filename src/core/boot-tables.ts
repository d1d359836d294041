/**
 * The filesystems, devices and links every system has, as tables. Which of them a boot still has to
 * make is decided in boot.ts.
 */
import type { BootMountFlag } from './boot-step.ts';

/** A device that must be there: linux/major.h, Documentation/admin-guide/devices.txt. */
export type Device = {
  readonly path: string;
  readonly major: number;
  readonly minor: number;
  readonly mode: number;
  /** Not in a container: there it would be the console or the log of the host. */
  readonly machineOnly: boolean;
};

/** A filesystem and its place. */
export type MountRow = {
  readonly type: string;
  readonly target: string;
  /** Of the directory it is mounted on; null: the kernel makes it. */
  readonly mode: number | null;
  readonly flags: readonly BootMountFlag[];
  /** The filesystem's own options, tried in this order while the kernel answers EINVAL. */
  readonly data: readonly string[];
  /** Instead of `data` on a machine: options of the whole system, not for a container to set. */
  readonly machineData: readonly string[] | null;
  readonly fatal: boolean;
};

// biome-ignore format: read it as a table
export const DEVICES: readonly Device[] = [
  { path: '/dev/null', major: 1, minor: 3, mode: 0o666, machineOnly: false },
  { path: '/dev/console', major: 5, minor: 1, mode: 0o600, machineOnly: true },
  { path: '/dev/ptmx', major: 5, minor: 2, mode: 0o666, machineOnly: false },
  { path: '/dev/tty', major: 5, minor: 0, mode: 0o666, machineOnly: false },
  { path: '/dev/zero', major: 1, minor: 5, mode: 0o666, machineOnly: false },
  { path: '/dev/full', major: 1, minor: 7, mode: 0o666, machineOnly: false },
  { path: '/dev/random', major: 1, minor: 8, mode: 0o666, machineOnly: false },
  { path: '/dev/urandom', major: 1, minor: 9, mode: 0o666, machineOnly: false },
  { path: '/dev/kmsg', major: 1, minor: 11, mode: 0o644, machineOnly: true },
];

/** Links of /dev into /proc: path, target. */
export const LINKS: readonly (readonly [string, string])[] = [
  ['/dev/fd', '/proc/self/fd'],
  ['/dev/stdin', '/proc/self/fd/0'],
  ['/dev/stdout', '/proc/self/fd/1'],
  ['/dev/stderr', '/proc/self/fd/2'],
];

export const PROC: MountRow = {
  type: 'proc',
  target: '/proc',
  mode: 0o555,
  flags: ['nosuid', 'nodev', 'noexec'],
  data: [''],
  machineData: null,
  fatal: true,
};

export const DEV: MountRow = {
  type: 'devtmpfs',
  target: '/dev',
  mode: 0o755,
  flags: ['nosuid'],
  data: ['mode=0755'],
  machineData: null,
  fatal: false,
};

/**
 * Group 5 is tty (Documentation/filesystems/devpts.rst); in a user namespace there may be no such
 * group, hence a second try. Kernels before 6.0 and 5.7 know fewer options of cgroup2. With
 * `favordynmods` a process is moved without waiting for an RCU grace period: once for each start.
 */
// biome-ignore format: read it as a table
export const VIRTUAL: readonly MountRow[] = [
  row('sysfs', '/sys', 0o555, ['nosuid', 'nodev', 'noexec'], ['']),
  row('devpts', '/dev/pts', 0o755, ['nosuid', 'noexec'],
    ['gid=5,mode=0620,ptmxmode=0666', 'mode=0620,ptmxmode=0666']),
  row('tmpfs', '/dev/shm', 0o755, ['nosuid', 'nodev'], ['mode=1777']),
  row('mqueue', '/dev/mqueue', 0o755, ['nosuid', 'nodev', 'noexec'], ['']),
  row('tmpfs', '/run', 0o755, ['nosuid', 'nodev', 'strictatime'], ['mode=0755']),
  row('cgroup2', '/sys/fs/cgroup', null, ['nosuid', 'nodev', 'noexec'], [''],
    ['nsdelegate,memory_recursiveprot,favordynmods', 'nsdelegate,memory_recursiveprot',
      'nsdelegate', '']),
];

/** Directories, devices and links a plan asks about. */
export const PATHS_OF_INTEREST: readonly string[] = [
  ...[PROC, DEV, ...VIRTUAL].map(({ target }) => target),
  ...DEVICES.map(({ path }) => path),
  ...LINKS.map(([path]) => path),
];

function row(
  type: string,
  target: string,
  mode: number | null,
  flags: readonly BootMountFlag[],
  data: readonly string[],
  machineData: readonly string[] | null = null,
): MountRow {
  return { type, target, mode, flags, data, machineData, fatal: false };
}
