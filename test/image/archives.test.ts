/**
 * The archive writers, read back by the programs that define the formats: GNU tar, and busybox cpio
 * as unpacker.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { cpio } from '../../scripts/cpio.ts';
import { type Entry, parentsOf, sorted } from '../../scripts/entries.ts';
import { parseManifest } from '../../scripts/rootfs.ts';
import { tar } from '../../scripts/tar.ts';

const entries: readonly Entry[] = [
  { type: 'file', path: 'a-b', mode: 0o755, content: Buffer.from('five.') },
  { type: 'directory', path: 'a', mode: 0o700 },
  { type: 'file', path: 'a/empty', mode: 0o600, content: Buffer.alloc(0) },
  { type: 'link', path: 'a/link', mode: 0o777, target: '../a-b' },
  { type: 'node', path: 'a/null', mode: 0o666, device: 'character', major: 1, minor: 3 },
];
/** The fields of a newc header in order, 8 hexadecimal digits each after the magic number. */
const FIELDS = [
  'ino',
  'mode',
  'uid',
  'gid',
  'nlink',
  'mtime',
  'filesize',
  'devmajor',
  'devminor',
  'rdevmajor',
  'rdevminor',
  'namesize',
];

const TIME = 1_700_000_000;

t.test('cpio()', async (t) => {
  const archive = Buffer.from(cpio(entries, TIME));
  t.equal(archive.length % 4, 0, 'can be followed by another archive');
  t.same(namesOf(archive), ['a', 'a-b', 'a/empty', 'a/link', 'a/null', 'TRAILER!!!'], 'sorted');
  t.same(
    archive,
    Buffer.from(cpio([...entries].reverse(), TIME)),
    'whatever the order they came in',
  );
  t.equal(field(archive, 'a/null', 'mode'), 0o020666, 'a character device');
  t.equal(field(archive, 'a/null', 'rdevmajor'), 1);
  t.equal(field(archive, 'a/null', 'rdevminor'), 3);
  t.equal(field(archive, 'a/link', 'mode'), 0o120777, 'a link');
  t.equal(field(archive, 'a-b', 'filesize'), 5);
  t.equal(field(archive, 'a-b', 'mtime'), TIME, 'one time for all');
  const inodes = ['a', 'a-b', 'a/empty', 'a/link', 'a/null'].map((p) => field(archive, p, 'ino'));
  t.same(inodes, [1, 2, 3, 4, 5], 'inodes are numbered anew');
});

t.test('tar() is what tar(1) reads', async (t) => {
  mkdirSync('build/test', { recursive: true });
  const directory = mkdtempSync('build/test/tar-');
  t.teardown(() => rmSync(directory, { recursive: true }));
  const file = join(directory, 'root.tar');
  writeFileSync(file, tar(entries, TIME));
  const { stdout } = await execa('tar', ['-tvf', file, '--numeric-owner', '--utc'], {
    env: { LC_ALL: 'C' },
  });
  t.same(
    stdout.split('\n').map((line) => line.replace(/ +/g, ' ')),
    [
      'drwx------ 0/0 0 2023-11-14 22:13 a/',
      '-rwxr-xr-x 0/0 5 2023-11-14 22:13 a-b',
      '-rw------- 0/0 0 2023-11-14 22:13 a/empty',
      'lrwxrwxrwx 0/0 0 2023-11-14 22:13 a/link -> ../a-b',
    ],
  );
  await execa('tar', ['-xf', file, '-C', directory]);
  t.equal(readFileSync(join(directory, 'a/link'), 'utf8'), 'five.', 'contents and links');
  t.equal(statSync(join(directory, 'a-b')).mode & 0o777, 0o755, 'modes');
  t.throws(() => tar([{ type: 'directory', path: 'x'.repeat(101), mode: 0o755 }], 0), TypeError);
});

t.test('sorted() and parentsOf()', async (t) => {
  const file = (path: string, mode: number): Entry => ({
    type: 'file',
    path,
    mode,
    content: Buffer.alloc(0),
  });
  t.same(
    sorted([file('x', 1), file('x', 2)]).map(({ mode }) => mode),
    [2],
    'the later one counts',
  );
  t.same(
    parentsOf([file('usr/lib/x/y', 1), file('usr', 1)])
      .map(({ path }) => path)
      .sort(),
    ['usr/lib', 'usr/lib/x'],
  );
});

t.test('parseManifest()', async (t) => {
  t.same(
    parseManifest('# note\n\ndir /tmp 1777 0 0\nslink /a b 777 0 0\nnod /dev/x 600 0 5 c 5 1\n'),
    [
      { type: 'directory', path: 'tmp', mode: 0o1777, uid: 0, gid: 0 },
      { type: 'link', path: 'a', mode: 0o777, uid: 0, gid: 0, target: 'b' },
      {
        type: 'node',
        path: 'dev/x',
        mode: 0o600,
        uid: 0,
        gid: 5,
        device: 'character',
        major: 5,
        minor: 1,
      },
    ],
  );
  for (const line of [
    'dir tmp 755 0 0',
    'dir /tmp 755 0',
    'nod /x 600 0 0 p 1 1',
    'pipe /x 600 0 0',
  ]) {
    t.throws(() => parseManifest(line), { message: `Cannot read line 1 of the manifest: ${line}` });
  }
});

function members(archive: Buffer): ReadonlyMap<string, readonly number[]> {
  const found = new Map<string, readonly number[]>();
  const align = (n: number): number => (n + 3) & ~3;
  for (let at = 0; at < archive.length; ) {
    if (archive.toString('latin1', at, at + 6) !== '070701') throw new Error(`No header at ${at}`);
    const numbers = FIELDS.map((_, i) =>
      Number.parseInt(archive.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16),
    );
    const [size = 0, nameSize = 0] = [numbers[6], numbers[11]];
    found.set(archive.toString('utf8', at + 110, at + 109 + nameSize), numbers);
    at = align(at + 110 + nameSize) + align(size);
  }
  return found;
}

function namesOf(archive: Buffer): readonly string[] {
  return [...members(archive).keys()];
}

function field(archive: Buffer, path: string, name: string): number | undefined {
  return members(archive).get(path)?.[FIELDS.indexOf(name)];
}
