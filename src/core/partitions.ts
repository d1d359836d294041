/**
 * Partition tables: GPT with its checksums and its backup, and the older MBR with its chain of
 * extended partitions. Which device is which partition is the kernel's to say; this only tells the
 * names that the table gives to a number and a place.
 */
import {
  crc32,
  guidAt,
  hex,
  isAt,
  type ReadAt,
  u16,
  u32,
  u64,
  utf16At,
  wholeAt,
} from './device-bytes.ts';

export type Partition = {
  /** As the kernel numbers it, from 1; those inside an extended one from 5. */
  readonly number: number;
  /** Bytes from the beginning of the disk. */
  readonly start: number;
  readonly size: number;
  /** PARTUUID as Linux writes it: of an MBR `1a2b3c4d-01`, both hexadecimal. */
  readonly uuid: string | null;
  readonly label: string | null;
};

export type PartitionTable = {
  readonly kind: 'gpt' | 'dos';
  /** Whether the first GPT is broken, and this is its backup at the end of the disk. */
  readonly isBackup: boolean;
  readonly partitions: readonly Partition[];
};

/** Sizes in bytes; `sector` is the logical sector of the disk. */
export type Geometry = { readonly size: number; readonly sector: number };

/**
 * The table on a disk, or null when there is none. A GPT counts only behind the MBR that protects
 * it, as for the kernel: where somebody has written another MBR over that, the MBR is what holds.
 * @throws What `read` throws.
 */
export function partitionTable(read: ReadAt, disk: Geometry): PartitionTable | null {
  const mbr = wholeAt(read, 0, 512);
  if (mbr === null || u16(mbr, 510) !== 0xaa55) return null;
  const slots = slotsOf(mbr);
  if (!slots.some(({ kind }) => kind === PROTECTIVE)) return dos(read, mbr, disk);
  return gpt(read, disk, disk.sector, false) ?? gpt(read, disk, lastSector(disk), true);
}

/** UEFI 2.10, 5.2.3: type of the partition that covers the disk. */
const PROTECTIVE = 0xee;
/** More than that is no table that anybody makes: 128 entries of 128 bytes are usual. */
const TABLE_BYTES_MAX = 1 << 20;
/** Extended partitions in a chain before it is taken for a loop: what libblkid allows. */
const CHAIN_MAX = 100;
const EXTENDED: readonly number[] = [0x05, 0x0f, 0x85];

type Slot = { readonly kind: number; readonly start: number; readonly size: number };

const lastSector = ({ size, sector }: Geometry): number => (Math.floor(size / sector) - 1) * sector;

/**
 * UEFI 2.10, 5.3: the header at `at`, whose checksum covers itself and that of its entries them.
 * One that lies elsewhere than it says is of another disk.
 */
function gpt(
  read: ReadAt,
  { sector }: Geometry,
  at: number,
  isBackup: boolean,
): PartitionTable | null {
  const header = wholeAt(read, at, sector);
  if (header === null || !isAt(header, 0, 'EFI PART')) return null;
  const length = u32(header, 12);
  if (length < 92 || length > sector || u64(header, 24) * sector !== at) return null;
  const summed = new Uint8Array(length);
  summed.set(header.subarray(0, length));
  summed.fill(0, 16, 20);
  if (crc32(summed) !== u32(header, 16)) return null;
  const [count, each] = [u32(header, 80), u32(header, 84)];
  if (each < 128 || each % 8 !== 0 || count * each > TABLE_BYTES_MAX) return null;
  const table = wholeAt(read, u64(header, 72) * sector, count * each);
  if (table === null || crc32(table) !== u32(header, 88)) return null;
  const partitions: Partition[] = [];
  for (let i = 0; i < count; i++) {
    const entry = table.subarray(i * each, (i + 1) * each);
    // UEFI 2.10, 5.3.3: a type of zeros is an entry that is not used.
    if (guidAt(entry, 0) === null) continue;
    const [first, last] = [u64(entry, 32), u64(entry, 40)];
    partitions.push({
      number: i + 1,
      start: first * sector,
      size: Math.max(0, last - first + 1) * sector,
      uuid: guidAt(entry, 16),
      label: utf16At(entry, 56, 36),
    });
  }
  return { kind: 'gpt', isBackup, partitions };
}

/** block/partitions/msdos.c: the signature of the disk and the number make the PARTUUID. */
function dos(read: ReadAt, mbr: Uint8Array, disk: Geometry): PartitionTable | null {
  const slots = slotsOf(mbr);
  // The boot sector of a file system ends with the same mark; its code is no partitions.
  const areFlags = [0, 1, 2, 3].every((i) => [0, 0x80].includes(mbr[446 + 16 * i] ?? 0));
  if (!areFlags || slots.every(({ size }) => size === 0)) return null;
  const signature = u32(mbr, 440);
  const partitions: Partition[] = [];
  const add = (number: number, { start, size }: Slot, base: number): void => {
    const uuid = signature === 0 ? null : `${hex(signature, 8)}-${hex(number, 2)}`;
    const { sector } = disk;
    partitions.push({
      number,
      start: (base + start) * sector,
      size: size * sector,
      uuid,
      label: null,
    });
  };
  slots.forEach((slot, i) => {
    if (slot.kind !== 0 && slot.size > 0) add(i + 1, slot, 0);
  });
  const outer = slots.find(({ kind, size }) => EXTENDED.includes(kind) && size > 0);
  if (outer !== undefined) {
    const inner = logical(read, disk, outer.start);
    for (const [i, { slot, base }] of inner.entries()) add(5 + i, slot, base);
  }
  return { kind: 'dos', isBackup: false, partitions };
}

/** Those inside the extended partition at `outer`: each table names one, and the next table. */
function logical(
  read: ReadAt,
  { sector }: Geometry,
  outer: number,
): readonly { readonly slot: Slot; readonly base: number }[] {
  const found: { slot: Slot; base: number }[] = [];
  const seen = new Set<number>();
  for (let base = outer; !seen.has(base) && seen.size < CHAIN_MAX; ) {
    seen.add(base);
    const table = wholeAt(read, base * sector, 512);
    if (table === null || u16(table, 510) !== 0xaa55) break;
    const slots = slotsOf(table);
    for (const slot of slots) {
      const isData = slot.size > 0 && slot.kind !== 0 && !EXTENDED.includes(slot.kind);
      if (isData) found.push({ slot, base });
    }
    const next = slots.find(({ kind, size }) => EXTENDED.includes(kind) && size > 0);
    if (next === undefined) break;
    base = outer + next.start;
  }
  return found;
}

/** Starts and sizes in sectors. */
function slotsOf(mbr: Uint8Array): readonly Slot[] {
  return [0, 1, 2, 3].map((i) => {
    const at = 446 + 16 * i;
    return { kind: mbr[at + 4] ?? 0, start: u32(mbr, at + 8), size: u32(mbr, at + 12) };
  });
}
