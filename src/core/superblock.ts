/**
 * What lies on a block device, by the marks at its fixed places: file systems, swap, encrypted
 * volumes, and members of arrays, which are no file system whatever else they hold.
 *
 * The places are those that libblkid of util-linux looks at (libblkid/src/superblocks), the formats
 * are cited with each decoder. A mark is believed only where its neighbours make sense. Not read:
 * labels of NTFS, Joliet's names of ISO 9660, UDF, and file systems that no current Linux makes.
 */
import type { ReadAt } from './device-bytes.ts';
import { exfat, fat, iso9660, ntfs } from './superblock-foreign.ts';
import { btrfs, erofs, ext, f2fs, squashfs, swap, xfs } from './superblock-linux.ts';
import { luks, lvm, raid } from './superblock-members.ts';

/**
 * `filesystem` can be mounted, `swap` swapped to, `crypto` opened; a `member` is part of something
 * that shows up as another device.
 */
export type Usage = 'filesystem' | 'swap' | 'crypto' | 'member';

export type Superblock = {
  readonly usage: Usage;
  /** As libblkid and mount(8) call it: `ext4`, `vfat`, `crypto_LUKS`, `linux_raid_member`. */
  readonly type: string;
  /** In the writing its own tools use: not always that of RFC 4122. Null: it has none. */
  readonly uuid: string | null;
  readonly label: string | null;
};

/** Looks for one mark. `size` is that of the device, bytes. */
export type Decoder = (read: ReadAt, size: number) => Superblock | null;

/**
 * What is on the device, or null for nothing that is known. Two file systems at once, as they are
 * left over when one was made over the other, are nothing as well: to mount the wrong one would
 * destroy the right one, and only a person can tell (`wipefs`). ISO 9660 may share a disk.
 * @throws What `read` throws.
 */
export function superblockOf(read: ReadAt, size: number): Superblock | null {
  for (const decode of MEMBERS) {
    const found = decode(read, size);
    if (found !== null) return found;
  }
  const found = FILESYSTEMS.flatMap((decode) => decode(read, size) ?? []);
  return found.length > 1 ? null : (found[0] ?? iso9660(read, size));
}

/** First: whatever a member seems to hold is only what the array would show. */
const MEMBERS: readonly Decoder[] = [raid, lvm, luks];

const FILESYSTEMS: readonly Decoder[] = [
  ext,
  xfs,
  btrfs,
  f2fs,
  squashfs,
  erofs,
  swap,
  fat,
  exfat,
  ntfs,
];
