/**
 * Makes the images of disks that machines start from: a GUID partition table with one partition,
 * and an ext4 filesystem in it that holds a directory.
 *
 * Nothing is mounted and no loop device is taken, so this needs no rights but to read the
 * directory. Names are given, not made up: the same disk is found again after it was made anew.
 */
import { closeSync, ftruncateSync, openSync, writeSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { tool } from './tool.ts';

export type Disk = {
  /** The image, written sparse; what was there is overwritten. */
  readonly file: string;
  readonly sizeMiB: number;
  /** What the root of the filesystem becomes, with owners and modes. */
  readonly directory: string;
  /** Of the filesystem; at most 16 bytes, mke2fs(8). */
  readonly label: string;
  readonly uuid: string;
  /** Of the partition; at most 36 characters (UEFI 2.10, 5.3.3). */
  readonly partlabel: string;
  readonly partuuid: string;
};

/** Where the filesystem begins, in bytes: where every partitioning program lets it. */
export const FILESYSTEM_AT: number = 2 ** 20;

/** LBA size that the table is written for. */
const SECTOR = 512;
/** UEFI 2.10, 5.3.2: room for 128 entries of 128 bytes each. */
const ENTRIES = 128;
const ENTRY_BYTES = 128;
const ENTRIES_SECTORS = (ENTRIES * ENTRY_BYTES) / SECTOR;

/** "Linux root (x86-64)", of The Discoverable Partitions Specification. */
const ROOT_X86_64 = '4f68bce3-e8cd-4db1-96e7-fbcaf984b709';
const DISK_GUID = '5e1f0000-0000-4000-8000-000000000001';

/**
 * Writes the image.
 * @param asRoot Words to put before the program that reads the directory, for one who may read it.
 * @throws {Error} as `tool`, and when the file cannot be written.
 */
export async function makeDisk(disk: Disk, asRoot: readonly string[] = []): Promise<void> {
  const sectors = (disk.sizeMiB * 2 ** 20) / SECTOR;
  const file = openSync(disk.file, 'w');
  try {
    ftruncateSync(file, sectors * SECTOR);
    for (const { at, bytes } of tables(disk, sectors)) writeSync(file, bytes, 0, null, at * SECTOR);
  } finally {
    closeSync(file);
  }
  const kib = (partitionEnd(sectors) + 1 - FILESYSTEM_AT / SECTOR) / 2;
  const offset = ['-E', `offset=${FILESYSTEM_AT},root_owner=0:0`];
  const names = ['-L', disk.label, '-U', disk.uuid];
  const [program = '', ...args] = [...asRoot, '/usr/sbin/mke2fs', '-q', '-t', 'ext4'];
  await tool(program, [...args, ...offset, ...names, '-d', disk.directory, disk.file, `${kib}k`]);
}

/** The last sector of the partition: whole MiB before what ends the disk. */
function partitionEnd(sectors: number): number {
  return sectors - FILESYSTEM_AT / SECTOR - 1;
}

type Piece = { readonly at: number; readonly bytes: Uint8Array };

/** Protective MBR, header and entries at the start, entries and header at the end. */
function tables(disk: Disk, sectors: number): readonly Piece[] {
  const entries = partitionEntries(disk, sectors);
  const last = sectors - 1;
  const [front, back] = [2, last - ENTRIES_SECTORS];
  const header = (at: number, other: number, entriesAt: number): Uint8Array =>
    gptHeader({ at, other, entriesAt, sectors, sum: crc32(entries) });
  return [
    { at: 0, bytes: protectiveMbr(sectors) },
    { at: 1, bytes: header(1, last, front) },
    { at: front, bytes: entries },
    { at: back, bytes: entries },
    { at: last, bytes: header(last, 1, back) },
  ];
}

/** UEFI 2.10, 5.2.3: one partition of type 0xEE over the whole disk. */
function protectiveMbr(sectors: number): Uint8Array {
  const mbr = Buffer.alloc(SECTOR);
  mbr.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff], 446);
  mbr.writeUInt32LE(1, 454);
  mbr.writeUInt32LE(Math.min(sectors - 1, 0xffffffff), 458);
  mbr.set([0x55, 0xaa], 510);
  return mbr;
}

type Header = {
  readonly at: number;
  readonly other: number;
  readonly entriesAt: number;
  readonly sectors: number;
  readonly sum: number;
};

/** UEFI 2.10, 5.3.2, table 5.5. */
function gptHeader({ at, other, entriesAt, sectors, sum }: Header): Uint8Array {
  const header = Buffer.alloc(SECTOR);
  header.write('EFI PART', 'latin1');
  header.writeUInt32LE(0x00010000, 8);
  header.writeUInt32LE(92, 12);
  header.writeBigUInt64LE(BigInt(at), 24);
  header.writeBigUInt64LE(BigInt(other), 32);
  header.writeBigUInt64LE(BigInt(2 + ENTRIES_SECTORS), 40);
  header.writeBigUInt64LE(BigInt(sectors - 2 - ENTRIES_SECTORS), 48);
  header.set(guid(DISK_GUID), 56);
  header.writeBigUInt64LE(BigInt(entriesAt), 72);
  header.writeUInt32LE(ENTRIES, 80);
  header.writeUInt32LE(ENTRY_BYTES, 84);
  header.writeUInt32LE(sum, 88);
  header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
  return header;
}

/** UEFI 2.10, 5.3.3, table 5.6: the first entry, and room for the others. */
function partitionEntries({ partlabel, partuuid }: Disk, sectors: number): Uint8Array {
  const entries = Buffer.alloc(ENTRIES * ENTRY_BYTES);
  entries.set(guid(ROOT_X86_64), 0);
  entries.set(guid(partuuid), 16);
  entries.writeBigUInt64LE(BigInt(FILESYSTEM_AT / SECTOR), 32);
  entries.writeBigUInt64LE(BigInt(partitionEnd(sectors)), 40);
  entries.write(partlabel, 56, 72, 'utf16le');
  return entries;
}

/** The first three groups are little-endian numbers, the others bytes (UEFI 2.10, appendix A). */
function guid(text: string): Uint8Array {
  const groups = text.split('-').map((group) => Buffer.from(group, 'hex'));
  return Buffer.concat(groups.map((group, index) => (index < 3 ? group.reverse() : group)));
}
