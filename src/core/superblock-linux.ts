/**
 * The superblocks of Linux' own file systems, and of swap. Each gives null where its mark is not.
 */
import {
  asciiAt,
  isAt,
  labelAt,
  u16,
  u32,
  u32be,
  u64,
  utf16At,
  uuidAt,
  wholeAt,
} from './device-bytes.ts';
import type { Decoder, Superblock } from './superblock.ts';

/**
 * ext2, ext3, ext4 by what a kernel must understand to mount it: struct ext4_super_block of
 * fs/ext4/ext4.h, Documentation/filesystems/ext4/super.rst. A journal on a device of its own
 * (`jbd`) is no file system.
 */
export const ext: Decoder = (read) => {
  const bytes = wholeAt(read, 1024, 1024);
  if (bytes === null || u16(bytes, 0x38) !== 0xef53) return null;
  const [compat, incompat, roCompat] = [u32(bytes, 0x5c), u32(bytes, 0x60), u32(bytes, 0x64)];
  // A journal, and what ext3 knows: FILETYPE, RECOVER, META_BG; SPARSE_SUPER, LARGE_FILE, BTREE.
  const isBeyond = (incompat & ~0x16) !== 0 || (roCompat & ~0x7) !== 0;
  const type = isBeyond ? 'ext4' : (compat & 0x4) !== 0 ? 'ext3' : 'ext2';
  const named = { uuid: uuidAt(bytes, 0x68), label: labelAt(bytes, 0x78, 16) };
  // INCOMPAT_JOURNAL_DEV.
  if ((incompat & 0x8) !== 0) return { usage: 'member', type: 'jbd', ...named };
  return { usage: 'filesystem', type, ...named };
};

/** struct xfs_dsb of fs/xfs/libxfs/xfs_format.h; the most significant byte first. */
export const xfs: Decoder = (read) => {
  const bytes = wholeAt(read, 0, 512);
  if (bytes === null || !isAt(bytes, 0, 'XFSB') || !isPowerOf2(u32be(bytes, 4), 512, 65536)) {
    return null;
  }
  return filesystem('xfs', uuidAt(bytes, 32), labelAt(bytes, 108, 12));
};

/** struct btrfs_super_block of include/uapi/linux/btrfs_tree.h, the first copy at 64 KiB. */
export const btrfs: Decoder = (read) => {
  const bytes = wholeAt(read, 65536, 1024);
  if (bytes === null || !isAt(bytes, 0x40, '_BHRfS_M') || u64(bytes, 0x30) !== 65536) return null;
  return filesystem('btrfs', uuidAt(bytes, 0x20), labelAt(bytes, 0x12b, 256));
};

/** struct f2fs_super_block of include/linux/f2fs_fs.h. */
export const f2fs: Decoder = (read) => {
  const bytes = wholeAt(read, 1024, 2048);
  if (bytes === null || u32(bytes, 0) !== 0xf2f52010) return null;
  return filesystem('f2fs', uuidAt(bytes, 108), utf16At(bytes, 124, 512));
};

/** struct squashfs_super_block of fs/squashfs/squashfs_fs.h: no name, no number. */
export const squashfs: Decoder = (read) => {
  const bytes = wholeAt(read, 0, 96);
  if (bytes === null || !isAt(bytes, 0, 'hsqs') || u16(bytes, 28) !== 4) return null;
  return filesystem('squashfs', null, null);
};

/** struct erofs_super_block of fs/erofs/erofs_fs.h. */
export const erofs: Decoder = (read) => {
  const bytes = wholeAt(read, 1024, 128);
  if (bytes === null || u32(bytes, 0) !== 0xe0f5e1e2) return null;
  return filesystem('erofs', uuidAt(bytes, 48), labelAt(bytes, 64, 16));
};

/**
 * union swap_header of include/linux/swap.h: the mark ends the first page, whose size is that of
 * the machine that made it. One that holds a machine asleep (hibernation) is `swsuspend`.
 */
export const swap: Decoder = (read) => {
  for (const page of [4096, 8192, 16384, 32768, 65536]) {
    const end = wholeAt(read, page - 10, 10);
    const mark = end === null ? '' : asciiAt(end, 0, 10);
    const isAsleep = ASLEEP.some((word) => mark.startsWith(word));
    if (mark !== 'SWAPSPACE2' && !isAsleep) continue;
    const bytes = wholeAt(read, 1024, 44);
    if (bytes === null || u32(bytes, 0) !== 1) return null;
    const type = isAsleep ? 'swsuspend' : 'swap';
    return { usage: 'swap', type, uuid: uuidAt(bytes, 12), label: labelAt(bytes, 28, 16) };
  }
  return null;
};

/** kernel/power/swap.c and its relatives, as libblkid knows them. */
const ASLEEP = ['S1SUSPEND', 'S2SUSPEND', 'ULSUSPEND', 'LINHIB0001'];

function filesystem(type: string, uuid: string | null, label: string | null): Superblock {
  return { usage: 'filesystem', type, uuid, label };
}

function isPowerOf2(value: number, min: number, max: number): boolean {
  return value >= min && value <= max && (value & (value - 1)) === 0;
}
