/**
 * What is on a disk: images made by the programs that make such things, where this machine has
 * them, against blkid(8) of util-linux; the rest built from the formats; and hostile bytes.
 */
import { spawnSync } from 'node:child_process';
import { readFileSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodedName } from '../../src/core/block-spec.ts';
import type { ReadAt } from '../../src/core/device-bytes.ts';
import { type Superblock, superblockOf } from '../../src/core/superblock.ts';
import { randomFrom } from './support/random.ts';

const PATH = `${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`;
const UUID = '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9';
const MIB = 2 ** 20;

const readOf = (bytes: Uint8Array): ReadAt => {
  return (offset, length) => bytes.subarray(offset, offset + length);
};
const decode = (bytes: Uint8Array): Superblock | null => superblockOf(readOf(bytes), bytes.length);

function run(program: string, args: readonly string[]) {
  return spawnSync(program, args, { env: { ...process.env, PATH }, encoding: 'utf8' });
}

/** What this machine lacks of `programs`. */
function lacks(...programs: readonly string[]): string | false {
  const missing = programs.filter((program) => run('which', [program]).status !== 0);
  return missing.length > 0 && `this machine has no ${missing.join(', ')}`;
}

type Maker = {
  readonly title: string;
  /** The image is put in place of FILE, a directory of files in place of TREE. */
  readonly command: readonly string[];
  readonly mib?: number;
  /** Whether blkid(8) says a label and we do not, as the docstring tells. */
  readonly isLabelUnread?: boolean;
};

const ext = (type: string, ...more: readonly string[]) => {
  return ['mke2fs', '-q', '-F', '-t', type, '-L', 'a label', '-U', UUID, ...more, 'FILE'];
};

const MAKERS: readonly Maker[] = [
  { title: 'ext2', command: ext('ext2') },
  { title: 'ext3', command: ext('ext3') },
  { title: 'ext4', command: ext('ext4') },
  { title: 'ext4 without a journal', command: ext('ext4', '-O', '^has_journal') },
  { title: 'ext4 of the longest label', command: ext('ext4', '-L', 'äöüß567890ab') },
  { title: 'a journal of ext4', command: ['mke2fs', '-q', '-F', '-O', 'journal_dev', 'FILE'] },
  { title: 'swap', command: ['mkswap', '-L', 'a label', '-U', UUID, 'FILE'] },
  { title: 'swap of 64K pages', command: ['mkswap', '-p', '65536', '-U', UUID, 'FILE'] },
  { title: 'FAT12', command: ['mkfs.fat', '-n', 'A LABEL', '-i', '1a2b3c4d', 'FILE'], mib: 2 },
  { title: 'FAT16', command: ['mkfs.fat', '-F', '16', '-n', 'A LABEL', 'FILE'], mib: 20 },
  { title: 'FAT32', command: ['mkfs.fat', '-F', '32', '-n', 'A LABEL', 'FILE'], mib: 40 },
  { title: 'FAT of 4K sectors', command: ['mkfs.fat', '-S', '4096', '-n', 'X', 'FILE'], mib: 64 },
  { title: 'FAT without a label', command: ['mkfs.fat', 'FILE'], mib: 2 },
  { title: 'exFAT', command: ['mkfs.exfat', '-L', 'ein Ü', 'FILE'], mib: 8 },
  { title: 'NTFS', command: ['mkfs.ntfs', '-Q', '-F', '-L', 'x', 'FILE'], isLabelUnread: true },
  {
    title: 'XFS',
    command: ['mkfs.xfs', '-q', '-L', 'a label', '-m', `uuid=${UUID}`, 'FILE'],
    mib: 300,
  },
  { title: 'btrfs', command: ['mkfs.btrfs', '-q', '-L', 'a label', '-U', UUID, 'FILE'], mib: 120 },
  { title: 'f2fs', command: ['mkfs.f2fs', '-q', '-l', 'ein Ü', 'FILE'], mib: 64 },
  { title: 'squashfs', command: ['mksquashfs', 'TREE', 'FILE', '-quiet', '-noappend'] },
  { title: 'EROFS', command: ['mkfs.erofs', '-U', UUID, 'FILE', 'TREE'] },
  { title: 'ISO 9660', command: ['genisoimage', '-quiet', '-V', 'A LABEL', '-o', 'FILE', 'TREE'] },
  {
    title: 'LUKS1',
    command: ['cryptsetup', 'luksFormat', '-q', '--type', 'luks1', '--uuid', UUID, ...luks()],
  },
  {
    title: 'LUKS2',
    command: ['cryptsetup', 'luksFormat', '-q', '--label', 'a label', '--uuid', UUID, ...luks()],
    mib: 20,
  },
];

function luks(): readonly string[] {
  const cheap = ['--pbkdf', 'pbkdf2', '--pbkdf-force-iterations', '1000'];
  return [...cheap, 'FILE', '/etc/hostname'];
}

