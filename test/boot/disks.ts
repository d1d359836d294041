/**
 * Disks for machines that tests boot: a small root of busybox, copies to be written to, and what
 * e2fsck(8) says of one afterwards.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import { type Disk, FILESYSTEM_AT, makeDisk } from '../../scripts/disk.ts';
import type { Definition } from './fixtures.ts';

const BUSYBOX = 'build/busybox/busybox';

/** By what the small root is found. */
export const SMALL = {
  label: 'small',
  uuid: '5a11000a-0000-4000-8000-000000000001',
  partlabel: 'small-root',
  partuuid: '5a11000a-0000-4000-8000-0000000000aa',
} as const;

/** What of tap's `t` is needed to remove files with the test. */
type Test = { teardown(end: () => void): void };

export type Root = {
  /** Of the filesystem, if it is to be another than the usual one. */
  readonly uuid?: string;
  /** Service directories in /etc/svinit/services, besides a bundle of the wanted ones. */
  readonly services?: Readonly<Record<string, Definition>>;
  /** More files, by path; what begins with `#!` is executable. */
  readonly files?: Readonly<Record<string, string>>;
};

/** The programs a shell of the small root finds. */
const APPLETS =
  'sh ash cat cp cttyhack dd echo grep head id kill ls mkdir mount mv poweroff ps readlink rm ' +
  'setsid sleep stat sync touch true umount uname yes';

/** What gives itself the machine, like any init: a shell on the console. */
const INIT = `#!/bin/sh
export PATH=/bin PS1='own init# '
echo "own init is $$ with $# words: $*"
exec setsid cttyhack sh
`;

/** A directory of the test under build/test, removed with it. */
export function directoryFor(t: Test): string {
  mkdirSync('build/test', { recursive: true });
  const directory = mkdtempSync('build/test/disks-');
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

/** The image of a disk with a small root: 48 MiB, of which a few are there. */
export async function smallDisk(directory: string, name: string, root: Root = {}): Promise<Disk> {
  const content = join(directory, `${name}.d`);
  for (const path of ['dev', 'proc', 'sys', 'run', 'tmp', 'mnt', 'bin', 'sbin', 'var', 'root']) {
    mkdirSync(join(content, path), { recursive: true, mode: 0o755 });
  }
  await execa('cp', [BUSYBOX, join(content, 'bin/busybox')]);
  for (const applet of APPLETS.split(' ')) symlinkSync('busybox', join(content, 'bin', applet));
  for (const [path, text] of Object.entries({ '/sbin/init': INIT, ...root.files })) {
    put(join(content, path), text);
  }
  for (const [service, files] of Object.entries(root.services ?? {})) {
    const at = join(content, 'etc/svinit/services', service);
    for (const [file, text] of Object.entries(files)) {
      put(join(at, file), typeof text === 'string' ? text : text.notExecutable);
    }
  }
  const file = join(directory, `${name}.img`);
  const uuid = root.uuid ?? SMALL.uuid;
  const disk = { ...SMALL, uuid, file, sizeMiB: 48, directory: content };
  // Whoever runs the test is root in there, and so owns what the directory holds.
  await makeDisk(disk, process.getuid?.() === 0 ? [] : ['unshare', '--map-root-user']);
  return disk;
}

function put(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true, mode: 0o755 });
  writeFileSync(path, text);
  chmodSync(path, text.startsWith('#!') ? 0o755 : 0o644);
}

/** A copy that a machine may write to; it takes no more room than the original. */
export async function copyOf(file: string, directory: string, name: string): Promise<string> {
  const copy = join(directory, name);
  await execa('cp', ['--sparse=always', '--reflink=auto', file, copy]);
  return copy;
}

/** What is wrong with the filesystem on the disk; nothing: it is clean, and not in use. */
export async function faultsOn(file: string): Promise<string> {
  const at = `${file}?offset=${FILESYSTEM_AT}`;
  // Without -n a journal would be replayed first, and what is checked be another filesystem.
  const { exitCode, all } = await execa('/usr/sbin/e2fsck', ['-f', '-n', at], CHECK);
  const { stdout } = await execa('/usr/sbin/dumpe2fs', ['-h', at], CHECK);
  const unclean = /^Filesystem (?:state|features): .*(?:not clean|needs_recovery|errors).*$/m;
  const dirty = unclean.exec(stdout)?.[0] ?? '';
  return exitCode === 0 && dirty === '' ? '' : `${dirty}\n${all}`;
}

const CHECK = { all: true, reject: false } as const;
