/**
 * Partition tables: those that sfdisk(8) makes, where this machine has it, against what it says of
 * them; built ones, broken ones, and chains that have no end.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import t from 'tap';
import * as bytes from '../../src/core/device-bytes.ts';
import { type PartitionTable, partitionTable } from '../../src/core/partitions.ts';
import { randomFrom } from './support/random.ts';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const MIB = 2 ** 20;

const tableOf = (disk: Uint8Array, sector = 512): PartitionTable | null => {
  const read = (offset: number, length: number) => disk.subarray(offset, offset + length);
  return partitionTable(read, { size: disk.length, sector });
};

const SCRIPTS: Readonly<Record<string, string>> = {
  gpt: `label: gpt
size=2MiB, name="first one", uuid=5A11000A-0000-4000-8000-0000000000AB
start=8MiB, size=1MiB, name="ümlaut"
`,
  'gpt with a gap': 'label: gpt\n/dev/x3: size=1MiB, name=third\n',
  dos: `label: dos
label-id: 0x1A2B3C4D
size=2MiB, type=83
size=1MiB, type=82
size=10MiB, type=5
size=1MiB, type=83
size=2MiB, type=83
size=1MiB, type=83
`,
  'dos without a fourth': 'label: dos\nlabel-id: 0x00000001\n/dev/x3: size=1MiB, type=c\n',
};

const hasSfdisk = spawnSync('which', ['sfdisk'], { env: { PATH } }).status === 0;

for (const [title, script] of Object.entries(SCRIPTS)) {
  t.test(title, { skip: hasSfdisk ? false : 'this machine has no sfdisk' }, async (t) => {
    const file = join(t.testdir({}), 'disk');
    writeFileSync(file, '');
    truncateSync(file, 20 * MIB);
    const options = { env: { ...process.env, PATH }, encoding: 'utf8' } as const;
    const made = spawnSync('sfdisk', ['-q', file], { ...options, input: script });
    t.equal(made.status, 0, made.stderr);
    const { stdout } = spawnSync('sfdisk', ['--json', file], options);
    type Theirs = { node: string; start: number; size: number; uuid?: string; name?: string };
    const { id, partitions } = JSON.parse(stdout).partitiontable as {
      id: string;
      partitions: readonly Theirs[];
    };
    const expected = partitions.map(({ node, start, size, uuid, name }) => {
      const number = Number(node.slice(file.length));
      const disk = id.slice(2).padStart(8, '0').toLowerCase();
      const partuuid = uuid?.toLowerCase() ?? `${disk}-${number.toString(16).padStart(2, '0')}`;
      return { number, start: start * 512, size: size * 512, uuid: partuuid, label: name ?? null };
    });
    t.ok(expected.length > 0);
    t.same(tableOf(readFileSync(file))?.partitions, expected);
  });
}

/** A disk with one GPT partition, and its backup, in sectors of `sector`. */
function gpt(size: number, sector: number, name: string): Uint8Array {
  const disk = new Uint8Array(size);
  const last = size / sector - 1;
  const entries = new Uint8Array(128 * 128);
  const entry = Buffer.from(entries.buffer);
  entry.fill(0x11, 0, 16);
  Buffer.from('78563412341278569abcdef012345678', 'hex').copy(entry, 16);
  entry.writeBigUInt64LE(40n, 32);
  entry.writeBigUInt64LE(47n, 40);
  Buffer.from(name, 'utf16le').copy(entry, 56);
  const put = (at: number, other: number, table: number): void => {
    const header = Buffer.alloc(sector);
    header.write('EFI PART\0\0\x01\0\x5c\0\0\0', 'latin1');
    header.writeBigUInt64LE(BigInt(at), 24);
    header.writeBigUInt64LE(BigInt(other), 32);
    header.writeBigUInt64LE(BigInt(table), 72);
    header.writeUInt32LE(128, 80);
    header.writeUInt32LE(128, 84);
    header.writeUInt32LE(crc32(entries), 88);
    header.writeUInt32LE(crc32(header.subarray(0, 92)), 16);
    disk.set(header, at * sector);
    disk.set(entries, table * sector);
  };
  put(1, last, 2);
  put(last, 1, last - entries.length / sector);
  disk.set([0, 0, 2, 0, 0xee, 0xff, 0xff, 0xff, 1, 0, 0, 0, 0xff, 0xff, 0xff, 0xff], 446);
  disk.set([0x55, 0xaa], 510);
  return disk;
}

function flip(bytes: Uint8Array, at: number): void {
  bytes[at] = (bytes[at] ?? 0) ^ 1;
}

const UUID = '12345678-1234-5678-9abc-def012345678';

t.test('GPT', async (t) => {
  for (const sector of [512, 4096]) {
    const disk = gpt(2 * MIB, sector, 'a name');
    const [start, size] = [40 * sector, 8 * sector];
    const partitions = [{ number: 1, start, size, uuid: UUID, label: 'a name' }];
    t.same(tableOf(disk, sector), { kind: 'gpt', isBackup: false, partitions }, `${sector}`);
    t.equal(tableOf(disk, sector === 512 ? 4096 : 512), null, 'other sectors: another place');
    const broken = disk.slice();
    flip(broken, 2 * sector + 60);
    t.same(tableOf(broken, sector), { kind: 'gpt', isBackup: true, partitions }, 'the backup');
    const other = disk.slice();
    flip(other, sector + 60);
    t.match(tableOf(other, sector), { isBackup: true }, 'the header has a checksum of its own');
    flip(broken, broken.length - sector + 24);
    t.equal(tableOf(broken, sector), null, 'which has a checksum, too');
  }
});

