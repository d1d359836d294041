/**
 * The way back into an initramfs at the end of a machine (systemd.io, INITRD_INTERFACE): the init
 * of a root cannot unmount the root it runs from, so it leaves that to the program `shutdown` in
 * /run/initramfs. svinit leaves one behind when it hands over, and uses it where it finds one.
 */
import {
  accessSync,
  constants,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import type { HaltKind } from '../core/halt.ts';
import { parseMountinfo, typeMounted } from '../core/mountinfo.ts';
import type { MountFlag } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import { becomeInit } from './become.ts';

const INITRAMFS = '/run/initramfs';
const SHUTDOWN = '/shutdown';
/** Where it expects the root that is to be unmounted. */
const OLD_ROOT = 'oldroot';
const SHARED: readonly string[] = ['/dev', '/proc', '/sys'];

const BUSYBOX = '/usr/bin/busybox';
const TOOLS: readonly string[] = [
  ...['cat', 'echo', 'halt', 'losetup', 'mount', 'poweroff', 'reboot', 'sh', 'sleep', 'sort'],
  ...['sync', 'umount'],
];

/**
 * What is mounted last goes first; what is busy is tried again when the others are gone, and made
 * read-only at the very end. $1 is the verb; the old root is at /oldroot.
 */
const SCRIPT = `#!/bin/sh
export PATH=/bin
# What was open so far is on the old root, and keeps it busy.
exec < /dev/console > /dev/console 2>&1
say() { echo "svinit: $*"; }
targets() {
  while read -r _ target _; do
    case "$target" in /oldroot|/oldroot/*) echo "$target" ;; esac
  done < /proc/mounts | sort -r
}
sync
round=0
while [ -n "$(targets)" ] && [ $round -lt 5 ]; do
  round=$((round + 1))
  for target in $(targets); do umount "$target" 2> /dev/null; done
  for device in /sys/block/loop*/loop/backing_file; do
    [ -e "$device" ] || continue
    device=\${device#/sys/block/}
    losetup -d "/dev/\${device%%/*}" 2> /dev/null
  done
  [ -x /bin/dmsetup ] && dmsetup remove_all 2> /dev/null
  [ -z "$(targets)" ] || sleep 1
done
for target in $(targets); do
  mount -o remount,ro "$target" 2> /dev/null
  say "still mounted: $target"
done
[ -n "$(targets)" ] || say 'the old root is unmounted'
sync
case "$1" in
  reboot) reboot -f ;;
  halt) halt -f ;;
  kexec) [ -x /bin/kexec ] && kexec -e; reboot -f ;;
  *) poweroff -f ;;
esac
# PID 1 may not end.
while :; do sleep 60; done
`;

/** Puts the small tree there, unless there is one, or nothing to make it of. */
export function leaveWayBack(): void {
  if (existsSync(INITRAMFS + SHUTDOWN) || !existsSync(BUSYBOX)) return;
  for (const name of ['bin', 'dev', 'oldroot', 'proc', 'run', 'sys']) {
    mkdirSync(`${INITRAMFS}/${name}`, { recursive: true, mode: 0o755 });
  }
  cpSync(BUSYBOX, `${INITRAMFS}/bin/busybox`);
  for (const tool of TOOLS) link(`${INITRAMFS}/bin/${tool}`);
  writeFileSync(INITRAMFS + SHUTDOWN, SCRIPT, { mode: 0o700 });
}

function link(path: string): void {
  if (!existsSync(path)) symlinkSync('busybox', path);
}

/** Whether whoever made this machine left a way back, and this is not the initramfs itself. */
export function hasWayBack(): boolean {
  try {
    const mounts = parseMountinfo(readFileSync('/proc/self/mountinfo', 'utf8'));
    if (typeMounted(mounts, '/') === 'rootfs') return false;
    accessSync(INITRAMFS + SHUTDOWN, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/**
 * Goes there: this process becomes its `shutdown`, which is told how the machine is to end.
 * @throws {Error} when that is not possible; the machine can still be ended from here.
 */
export function goBack(kernel: Kernel, kind: Exclude<HaltKind, 'exit' | 'switch-root'>): never {
  const bind = (source: string, target: string, flags: readonly MountFlag[]): void =>
    kernel.mount({ source, target, type: '', flags: ['bind', ...flags], data: '' });
  // pivot_root(2) takes no shared mounts, and only a mount point becomes a root.
  kernel.mount({ source: '', target: '/', type: '', flags: ['rec', 'private'], data: '' });
  bind(INITRAMFS, INITRAMFS, []);
  for (const path of [...SHARED, '/run', `/${OLD_ROOT}`]) {
    mkdirSync(`${INITRAMFS}${path}`, { recursive: true, mode: 0o755 });
  }
  for (const path of SHARED) bind(path, `${INITRAMFS}${path}`, ['rec']);
  // Alone, for the initramfs itself is mounted below it.
  bind('/run', `${INITRAMFS}/run`, []);
  process.chdir(INITRAMFS);
  kernel.pivotRoot('.', OLD_ROOT);
  kernel.chroot('.');
  return becomeInit(kernel, { init: SHUTDOWN, arguments: [kind] });
}
