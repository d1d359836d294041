/**
 * What is to be unmounted at the very end, in which order, and what is left then. It knows only
 * the table of mounts; whether unmounting succeeded is seen by reading that table again.
 */
import type { Mount } from './mountinfo.ts';

/**
 * Targets in the order in which they are to be unmounted: what was mounted last goes first. Only
 * what keeps data, and what is mounted on top of that: the kernel's own file systems and those in
 * memory lose nothing. The root stays, for programs are run from it. A namespace that is kept by a
 * mount keeps all that is mounted in it, so these go before everything else.
 */
export function toUnmount(mounts: readonly Mount[]): string[] {
  const pins = mounts.filter(({ type }) => type === 'nsfs');
  const kept = mounts.filter((mount) => keepsData(mount) && mount.target !== '/');
  const isOnTop = ({ target }: Mount): boolean =>
    kept.some((below) => target.startsWith(`${below.target}/`));
  const rest = mounts.filter(
    (mount) =>
      mount.target !== '/' && mount.type !== 'nsfs' && (keepsData(mount) || isOnTop(mount)),
  );
  return [...rest, ...pins].map(({ target }) => target).reverse();
}

/** Targets whose file systems can still be written to, the root among them; each once. */
export function writable(mounts: readonly Mount[]): string[] {
  const left = mounts.filter((mount) => keepsData(mount) && !mount.readOnly);
  return [...new Set(left.map(({ target }) => target).reverse())];
}

/** What people are told of the file systems that are left; null: all is in order. */
export function leftWords(mounts: readonly Mount[]): string | null {
  const open = new Set(writable(mounts));
  const left = new Set([...open, ...toUnmount(mounts)]);
  if (left.size === 0) return null;
  const words = [...left].map((target) => `${target}${open.has(target) ? '' : ' (read-only)'}`);
  return `still mounted: ${words.join(', ')}`;
}

/** File systems that keep nothing: the kernel's own, and those in memory (filesystems(5)). */
const VIRTUAL: ReadonlySet<string> = new Set([
  ...['autofs', 'binfmt_misc', 'bpf', 'cgroup', 'cgroup2', 'configfs', 'debugfs', 'devpts'],
  ...['devtmpfs', 'efivarfs', 'fusectl', 'hugetlbfs', 'mqueue', 'nsfs', 'proc', 'pstore'],
  ...['ramfs', 'rootfs', 'rpc_pipefs', 'securityfs', 'selinuxfs', 'sysfs', 'tmpfs', 'tracefs'],
]);

const keepsData = ({ type }: Mount): boolean => !VIRTUAL.has(type);
