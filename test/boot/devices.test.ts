/**
 * Devices that come, go and change, on machines whose disks are on three buses: the names they get
 * from svdev, and the same names from Debian's udevd; drivers for what is plugged in; and a disk
 * that hangs and one that gives errors, which stop no other.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { joined } from '../../scripts/cpio.ts';
import { makeDisk } from '../../scripts/disk.ts';
import type { DiskImage } from '../../scripts/qemu.ts';
import { noUdev, udevArchive } from '../../scripts/udev.ts';
import { directoryFor } from './disks.ts';
import { bundle, serviceFiles } from './fixtures.ts';
import type { BootOptions } from './harness.ts';
import { type Machine, start, within } from './machine.ts';
import { noModules } from './modules.ts';

const UUID = '0a1b2c3d-4e5f-4071-8293-00000000000';
/** Its driver is there, its device too, and it is not to be loaded. */
const REFUSED = 'virtio_balloon';

const directory = directoryFor(t);
const image = (name: string): string => join(directory, `${name}.img`);

/** Links to each device in a line, sorted; which device has which name is chance. */
const LINKS = `cd /dev/disk; for link in by-*/*; do
  echo "$(readlink -f $link) $link"
done | grep -v by-diskseq | sort`;

/** The links to each device. */
type Groups = readonly string[];

t.before(async () => {
  await makeDisk({
    file: image('gpt'),
    sizeMiB: 16,
    directory: 'test/fixtures',
    ...{ label: 'a/b', uuid: `${UUID}1`, partlabel: 'first one', partuuid: `${UUID}2` },
  });
  for (const [name, n] of [
    ['scsi', 3],
    ['ide', 4],
    ['hot', 5],
    ['other', 6],
    ['late', 7],
  ] as const) {
    const names = ['-L', `the ${name}`, '-U', `${UUID}${n}`];
    await execa('/usr/sbin/mke2fs', ['-q', '-t', 'ext4', ...names, image(name), '8M']);
  }
});

for (const runtime of RUNTIMES) {
  t.test(`devices with ${runtime}`, { skip: noModules ?? false }, async (t) => {
    const m = await start(t, runtime, machine());
    await t.test(`${runtime}: what was there has its names`, (t) => named(t, m));
    await t.test(`${runtime}: nodes have their modes`, (t) => modes(t, m));
    await t.test(`${runtime}: what errs is told, and stops no other`, (t) => errs(t, m));
    await t.test(`${runtime}: plugged in, and pulled out`, (t) => plugged(t, m));
    await t.test(`${runtime}: more at once than there is room for`, (t) => lost(t, m));
    await t.test(`${runtime}: drivers for what comes later`, (t) => drivers(t, m));
    await t.test(`${runtime}: what is written to a disk is seen`, (t) => written(t, m));
    await t.test(`${runtime}: a new svdev goes on`, (t) => restarted(t, m));
    await t.test(`${runtime}: one that hangs stops no other`, (t) => hangs(t, m));
  });
}

t.test('udevd in its place', { skip: noModules ?? noUdev() ?? false }, async (t) => {
  const initrd = join(directory, 'initrd');
  const runtime = 'bun';
  const own = readFileSync(`build/${runtime}/initramfs.cpio.zst`);
  writeFileSync(initrd, joined(own, await udevArchive()));
  const m = await start(t, runtime, { ...machine(), initrd });
  t.match(await m.service('udevd'), { state: 'up' });
  t.notOk((await m.services()).has('devices'), 'and svdev does not run');
  t.same(groups(await m.sh(LINKS)), EXPECTED, 'udevd finds the same names');
  await m.vm.monitor.plug('hot', image('hot'));
  await m.sh(until('-e "/dev/disk/by-label/the\\x20hot"'));
  await m.vm.monitor.unplug('hot');
  await m.sh(until('! -e "/dev/disk/by-label/the\\x20hot"'));
  await m.vm.monitor.execute('device_add', { driver: 'virtio-rng-pci', bus: 'port1', id: 'rng' });
  await m.sh(until('-d /sys/module/virtio_rng'));
  t.notOk(await loads(m, REFUSED), 'its blacklist holds');
  await m.sh('svctl stop udevd');
  t.equal(await m.sh('ps -o comm | grep -c udevd || :'), '0', 'and nothing of it stays');
});

