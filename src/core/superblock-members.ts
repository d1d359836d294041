/**
 * The marks of what is only part of something: of an array, of a volume group, or encrypted.
 */
import {
  asciiAt,
  hex,
  isAt,
  labelAt,
  type ReadAt,
  u16be,
  u32,
  u32be,
  u64,
  uuidAt,
  wholeAt,
} from './device-bytes.ts';
import type { Decoder, Superblock } from './superblock.ts';

/**
 * include/uapi/linux/raid/md_p.h: version 1.1 at the beginning, 1.2 at 4 KiB, 1.0 and 0.90 near the
 * end of the device.
 */
export const raid: Decoder = (read, size) => {
  const nearEnd = Math.floor((Math.floor(size / SECTOR) - 16) / 8) * 8 * SECTOR;
  for (const at of [0, 4096, nearEnd]) {
    const found = raidOne(read, at);
    if (found !== null) return found;
  }
  return raidZero(read, Math.floor(size / 65536) * 65536 - 65536);
};

/**
 * A physical volume of LVM: lib/format_text/layout.h of LVM2, label_header and pv_header, in one of
 * the first four sectors.
 */
export const lvm: Decoder = (read) => {
  for (let sector = 0; sector < 4; sector++) {
    const bytes = wholeAt(read, sector * SECTOR, SECTOR);
    if (bytes === null || !isAt(bytes, 0, 'LABELONE') || !isAt(bytes, 24, 'LVM2 001')) continue;
    if (u64(bytes, 8) !== sector) continue;
    const digits = asciiAt(bytes, u32(bytes, 20), 32);
    const parts = /^(\w{6})(\w{4})(\w{4})(\w{4})(\w{4})(\w{4})(\w{6})$/.exec(digits)?.slice(1);
    return { usage: 'member', type: 'LVM2_member', uuid: parts?.join('-') ?? null, label: null };
  }
  return null;
};

/** "LUKS1 On-Disk Format Specification" 1.2.3, and of LUKS2 1.1.3: the primary header. */
export const luks: Decoder = (read) => {
  const bytes = wholeAt(read, 0, 512);
  if (bytes === null || !isAt(bytes, 0, 'LUKS\xba\xbe')) return null;
  const version = u16be(bytes, 6);
  if (version !== 1 && version !== 2) return null;
  const label = version === 2 ? labelAt(bytes, 24, 48) : null;
  return { usage: 'crypto', type: 'crypto_LUKS', uuid: labelAt(bytes, 168, 40), label };
};

const SECTOR = 512;
const MD_MAGIC = 0xa92b4efc;

/** struct mdp_superblock_1: it says itself where it lies, in sectors. */
function raidOne(read: ReadAt, at: number): Superblock | null {
  const bytes = wholeAt(read, at, 256);
  if (bytes === null || u32(bytes, 0) !== MD_MAGIC || u32(bytes, 4) !== 1) return null;
  if (u64(bytes, 128) * SECTOR !== at) return null;
  return member(uuidAt(bytes, 16), labelAt(bytes, 32, 32));
}

/** mdp_super_t, in the byte order of the machine that made it: four words are its number. */
function raidZero(read: ReadAt, at: number): Superblock | null {
  const bytes = wholeAt(read, at, 128);
  if (bytes === null) return null;
  const word = u32(bytes, 0) === MD_MAGIC ? u32 : u32be;
  if (word(bytes, 0) !== MD_MAGIC || word(bytes, 4) !== 0) return null;
  const digits = [20, 52, 56, 60].map((place) => hex(word(bytes, place), 8)).join('');
  const uuid = digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
  return member(uuid, null);
}

function member(uuid: string | null, label: string | null): Superblock {
  return { usage: 'member', type: 'linux_raid_member', uuid, label };
}
