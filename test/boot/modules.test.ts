/**
 * A machine whose disks are all behind drivers that are modules: the service `modules` finds them
 * by what the devices say of themselves, on virtio-blk, virtio-scsi and IDE, with one initramfs.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, serviceFiles } from './fixtures.ts';
import { type Machine, start } from './machine.ts';
import { noModules } from './modules.ts';

/** What each disk is for QEMU, and where its device is in the end. */
const DISKS = [
  { name: 'blk', device: 'virtio-blk-pci', behind: [], path: /\/virtio\d\/block\/vda$/ },
  {
    name: 'scsi',
    device: 'scsi-hd',
    behind: ['virtio-scsi-pci,id=hba'],
    path: /\/virtio\d\/host\d\/.*\/block\/sd[ab]$/,
  },
  {
    name: 'ide',
    device: 'ide-hd,bus=piix.0',
    behind: ['piix3-ide,id=piix'],
    path: /\/ata\d\/host\d\/.*\/block\/sd[ab]$/,
  },
] as const;

/** Followed for nothing: its module is there, and is blacklisted. */
const REFUSED = 'virtio_balloon';

const CONFIG = [
  { path: '/etc/modprobe.d', directory: true },
  { path: '/etc/modules-load.d', directory: true },
  {
    path: '/etc/modprobe.d/test.conf',
    content: `blacklist ${REFUSED}\noptions softdog soft_margin=77\n`,
  },
  { path: '/etc/modules-load.d/test.conf', content: '# a watchdog\nsoftdog\n' },
] as const;

mkdirSync('build/test', { recursive: true });

for (const runtime of RUNTIMES) {
  t.test(`modules with ${runtime}`, { skip: noModules ?? false }, async (t) => {
    const directory = mkdtempSync('build/test/disks-');
    t.teardown(() => rmSync(directory, { recursive: true }));
    const m = await start(t, runtime, {
      modules: true,
      extraFiles: [...serviceFiles({ default: bundle('console', 'modules') }), ...CONFIG],
      devices: [...(await disks(directory)), '-device', 'virtio-balloon-pci'],
      append: 'loop.max_loop=3',
    });
    await t.test('the service has found what there is to find', (t) => found(t, m));
    await t.test('every disk can be mounted', (t) => mounted(t, m));
    await t.test('modules by hand', (t) => byHand(t, m));
  });
}

async function found(t: Test, m: Machine): Promise<void> {
  t.match(await m.service('modules'), { state: 'done' });
  const log = await m.sh('svctl logs modules');
  const loaded = await names(m);
  for (const module of ['virtio_blk', 'virtio_scsi', 'ata_piix', 'sd_mod', 'softdog']) {
    t.ok(loaded.includes(module), `${module} is loaded`);
    t.match(log, new RegExp(`\\b${module}\\b`), `${module} is told`);
  }
  t.notOk(loaded.includes(REFUSED), 'what is blacklisted is not');
  t.match(await m.sh('dmesg'), /softdog: .* soft_margin=77 /, 'options are handed on');
  const places = ['scsi_common', 'scsi_mod', 'libata', 'ata_piix'].map((name) => log.indexOf(name));
  t.ok(
    places.every((at, i) => at >= 0 && at > (places[i - 1] ?? -1)),
    'what a module needs came before it',
  );
}

async function mounted(t: Test, m: Machine): Promise<void> {
  const paths = new Map<string, string>();
  for (const device of ['vda', 'sda', 'sdb']) {
    await m.sh(`mount -t ext4 -o ro /dev/${device} /mnt`);
    paths.set(await m.sh('cat /mnt/hello'), await m.sh(`readlink -f /sys/block/${device}`));
    await m.sh('umount /mnt');
  }
  for (const { name, path } of DISKS) t.match(paths.get(`I am ${name}`), path, `${name} is there`);
}

async function byHand(t: Test, m: Machine): Promise<void> {
  const before = await names(m);
  const list = await m.sh('svmod --list --coldplug vfat');
  t.match(list, /^fat kernel\/\S+\nvfat kernel\/\S+\n/, 'what would be loaded');
  t.match(list, /\nsd_mod kernel\/\S+\n/, 'for devices, too');
  t.notMatch(list, REFUSED);
  t.same(await names(m), before, 'and nothing was');
  const known = ['loop', 'fs-ext4', REFUSED, 'virtio_blk'];
  t.equal(
    await m.sh(`svmod ${known.join(' ')}`),
    `loop max_loop=3\n${REFUSED}`,
    'named is not found: the blacklist does not hold; what is there is left alone',
  );
  t.same((await names(m)).sort(), [...before, 'loop', REFUSED].sort());
  await m.run('mount -t squashfs /dev/vda /mnt');
  t.ok((await names(m)).includes('squashfs'), "the kernel's own wishes are granted by modprobe");
  t.equal(await m.sh('svmod --trigger'), '', 'every device could be announced');
  const some = await m.run('svmod vfat nosuch');
  t.match(some, { code: 1, output: /^fat\nvfat\n/ }, 'one that does not exist');
  t.match(some.output, 'svmod: there is no module nosuch');
}

async function names(m: Machine): Promise<string[]> {
  return (await m.sh("cut -d' ' -f1 /proc/modules")).split('\n');
}

/** Arguments of QEMU for a disk of each kind with a filesystem that says which it is. */
async function disks(directory: string): Promise<readonly string[]> {
  const args: string[] = [];
  for (const { name, device, behind } of DISKS) {
    const [content, image] = [join(directory, name), join(directory, `${name}.img`)];
    mkdirSync(content);
    writeFileSync(join(content, 'hello'), `I am ${name}\n`);
    const options = ['-q', '-t', 'ext4', '-L', name, '-d', content];
    await execa('/usr/sbin/mke2fs', [...options, image, '8M']);
    for (const controller of behind) args.push('-device', controller);
    args.push('-drive', `file=${image},format=raw,if=none,id=${name}`);
    args.push('-device', `${device},drive=${name}`);
  }
  return args;
}