function machine(): BootOptions {
  const disks: readonly DiskImage[] = [
    { file: image('scsi'), bus: 'virtio-scsi' },
    { file: image('ide'), bus: 'ide' },
  ];
  // The first sectors of it can be read, so that the kernel looks for partitions in peace.
  const errors = {
    driver: 'blkdebug',
    image: { driver: 'null-co', size: 2 ** 23 },
    'inject-error': [{ event: 'read_aio', errno: 5, sector: 64 }],
  };
  const bad = { driver: 'raw', 'node-name': 'bad', file: errors };
  return {
    modules: true,
    extraFiles: [
      ...serviceFiles({ default: bundle('console', 'modules', 'devices') }),
      { path: '/etc/modprobe.d', directory: true },
      { path: '/etc/modprobe.d/test.conf', content: `blacklist ${REFUSED}\n` },
    ],
    disks,
    devices: [
      ...['-drive', `file=${image('gpt')},format=raw,if=none,id=gpt,snapshot=on`],
      ...['-device', 'virtio-blk-pci,drive=gpt,serial=a serial,addr=10'],
      ...['-blockdev', JSON.stringify(bad), '-device', 'virtio-blk-pci,drive=bad,addr=11'],
      ...['-device', 'virtio-balloon-pci,addr=12'],
      ...['-device', 'pcie-root-port,id=port1,chassis=1,addr=13'],
    ],
  };
}

/** The names of each device; the one that cannot be read has those of the way to it. */
const EXPECTED: Groups = [
  [
    'by-id/ata-QEMU_HARDDISK_QM00013',
    'by-label/the\\x20ide',
    'by-path/pci-0000:00:02.0-ata-1',
    'by-path/pci-0000:00:02.0-ata-1.0',
    `by-uuid/${UUID}4`,
  ],
  [
    'by-id/scsi-0QEMU_QEMU_HARDDISK_drive0',
    'by-label/the\\x20scsi',
    'by-path/pci-0000:00:01.0-scsi-0:0:0:0',
    `by-uuid/${UUID}3`,
  ],
  ['by-id/virtio-a_serial', 'by-path/pci-0000:00:10.0', 'by-path/virtio-pci-0000:00:10.0'],
  [
    'by-id/virtio-a_serial-part1',
    'by-label/a\\x2fb',
    'by-partlabel/first\\x20one',
    `by-partuuid/${UUID}2`,
    'by-path/pci-0000:00:10.0-part1',
    'by-path/virtio-pci-0000:00:10.0-part1',
    `by-uuid/${UUID}1`,
  ],
  ['by-path/pci-0000:00:11.0', 'by-path/virtio-pci-0000:00:11.0'],
].map((links) => links.join(' '));

async function named(t: Test, m: Machine): Promise<void> {
  t.match(await m.service('devices'), { state: 'up' });
  t.same(groups(await m.sh(LINKS)), EXPECTED);
  const found = await m.sh('svdev --find "PARTLABEL=first one"');
  t.match(found, /^\/dev\/vd[ab]1 {2}14M {2}ext4 {2}UUID=/);
  t.match(await m.run('svdev --find LABEL=none'), { code: 1, output: /there is no device LABEL=/ });
  t.notOk(await loads(m, REFUSED), 'what is blacklisted is not loaded');
}

function groups(lines: string): Groups {
  const byDevice = new Map<string, string[]>();
  for (const line of lines.split('\n')) {
    const at = line.indexOf(' ');
    const links = byDevice.get(line.slice(0, at)) ?? [];
    byDevice.set(line.slice(0, at), [...links, line.slice(at + 1)]);
  }
  return [...byDevice.values()].map((links) => links.toSorted().join(' ')).toSorted();
}

async function modes(t: Test, m: Machine): Promise<void> {
  const nodes = ['null', 'tty', 'ttyS0', 'vda', 'sda', 'kmsg', 'console'];
  t.equal(
    await m.sh(`cd /dev; stat -c '%n %a %G' ${nodes.join(' ')}`),
    `null 666 root
tty 666 tty
ttyS0 660 dialout
vda 660 disk
sda 660 disk
kmsg 644 root
console 600 root`,
  );
}

async function errs(t: Test, m: Machine): Promise<void> {
  const log = await m.sh('svctl logs devices');
  t.match(log, /Cannot read \/dev\/vd[ab]: dd: .* error/);
  t.match(await m.sh('svdev --list'), /\/dev\/vd[ab] {2}8M {2}- {2}cannot be read: dd: /);
}