for (const { title, command, mib, isLabelUnread } of MAKERS) {
  const [program = '', ...args] = command;
  t.test(title, { skip: lacks(program, 'blkid') }, async (t) => {
    const directory = t.testdir({ tree: { hello: 'world\n' } });
    const file = join(directory, 'image');
    writeFileSync(file, '');
    truncateSync(file, (mib ?? 16) * MIB);
    const places: Record<string, string> = { FILE: file, TREE: join(directory, 'tree') };
    const made = run(
      program,
      args.map((word) => places[word] ?? word),
    );
    t.equal(made.status, 0, made.stderr);
    const { stdout } = run('blkid', ['-p', '-o', 'udev', file]);
    const theirs = Object.fromEntries(
      stdout.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)];
      }),
    );
    const ours = decode(readFileSync(file));
    t.equal(ours?.type, theirs['ID_FS_TYPE'], 'the same type');
    t.equal(ours?.uuid ?? undefined, theirs['ID_FS_UUID'], 'the same UUID');
    if (isLabelUnread === true) return;
    const label = ours?.label ?? null;
    const encoded = label === null ? undefined : encodedName(label);
    t.equal(encoded, theirs['ID_FS_LABEL_ENC'], 'the same label, and encoded as for udev');
  });
}

/** An image of `size` bytes with these bytes at these places. */
function image(
  size: number,
  ...parts: readonly (readonly [number, string | Uint8Array | readonly number[]])[]
) {
  const bytes = new Uint8Array(size);
  for (const [at, part] of parts) bytes.set(Buffer.from(part as string, 'latin1'), at);
  return bytes;
}

const le = (bytes: number, value: number): Uint8Array => {
  return Uint8Array.from({ length: bytes }, (_, i) => Math.floor(value / 256 ** i) % 256);
};
const id = Uint8Array.from(Buffer.from(UUID.replaceAll('-', ''), 'hex'));

/** md 1.x with its superblock at `at`, as include/uapi/linux/raid/md_p.h has it. */
function md(size: number, at: number): Uint8Array {
  const magic = le(4, 0xa92b4efc);
  return image(
    size,
    [at, magic],
    [at + 4, le(4, 1)],
    [at + 16, id],
    [at + 32, 'host:0'],
    [at + 128, le(8, at / 512)],
  );
}

t.test('members of arrays are no file systems, whatever they look like', async (t) => {
  const size = MIB + 3 * 512;
  for (const at of [0, 4096, MIB - 8192]) {
    const bytes = md(size, at);
    // A mirror with its superblock at the end begins with the file system of the array.
    if (at !== 0 && at !== 4096) bytes.set(xfs(), 0);
    t.match(
      decode(bytes),
      { usage: 'member', type: 'linux_raid_member', uuid: UUID, label: 'host:0' },
      `at ${at}`,
    );
  }
  const moved = md(size, 4096);
  moved.set(le(8, 9), 4096 + 128);
  t.equal(decode(moved), null, 'one that says it lies elsewhere is left over');
  const zero = image(
    MIB,
    [MIB - 65536, le(4, 0xa92b4efc)],
    ...[0x0a1b2c3d, 0x4e5f4071, 0x8293a4b5, 0xc6d7e8f9].map((word, i) => {
      return [MIB - 65536 + (i === 0 ? 20 : 48 + 4 * i), le(4, word)] as const;
    }),
  );
  t.match(decode(zero), { type: 'linux_raid_member', uuid: UUID }, 'version 0.90');
});

t.test('a physical volume of LVM', async (t) => {
  const digits = 'abcdefGHIJ0123456789klmnopqrstuv';
  const bytes = image(
    MIB,
    [512, 'LABELONE'],
    [520, le(8, 1)],
    [532, le(4, 32)],
    [536, 'LVM2 001'],
    [544, digits],
  );
  const uuid = 'abcdef-GHIJ-0123-4567-89kl-mnop-qrstuv';
  t.match(decode(bytes), { usage: 'member', type: 'LVM2_member', uuid });
  bytes.set(le(8, 0), 520);
  t.equal(decode(bytes), null, 'the label of another sector');
});

const xfs = (): Uint8Array =>
  image(512, [0, 'XFSB'], [4, Uint8Array.of(0, 0, 16, 0)], [32, id], [108, 'twelve bytes']);
const f2fs = (): Uint8Array => image(2048, [0, le(4, 0xf2f52010)], [108, id], [124, 'ä\0b\0']);

