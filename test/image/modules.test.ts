/**
 * The archive of modules: the same bytes whenever it is made, with all that its modules need; and
 * what svmod would load is what kmod's modprobe would, which only tells and loads nothing.
 */
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { resolve as absolute, dirname, join } from 'node:path';
import { zstdDecompressSync } from 'node:zlib';
import { execa, execaSync } from 'execa';
import t, { type Test } from 'tap';
import { joined } from '../../scripts/cpio.ts';
import { modulesArchive, noModules } from '../../scripts/modules.ts';
import { readIndex } from '../../src/boot/modules.ts';
import { type ModuleIndex, resolve } from '../../src/core/modules.ts';
import { parseAliases, parseDep } from '../../src/core/modules-text.ts';

const WANTED = [
  ...['virtio_blk', 'virtio_scsi', 'virtio_net', 'virtio_pci', 'sd_mod', 'ata_piix', 'loop'],
  ...['overlay', 'vfat', 'nls_cp437', 'nls_ascii', 'softdog', 'virtiofs', 'squashfs', 'isofs'],
];

const CONFIG = `blacklist virtio_scsi
blacklist scsi_mod
alias disk virtio-blk
options virtio_net napi_tx=1 csum=0
options disk queue_depth=2
softdep vfat pre: nls_ascii nosuch post: nls-cp437
install squashfs /bin/false
`;

const QUIET = {
  reject: false,
  env: { PATH: `${process.env['PATH']}:/usr/sbin:/sbin` },
} as const;

/** Programs of kmod: busybox' of the same names know less. */
const hasKmod = /^kmod version/.test(String(execaSync('depmod', ['-V'], QUIET).stdout));

t.test('the archive of modules', { skip: noModules() ?? false }, async (t) => {
  const archive = modulesArchive();
  t.ok(Buffer.from(archive).equals(modulesArchive()), 'is the same, made twice');
  mkdirSync('build/test', { recursive: true });
  const directory = absolute(mkdtempSync('build/test/modules-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  await execa(absolute('build/busybox/busybox'), ['cpio', '-id'], {
    cwd: directory,
    input: zstdDecompressSync(archive),
  });
  const [version = ''] = readdirSync(join(directory, 'usr/lib/modules'));
  const modules = join(directory, 'usr/lib/modules', version);
  const config = join(directory, 'conf/modprobe.d');
  mkdirSync(config, { recursive: true });
  writeFileSync(join(config, 'test.conf'), CONFIG);
  const places = { modules, config: [dirname(config)], devices: '', loaded: '' };
  const index = readIndex(places, []);

  for (const name of WANTED) t.ok(index.files.has(name), `${name} is in it`);
  for (const [name, { needs }] of index.files) {
    const early = needs.filter((need, i) => {
      const before = new Set(needs.slice(0, i));
      return index.files.get(need)?.needs.every((other) => before.has(other)) !== true;
    });
    t.same(early, [], `${name} has what it needs, in order`);
  }
  const skip = hasKmod ? false : 'kmod is not here to compare with';
  await t.test('is indexed as by depmod(8)', { skip }, async (t) => {
    const ours = indexFiles(modules);
    await execa('depmod', ['-b', join(directory, 'usr'), version], QUIET);
    t.same(indexFiles(modules), ours);
  });
  await t.test('is resolved as by modprobe(8)', { skip }, (t) =>
    compared(t, modules, readIndex(places, []), [
      '-C',
      config,
      '-d',
      join(directory, 'usr'),
      '-S',
      version,
    ]),
  );
});

t.test('joined() puts archives where the kernel looks for them', async (t) => {
  const both = joined(Buffer.from('abcde'), Buffer.from('fg'));
  t.equal(Buffer.from(both).toString(), 'abcde\0\0\0fg\0\0');
});

/** What the files of an index say, whatever the order of the lines. */
function indexFiles(modules: string): object {
  const text = (name: string): string => readFileSync(join(modules, name), 'utf8');
  const sorted = (name: string): readonly string[] =>
    text(name)
      .split('\n')
      .filter((line) => line !== '' && !line.startsWith('#'))
      .sort();
  return {
    // What does not need each other may come in any order.
    dep: [...parseDep(text('modules.dep'))]
      .map(([name, { path, needs }]) => [name, path, ...[...needs].sort()].join(' '))
      .sort(),
    alias: sorted('modules.alias'),
    softdep: sorted('modules.softdep'),
  };
}

/** For every module and many devices. @param kmod Arguments that say where modprobe looks. */
async function compared(
  t: Test,
  modules: string,
  index: ModuleIndex,
  kmod: readonly string[],
): Promise<void> {
  const aliases = parseAliases(readFileSync(join(modules, 'modules.alias'), 'utf8'));
  const names = [
    ...index.files.keys(),
    ...aliases.map(({ pattern }) => exampleOf(pattern)),
    ...['virtio:d00000008v00001AF4', 'disk', 'fs-ext4', 'ext4', 'nosuch', 'virtio:d00000fffv1'],
  ];
  for (const name of names) {
    const { stdout, exitCode } = await execa('modprobe', [...kmod, '-D', name], QUIET);
    const lines = stdout.split('\n').map((line) => line.trim());
    const theirs = lines.filter((line) => line.startsWith('insmod ')).map(plainLine);
    const { loads, known } = resolve(index, name);
    const ours = loads.map(({ path, options }) => plainLine(`insmod /${path} ${options}`));
    t.same([ours, known], [[...new Set(theirs)], exitCode === 0], name);
  }
  t.ok(names.length > 100, 'there was something to compare');
}

/** A device that `pattern` is for. */
function exampleOf(pattern: string): string {
  return pattern
    .replaceAll(/\[([^\]])[^\]]*\]/g, '$1')
    .replaceAll('*', '7')
    .replaceAll('?', 'x');
}

/** `insmod /x/vfat.ko  a=1` as `insmod vfat.ko a=1`. */
function plainLine(line: string): string {
  return line
    .replace(/\/\S*\//, '')
    .replaceAll(/ +/g, ' ')
    .trim();
}