async function plugged(t: Test, m: Machine): Promise<void> {
  const link = '"/dev/disk/by-label/the\\x20hot"';
  await m.vm.monitor.plug('hot', image('hot'));
  await m.sh(until(`-e ${link}`));
  t.match(await m.sh(`svdev --find "LABEL=the hot"; readlink -f ${link}`), /^(\/dev\/sd.) .*\n\1$/);
  await m.vm.monitor.unplug('hot');
  await m.sh(until(`! -e ${link} -a ! -L ${link}`));
  t.same(groups(await m.sh(LINKS)), EXPECTED, 'no name of it is left, and all others');
}

/** Announcements are kept while svdev does not listen; that of the disk is one too many. */
async function lost(t: Test, m: Machine): Promise<void> {
  const link = '"/dev/disk/by-label/the\\x20late"';
  const uevent = '/sys/devices/virtual/mem/null/uevent';
  await m.sh('kill -STOP $(pidof svdev)');
  await m.sh(`yes add | dd of=${uevent} bs=4 iflag=fullblock count=20000 2> /dev/null`);
  await m.vm.monitor.plug('late', image('late'));
  await m.sh(until('-e /sys/class/block/sdc'));
  await m.sh('kill -CONT $(pidof svdev)');
  await m.sh(until(`-e ${link}`));
  t.match(await m.sh('svctl logs devices'), 'Announcements of the kernel were lost');
  await m.vm.monitor.unplug('late');
  await m.sh(until(`! -L ${link}`));
}

async function drivers(t: Test, m: Machine): Promise<void> {
  t.notOk(await loads(m, 'virtio_rng'));
  await m.vm.monitor.execute('device_add', { driver: 'virtio-rng-pci', bus: 'port1', id: 'rng' });
  await m.sh(until('-c /dev/hwrng -a -d /sys/module/virtio_rng'));
  t.match(await m.sh('svctl logs devices'), /^\S+ virtio_rng$/m, 'and it is told');
}

async function written(t: Test, m: Machine): Promise<void> {
  const disk = await m.sh('readlink -f "/dev/disk/by-label/the\\x20ide"');
  await m.sh(`mke2fs -L anew ${disk} > /dev/null`);
  await m.sh(until('-e /dev/disk/by-label/anew'));
  t.equal(await m.sh('readlink -f /dev/disk/by-label/anew'), disk);
  await m.sh(until('! -L "/dev/disk/by-label/the\\x20ide"'));
}

async function restarted(t: Test, m: Machine): Promise<void> {
  const before = await m.sh(LINKS);
  await m.sh('kill -KILL $(pidof svdev)');
  await m.sh('svctl restart devices');
  t.match(await m.service('devices'), { state: 'up' });
  t.equal(await m.sh(LINKS), before, 'every link is where it was');
  t.equal(await m.sh('ls -A1 /dev/disk/by-label'), 'a\\x2fb\nanew\nthe\\x20scsi');
}

/** QEMU serves a byte of it a second: what is asked of it then does not come back in time. */
async function hangs(t: Test, m: Machine): Promise<void> {
  const { pid } = await m.service('devices');
  const rest = { bps: 0, bps_wr: 0, iops: 0, iops_rd: 0, iops_wr: 0 };
  await m.vm.monitor.execute('block_set_io_throttle', { id: 'disk0', bps_rd: 1, ...rest });
  const disk = await m.sh('readlink -f "/dev/disk/by-label/the\\x20scsi"');
  // The first goes through, and takes all that there is for a long time.
  await m.sh(`dd if=${disk} of=/dev/null bs=64k count=16 > /dev/null 2>&1 & : > ${disk}`);
  await m.vm.monitor.plug('other', image('other'));
  await m.sh(until('-e "/dev/disk/by-label/the\\x20other"'));
  await m.sh(within('until svctl logs devices | grep -q "no answer within"; do sleep 0.2; done'));
  t.pass('it is told');
  t.match(await m.service('devices'), { state: 'up', pid });
}

async function loads(m: Machine, module: string): Promise<boolean> {
  return (await m.sh("cut -d' ' -f1 /proc/modules")).split('\n').includes(module);
}

/** Waits for a condition of test(1). */
function until(condition: string): string {
  return within(`until [ ${condition} ]; do sleep 0.1; done`);
}