t.test('built from the formats', async (t) => {
  const at = (offset: number, part: Uint8Array): Uint8Array => image(MIB, [offset, part]);
  t.match(decode(at(0, xfs())), { type: 'xfs', uuid: UUID, label: 'twelve bytes' });
  t.match(decode(at(1024, f2fs())), { type: 'f2fs', uuid: UUID, label: 'äb' });
  const btrfs = image(4096, [0x20, id], [0x30, le(8, 65536)], [0x40, '_BHRfS_M'], [0x12b, 'b']);
  t.match(decode(at(65536, btrfs)), { type: 'btrfs', uuid: UUID, label: 'b' });
  const squashfs = image(96, [0, 'hsqs'], [28, le(2, 4)]);
  t.match(decode(at(0, squashfs)), { type: 'squashfs', uuid: null, label: null });
  const erofs = image(128, [0, le(4, 0xe0f5e1e2)], [48, id], [64, 'e']);
  t.match(decode(at(1024, erofs)), { type: 'erofs', uuid: UUID, label: 'e' });
  const luks2 = image(4096, [0, 'LUKS\xba\xbe\0\x02'], [24, 'l'], [168, UUID]);
  t.match(decode(at(0, luks2)), { usage: 'crypto', type: 'crypto_LUKS', uuid: UUID, label: 'l' });
  const asleep = image(MIB, [1024, le(4, 1)], [1036, id], [4086, 'S1SUSPEND']);
  t.match(decode(asleep), { usage: 'swap', type: 'swsuspend', uuid: UUID });
});

/** FAT16 of 512-byte sectors: one reserved, two tables of one, and a root of sixteen entries. */
function fat(bootLabel: string, ...entries: readonly (readonly [string, number])[]): Uint8Array {
  return image(
    MIB,
    [11, [le(2, 512), le(1, 1), le(2, 1), le(1, 2), le(2, 16)].flatMap((part) => [...part])],
    [21, le(1, 0xf8)],
    [22, le(2, 1)],
    [39, le(4, 0x1a2b3c4d)],
    [43, bootLabel.padEnd(11)],
    [54, 'FAT16   '],
    [510, le(2, 0xaa55)],
    ...entries.flatMap(([name, attributes], i) => {
      const at = 3 * 512 + 32 * i;
      return [[at, name.padEnd(11)] as const, [at + 11, le(1, attributes)] as const];
    }),
  );
}

t.test('the label of a FAT is that of its root directory', async (t) => {
  const uuid = '1A2B-3C4D';
  const files = [
    ['long name', 0x0f],
    ['\xe5eleted', 0x08],
    ['A FILE', 0x20],
  ] as const;
  t.match(decode(fat('OLD', ...files, ['NEW', 0x08])), { type: 'vfat', uuid, label: 'NEW' });
  t.match(decode(fat('OLD', ...files)), { label: 'OLD' }, 'where it has one');
  t.match(decode(fat('NO NAME')), { type: 'vfat', label: null });
  const table = fat('OLD');
  table.fill(0, 54, 62);
  t.equal(decode(table), null, 'a boot sector without its name is no FAT');
});

t.test('two at once are nothing', async (t) => {
  const both = image(MIB, [0, xfs()], [1024, f2fs()]);
  t.equal(decode(both), null, 'the one may be left over, and so may the other');
  const iso = image(MIB, [0, xfs()], [32768, '\x01CD001']);
  t.match(decode(iso), { type: 'xfs' }, 'but for an image that is also a disc');
  t.equal(decode(new Uint8Array(MIB)), null, 'nothing is nothing');
});

t.test('what cannot be read', async (t) => {
  const fail: ReadAt = () => {
    throw new Error('EIO');
  };
  t.throws(() => superblockOf(fail, MIB), { message: 'EIO' }, 'is told to whoever reads');
});

t.test('hostile and short', async (t) => {
  const marks = [
    ...['XFSB', 'hsqs', 'LUKS\xba\xbe\0\x02', 'EXFAT   ', 'NTFS    ', 'FAT32   ', 'LABELONE'],
    ...['LVM2 001', '_BHRfS_M', 'SWAPSPACE2', '\x01CD001', 'FAT16   ', '\x55\xaa', '\x53\xef'],
  ];
  const places = [0, 3, 8, 24, 0x36, 0x52, 510, 512, 1024, 1080, 4086, 4096, 32768, 65536, 65600];
  const seed = Number(process.env['SVINIT_SEED'] ?? 1);
  const random = randomFrom(seed);
  for (let life = 0; life < 3000; life++) {
    const size = random.below(random.pick([64, 1100, 5000, 140_000]));
    const bytes = new Uint8Array(size).fill(random.pick([0, 0xff, 0x41]));
    for (let i = 0; i < 40 && size > 0; i++) bytes[random.below(size)] = random.below(256);
    for (const mark of marks) {
      const at = random.pick(places);
      if (random.chance(0.2) && at + mark.length <= size)
        bytes.set(Buffer.from(mark, 'latin1'), at);
    }
    let asked = 0;
    const found = superblockOf((offset, length) => {
      asked += length;
      if (!Number.isSafeInteger(offset) || offset < 0) throw new Error(`offset ${offset}`);
      return bytes.subarray(offset, offset + length);
    }, size);
    if (asked > MIB) t.fail(`seed ${seed}, life ${life}: asks for ${asked} bytes`);
    if (found !== null && found.type === '') t.fail(`seed ${seed}, life ${life}: no type`);
  }
  t.pass('none of 3000 images makes it throw or read without end');
});
