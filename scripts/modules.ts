/**
 * `node scripts/modules.ts`: makes build/kernel/modules.cpio.zst, the modules a machine boots with.
 *
 * An archive of its own, behind the image: the image is the same for every kernel, modules fit one
 * alone. A boot loader takes both as initrds, `make run` joins them. In it are the modules of
 * PROFILE that the kernel's package has, what they need, and what depmod(8) would say of them, and
 * the checkers of filesystems, which only a machine with disks needs; the same packages give the
 * same bytes.
 */
import { existsSync, globSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { zstdCompressSync } from 'node:zlib';
import { plainName } from '../src/core/modules-match.ts';
import { softdepOf, wordsOf } from '../src/core/modules-text.ts';
import { cpio } from './cpio.ts';
import { type Entry, parentsOf } from './entries.ts';
import { depmod, loadOrder, type ModuleInfo, moduleInfo } from './modinfo.ts';

/**
 * What a machine needs to find its disks, filesystems, network and watchdog, in QEMU and clouds.
 */
const PROFILE: readonly string[] = [
  ...['virtio_pci', 'virtio_mmio', 'virtio_blk', 'virtio_scsi', 'virtio_net', 'virtio_rng'],
  ...['virtio_console', 'virtio_balloon', 'sd_mod', 'sr_mod', 'ata_piix', 'ahci', 'nvme'],
  ...['ext4', 'vfat', 'nls_cp437', 'nls_ascii', 'nls_iso8859_1', 'nls_utf8', 'isofs'],
  ...['squashfs', 'overlay', 'loop', 'dm_mod', 'fuse', 'virtiofs', '9p', '9pnet_virtio'],
  ...['softdog', 'i6300esb', 'iTCO_wdt', 'e1000', 'e1000e'],
];

export const KERNEL = 'build/kernel/vmlinuz';

/** The unpacked package of the distribution's kernel. */
export const PACKAGE = 'build/kernel/root';
const OUTPUT = 'build/kernel/modules.cpio.zst';

/** The checkers that `fetch.sh fsck` brings, and what fsck(8) calls them by. */
const CHECKERS: Readonly<Record<string, readonly string[]>> = {
  'build/fsck/e2fsck': ['fsck.ext2', 'fsck.ext3', 'fsck.ext4'],
  'build/fsck/fsck.fat': ['fsck.vfat'],
};

/** What the kernel's own build says of what is part of it; copied as it is. */
const COPIED = ['modules.builtin', 'modules.builtin.modinfo'];

/**
 * Why there are no modules for KERNEL; null: there are. They fit one kernel only, and `make kernel
 * KERNEL=` brings another without any.
 */
export function noModules(): string | null {
  const [image] = globSync(`${PACKAGE}/boot/vmlinuz-*`);
  if (image === undefined) return `no modules are in ${PACKAGE}`;
  const isSame = readFileSync(image).equals(readFileSync(KERNEL));
  return isSame ? null : `${KERNEL} is not the kernel whose modules are in ${PACKAGE}`;
}

/**
 * The archive, compressed.
 * @throws {Error} when there are no modules; see `noModules`.
 */
export function modulesArchive(): Uint8Array {
  const reason = noModules();
  if (reason !== null) throw new Error(`Cannot make an archive of modules: ${reason}`);
  const modules = moduleEntries(globSync(`${PACKAGE}/lib/modules/*`)[0] ?? '');
  const entries = [...modules, ...checkerEntries()];
  // None of it was made now, so no time is better than any other.
  return zstdCompressSync(cpio([...parentsOf(entries), ...entries], 0));
}

/** Below usr/lib/modules, which /lib/modules is in the image. */
function moduleEntries(directory: string): readonly Entry[] {
  const all = readModules(directory);
  const wanted = new Set<string>();
  for (const name of PROFILE) if (all.has(name)) want(all, name, wanted);
  const chosen = new Map([...all].filter(([name]) => wanted.has(name)));
  const target = `usr/lib/modules/${basename(directory)}`;
  const file = (path: string, content: Buffer): Entry => {
    return { type: 'file', path: `${target}/${path}`, mode: 0o644, content };
  };
  const copied = [...COPIED, ...[...chosen.values()].map(({ path }) => path)];
  return [
    ...Object.entries(depmod(chosen)).map(([name, text]) => file(name, Buffer.from(text))),
    ...copied.map((path) => file(path, readFileSync(join(directory, path)))),
  ];
}

/** Those that are there: a root can be mounted unchecked. */
function checkerEntries(): readonly Entry[] {
  const there = Object.entries(CHECKERS).filter(([path]) => existsSync(path));
  return there.flatMap(([path, names]): readonly Entry[] => {
    const program = `usr/sbin/${basename(path)}`;
    return [
      { type: 'file', path: program, mode: 0o755, content: readFileSync(path) },
      ...names.map((name): Entry => {
        return { type: 'link', path: `usr/sbin/${name}`, mode: 0o777, target: basename(path) };
      }),
    ];
  });
}

/** All modules below `directory` by name, in the order that the kernel's build gives them. */
function readModules(directory: string): ReadonlyMap<string, ModuleInfo> {
  const order = readFileSync(join(directory, 'modules.order'), 'utf8').trim().split('\n');
  return new Map(
    order.map((path) => {
      const module = moduleInfo(path, readFileSync(join(directory, path)));
      return [module.name, module];
    }),
  );
}

/** Adds `name`, what it needs, and the soft dependencies of all of them that are modules. */
function want(all: ReadonlyMap<string, ModuleInfo>, name: string, wanted: Set<string>): void {
  for (const module of loadOrder(all, name)) {
    if (wanted.has(module)) continue;
    wanted.add(module);
    for (const text of all.get(module)?.softdeps ?? []) {
      const { pre, post } = softdepOf([module, ...wordsOf(text)]);
      const soft = [...pre, ...post].map(plainName);
      for (const other of soft) if (all.has(other)) want(all, other, wanted);
    }
  }
}

if (import.meta.main) {
  const archive = modulesArchive();
  writeFileSync(`${OUTPUT}.${process.pid}`, archive);
  renameSync(`${OUTPUT}.${process.pid}`, OUTPUT);
  console.log(`${OUTPUT}  ${(archive.length / 2 ** 20).toFixed(1)} MiB`);
}