t.test('what protects a GPT', async (t) => {
  const disk = gpt(2 * MIB, 512, 'x');
  disk[450] = 0x83;
  t.match(tableOf(disk), { kind: 'dos' }, 'somebody has written an MBR over it');
  disk[450] = 0xee;
  disk[510] = 0;
  t.equal(tableOf(disk), null, 'or wiped it');
});

t.test('GPT of hostile numbers', async (t) => {
  const resum = (disk: Uint8Array): Uint8Array => {
    const header = Buffer.from(disk.buffer, 512, 512);
    header.writeUInt32LE(0, 16);
    const length = Math.min(header.readUInt32LE(12), 512);
    header.writeUInt32LE(crc32(header.subarray(0, length)), 16);
    return disk;
  };
  for (const [at, value] of [
    [80, 0xffffffff],
    [84, 0xffffff80],
    [84, 0],
    [84, 129],
    [12, 0],
    [12, 0xffffffff],
    [76, 0xffffffff],
  ] as const) {
    const disk = gpt(2 * MIB, 512, 'x').slice(0, MIB);
    Buffer.from(disk.buffer).writeUInt32LE(value, 512 + at);
    t.equal(tableOf(resum(disk)), null, `${value} at ${at}`);
  }
});

/** The boot record with partitions of [kind, first sector, sectors]. */
function mbr(...slots: readonly (readonly [number, number, number])[]): Buffer {
  const sector = Buffer.alloc(512);
  slots.forEach(([kind, start, size], i) => {
    sector[446 + 16 * i + 4] = kind;
    sector.writeUInt32LE(start, 446 + 16 * i + 8);
    sector.writeUInt32LE(size, 446 + 16 * i + 12);
  });
  sector.writeUInt16LE(0xaa55, 510);
  return sector;
}

t.test('MBR', async (t) => {
  const disk = new Uint8Array(MIB);
  const main = mbr([0x83, 8, 8], [0, 0, 0], [0x0f, 100, 500]);
  main.writeUInt32LE(0xdeadbeef, 440);
  disk.set(main, 0);
  disk.set(mbr([0x83, 1, 2], [0x05, 50, 10]), 100 * 512);
  disk.set(mbr([0x83, 1, 3]), 150 * 512);
  const named = (n: number) => `deadbeef-${String(n).padStart(2, '0')}`;
  const row = (number: number, start: number, size: number) => {
    return { number, start: start * 512, size: size * 512, uuid: named(number), label: null };
  };
  const expected = [row(1, 8, 8), row(3, 100, 500), row(5, 101, 2), row(6, 151, 3)];
  t.same(tableOf(disk)?.partitions, expected);
  disk.set(mbr([0x83, 1, 3], [0x05, 0, 10]), 150 * 512);
  t.same(tableOf(disk)?.partitions, expected, 'a chain that bites its tail ends there');
  disk[446] = 0x77;
  t.equal(tableOf(disk), null, 'code of a boot sector is no table');
  t.equal(tableOf(mbr()), null, 'an empty one is none');
  disk.set(mbr([0x83, 8, 8]), 0);
  t.match(tableOf(disk)?.partitions, [{ uuid: null }], 'without a signature there is no PARTUUID');
});

t.test('hostile and short', async (t) => {
  const seed = Number(process.env['SVINIT_SEED'] ?? 1);
  const random = randomFrom(seed);
  const models = [gpt(MIB, 512, 'x'), new Uint8Array(mbr([0x05, 0, 9], [0x83, 1, 1]))];
  for (let life = 0; life < 1000; life++) {
    const disk = random.pick(models).slice(0, random.chance(0.5) ? MIB : random.below(2000));
    for (let i = 0; i < random.below(8) && disk.length > 0; i++) {
      disk[random.below(Math.min(disk.length, 1100))] = random.below(256);
    }
    if (disk.length > 512) disk.set([0x55, 0xaa], 510);
    const found = tableOf(disk, random.pick([512, 4096]));
    const wrong = found?.partitions.some(({ number }) => !(number >= 1 && number <= 8192));
    if (wrong === true) t.fail(`seed ${seed}, life ${life}: ${JSON.stringify(found)}`);
  }
  t.pass('none of 1000 disks makes it throw or read without end');
});

t.test('numbers and texts at the end of a block', async (t) => {
  const four = Uint8Array.of(1, 2, 3, 4);
  t.same([bytes.u16(four, 3), bytes.u32(four, 2), bytes.u64(four, 0)], [4, 0x403, 0x4030201]);
  t.same([bytes.u16be(four, 0), bytes.u32be(four, 0)], [0x102, 0x1020304]);
  t.equal(bytes.crc32(Buffer.from('123456789')), 0xcbf43926, 'the check value of CRC-32');
  t.equal(bytes.labelAt(Buffer.from('ab  \0xx'), 0, 7), 'ab');
  t.equal(bytes.labelAt(Uint8Array.of(0xff, 0x41), 0, 2), '\ufffdA');
  t.equal(
    bytes.wholeAt(() => four, 0, 5),
    null,
  );
  t.equal(
    bytes.wholeAt(() => four, 2 ** 53, 4),
    null,
  );
});
