/**
 * Verbs about the mounted tree: attach, detach, change the root. They decide nothing: what to mount
 * where, and whether a failure matters, is the caller's.
 */
import { MNT, type MountFlag, MS, type UnmountFlag } from './constants.ts';
import { check, type Libc } from './libc.ts';
import { memory, viewOf } from './memory.ts';

export type Mount = {
  readonly source: string;
  readonly target: string;
  /** As in /proc/filesystems; '' where the kernel does not look (bind, move, propagation). */
  readonly type: string;
  readonly flags: readonly MountFlag[];
  /** Options of the filesystem itself, comma separated: `mode=0700,size=8m`. */
  readonly data: string;
};

/**
 * mount(2): attaches a filesystem at `target`, which must exist.
 * @throws {SysError} `EBUSY` when already mounted there, `ENODEV` when the kernel lacks `type`.
 */
export function mount(libc: Libc, { source, target, type, flags, data }: Mount): void {
  const bits = bitsOf(MS, flags);
  check(libc, `mount ${type || source} on ${target}`, 'mount', source, target, type, bits, data);
}

/**
 * umount2(2): detaches what is mounted at `target`.
 * @throws {SysError} `EBUSY` while it is in use, `EINVAL` when it is no mount point.
 */
export function unmount(libc: Libc, target: string, flags: readonly UnmountFlag[]): void {
  check(libc, `unmount ${target}`, 'umount2', target, bitsOf(MNT, flags));
}

/** statfs(2): the `f_type` of the filesystem `path` is on; see MAGIC. */
export function statfsMagic(libc: Libc, path: string): number {
  const statfs = memory(STATFS_BYTES);
  check(libc, `ask for the filesystem of ${path}`, 'statfs', path, statfs);
  return viewOf(statfs).getUint32(0, true);
}

/**
 * pivot_root(2): `newRoot`, a mount point, becomes `/` and the old root appears at `putOld`.
 * @throws {SysError} `EINVAL` when the root is the initramfs itself, which cannot be pivoted.
 */
export function pivotRoot(libc: Libc, newRoot: string, putOld: string): void {
  check(libc, `make ${newRoot} the root`, 'pivot_root', newRoot, putOld);
}

/** chroot(2): `path` becomes `/` for this process. The working directory stays where it is. */
export function chroot(libc: Libc, path: string): void {
  check(libc, `make ${path} the root`, 'chroot', path);
}

/** sizeof(struct statfs) of bits/statfs.h, 64-bit; `f_type` is its first word. */
const STATFS_BYTES = 120;

function bitsOf<F extends string>(table: Readonly<Record<F, number>>, flags: readonly F[]): number {
  return flags.reduce((bits, flag) => bits | table[flag], 0);
}
