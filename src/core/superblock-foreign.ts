/**
 * The superblocks of file systems that Linux shares with others. Their numbers are short, their
 * labels lie in the root directory, and a partition table may look like one of them.
 */
import {
  asciiAt,
  hex,
  isAt,
  labelAt,
  type ReadAt,
  u16,
  u32,
  utf16At,
  wholeAt,
} from './device-bytes.ts';
import type { Decoder } from './superblock.ts';

/**
 * FAT12, FAT16 and FAT32: Microsoft's "FAT32 File System Specification" 1.03. Only with the name of
 * its kind in the boot sector, which a partition table does not have. The label in the root
 * directory is the one that is changed later; its first 64 KiB are looked at.
 */
export const fat: Decoder = (read) => {
  const bytes = wholeAt(read, 0, 512);
  if (bytes === null || u16(bytes, 510) !== 0xaa55) return null;
  const isLarge = isAt(bytes, 0x52, 'FAT32');
  if (!isLarge && !isAt(bytes, 0x36, 'FAT')) return null;
  const sector = u16(bytes, 11);
  const cluster = bytes[13] ?? 0;
  const [reserved, copies] = [u16(bytes, 14), bytes[16] ?? 0];
  const isSane = isShift(sector, 9, 12) && isShift(cluster, 0, 7) && reserved > 0 && copies > 0;
  if (!isSane || (bytes[21] ?? 0) < 0xf0) return null;
  const at = isLarge ? 67 : 39;
  const data = reserved + copies * (u16(bytes, 22) || u32(bytes, 36));
  const [place, size] = isLarge
    ? [data + (u32(bytes, 44) - 2) * cluster, cluster * sector]
    : [data, u16(bytes, 17) * 32];
  const inRoot = fatLabel(read, place * sector, size);
  const label = inRoot ?? labelAt(bytes, at + 4, 11);
  const named = label === 'NO NAME' ? null : label;
  return { usage: 'filesystem', type: 'vfat', uuid: serial(u32(bytes, at)), label: named };
};

/** Microsoft's "exFAT file system specification", sections 3.1 and 7.3. */
export const exfat: Decoder = (read) => {
  const bytes = wholeAt(read, 0, 512);
  if (bytes === null || !isAt(bytes, 3, 'EXFAT   ') || u16(bytes, 510) !== 0xaa55) return null;
  const [sectorShift, clusterShift] = [bytes[108] ?? 0, bytes[109] ?? 0];
  if (sectorShift < 9 || sectorShift > 12 || clusterShift > 25 - sectorShift) return null;
  const place = u32(bytes, 88) + (u32(bytes, 96) - 2) * 2 ** clusterShift;
  const root = directory(read, place * 2 ** sectorShift, 2 ** (sectorShift + clusterShift));
  const entry = entries(root).find((one) => one[0] === 0x83);
  const label = entry === undefined ? null : utf16At(entry, 2, Math.min(entry[1] ?? 0, 11));
  return { usage: 'filesystem', type: 'exfat', uuid: serial(u32(bytes, 100)), label };
};

/** Its number only: the label is a file of its own. fs/ntfs3/ntfs.h, struct NTFS_BOOT. */
export const ntfs: Decoder = (read) => {
  const bytes = wholeAt(read, 0, 512);
  if (bytes === null || !isAt(bytes, 3, 'NTFS    ') || !isShift(u16(bytes, 11), 8, 12)) return null;
  const digits = (hex(u32(bytes, 0x4c), 8) + hex(u32(bytes, 0x48), 8)).toUpperCase();
  return { usage: 'filesystem', type: 'ntfs', uuid: digits, label: null };
};

/**
 * ECMA-119, 8.4: the primary volume descriptor. It has no number; as everywhere on Linux the moment
 * it was made or changed stands for one.
 */
export const iso9660: Decoder = (read) => {
  const bytes = wholeAt(read, 32768, 2048);
  if (bytes === null || bytes[0] !== 1 || !isAt(bytes, 1, 'CD001')) return null;
  const [created, changed] = [asciiAt(bytes, 813, 16), asciiAt(bytes, 830, 16)];
  const moment = isMoment(changed) ? changed : created;
  const parts = /^(....)(..)(..)(..)(..)(..)(..)$/.exec(moment)?.slice(1) ?? [];
  const uuid = isMoment(moment) ? parts.join('-') : null;
  return { usage: 'filesystem', type: 'iso9660', uuid, label: labelAt(bytes, 40, 32) };
};

/** As much of a directory as is looked at, bytes; and the size of one entry of FAT and exFAT. */
const DIRECTORY_BYTES_MAX = 65536;
const ENTRY_BYTES = 32;

/** The entry that is a volume label (attribute 0x08), and not part of a long name (0x0f). */
function fatLabel(read: ReadAt, at: number, size: number): string | null {
  const entry = entries(directory(read, at, size)).find((one) => {
    const attributes = (one[11] ?? 0) & 0x3f;
    return one[0] !== 0xe5 && (attributes & 0x08) !== 0 && attributes !== 0x0f;
  });
  return entry === undefined ? null : labelAt(entry, 0, 11);
}

function directory(read: ReadAt, at: number, size: number): Uint8Array {
  if (!Number.isSafeInteger(at) || at < 0 || size <= 0) return new Uint8Array();
  return read(at, Math.min(size, DIRECTORY_BYTES_MAX));
}

/** Up to the first that was never used. */
function entries(bytes: Uint8Array): readonly Uint8Array[] {
  const all: Uint8Array[] = [];
  for (let at = 0; at + ENTRY_BYTES <= bytes.length && bytes[at] !== 0; at += ENTRY_BYTES) {
    all.push(bytes.subarray(at, at + ENTRY_BYTES));
  }
  return all;
}

/** As `1A2B-3C4D`; none is zero. */
function serial(value: number): string | null {
  const digits = hex(value, 8).toUpperCase();
  return value === 0 ? null : `${digits.slice(0, 4)}-${digits.slice(4)}`;
}

function isShift(value: number, min: number, max: number): boolean {
  return value >= 2 ** min && value <= 2 ** max && (value & (value - 1)) === 0;
}

function isMoment(digits: string): boolean {
  return /^\d{16}$/.test(digits) && !/^0+$/.test(digits);
}
