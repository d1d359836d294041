/**
 * One archive and one root, on whichever bus the disk of it is: found by what its superblock and
 * its partition table say, checked, mounted, used, pulled out, and handed over to.
 */
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import type { Bus, DiskImage } from '../../scripts/qemu.ts';
import { copyOf, directoryFor, faultsOn, SMALL, smallDisk } from './disks.ts';
import { bundle, type Definition } from './fixtures.ts';
import { boot } from './harness.ts';
import { type Machine, poweredOff, start, within } from './machine.ts';
import { noModules } from './modules.ts';

/** Where the root is, seen from outside. */
const TREE = '/run/svinit/roots/os';

const longrun = (body: string, more: Definition = {}): Definition => ({
  type: 'longrun\n',
  run: `#!/bin/sh\n${body}`,
  ...more,
});

/** Writes to the disk for as long as that can be done. */
const WRITE = 'while true > /var/$1; do echo more; sync; sleep 0.1; done';

/** Services that make it hard to leave the root alone, each in its own way. */
const SERVICES: Readonly<Record<string, Definition>> = {
  default: bundle('writer', 'deaf', 'frozen', 'squatter'),
  writer: longrun(`exec >> /var/writer\n${WRITE}\necho "the disk is gone" >&2\nexit 1\n`),
  deaf: longrun(`trap '' TERM HUP INT\nexec >> /var/deaf\n${WRITE}\n`, { 'timeout-kill': '500\n' }),
  frozen: longrun('exec >> /var/frozen\ncd /var\nkill -STOP $$\nexec sleep 1000000\n'),
  squatter: longrun(
    `cd /var\nsetsid sh -c 'trap "" TERM HUP; exec >> squatter; while :; do sleep 1; done' &\n` +
      'exec sleep 1000000\n',
  ),
};

/** Words of others, of which none is an error, and words of ours that cannot be meant. */
const WORDS = [
  ...Array.from({ length: 40 }, (_, i) => `vendor${i}.key-${i}="a value ${i}"`),
  ...['fsck.mode=explode', 'rd.break=nowhere', 'rd.timeout=-1', 'svinit.target=../../etc'],
  // The kernel takes 2047 bytes (COMMAND_LINE_SIZE, x86); a quote that is never closed fills them.
  `vendor.escape=\x1b[2J "vendor.open=${'x'.repeat(500)}`,
].join(' ');

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: one root on any bus`, { skip: noModules ?? false }, async (t) => {
    const directory = directoryFor(t);
    const { file } = await smallDisk(directory, 'small', { services: SERVICES });
    const on = async (bus: Bus) => {
      return { file: await copyOf(file, directory, `${bus}.img`), bus, keep: true };
    };
    await t.test(`${runtime}: virtio-blk: used by some who will not go`, async (t) => {
      const disk = await on('virtio-blk');
      const append = `root=UUID=${SMALL.uuid} rw ${WORDS}`;
      const m = await start(t, runtime, { modules: true, append, disks: [disk] });
      await used(t, m);
      t.equal(await faultsOn(disk.file), '', 'the filesystem is clean');
    });
    await t.test(`${runtime}: virtio-scsi: pulled out while it is in use`, async (t) => {
      const append = `root=PARTUUID=${SMALL.partuuid} rw`;
      const disks = [await on('virtio-scsi')];
      await pulled(t, await start(t, runtime, { modules: true, append, disks }));
    });
    await t.test(`${runtime}: IDE: handed over to its own init`, async (t) => {
      const disk = await on('ide');
      await handedOver(t, runtime, disk);
      t.equal(await faultsOn(disk.file), '', 'the filesystem is clean');
    });
  });
}

async function used(t: Test, { vm, sh, service }: Machine): Promise<void> {
  await sh('svctl wait --timeout=2min writer deaf frozen squatter');
  t.match(await sh(`grep " ${TREE} " /proc/mounts`), `/dev/vda1 ${TREE} ext4 rw,`);
  const { pid } = await service('frozen');
  await sh(within(`until grep -q '^State:.T' /proc/${pid}/status; do sleep 1; done`));
  await sh(within(`until [ -s ${TREE}/var/writer ] && [ -s ${TREE}/var/deaf ]; do sleep 1; done`));
  t.equal(await sh(`tr '\\0' '\\n' < /proc/${pid}/environ | grep vendor; true`), '');
  const said = vm.console.transcript;
  for (const name of ['fsck.mode', 'rd.break', 'rd.timeout', 'svinit.target']) {
    t.match(said, `svinit: Cannot use ${name}: `, 'what cannot be meant is told');
  }
  t.notMatch(`${said}${await sh('svctl boot')}`, /Cannot use vendor/, 'words of others are not');
  await sh(`cd ${TREE}/var`);
  vm.send('poweroff');
  const { code, transcript } = await poweredOff(vm);
  t.equal(code, 0, 'QEMU ends');
  t.notMatch(transcript, /still mounted|cannot|took too long|Kernel panic|going on without/);
}

async function pulled(t: Test, m: Machine): Promise<void> {
  const { vm, sh, run } = m;
  await sh('svctl wait --timeout=2min writer deaf');
  const before = await m.version();
  await vm.monitor.unplug('disk0');
  await sh(within('until svctl logs writer | grep "the disk is gone"; do sleep 1; done'));
  await sh(within('until [ $(svctl logs writer | grep -c .) -ge 3 ]; do sleep 1; done'));
  t.match(await run('svctl why writer'), { output: /^x writer: (backoff|failed) .* - exit \d+/m });
  t.match(await sh('svctl logs writer'), /Input\/output error/, 'it does not come back');
  t.match(await m.service('console'), { state: 'up', restarts: 0 }, 'the console is what it was');
  t.match(await m.version(), { image: before.image, safe: false }, 'and so is svinit');
  t.match(await run('ls /dev/disk/by-partuuid'), { output: /^$|No such/ }, 'its names are gone');
  vm.send('poweroff');
  const { code, transcript } = await poweredOff(vm);
  t.equal(code, 0, 'QEMU ends');
  t.notMatch(transcript, /Kernel panic/);
}

const PHASES = ['initqueue', 'pre-mount', 'mount', 'pre-pivot', 'cleanup'];

async function handedOver(t: Test, runtime: Runtime, disk: DiskImage): Promise<void> {
  const words = [`root=LABEL=${SMALL.label}`, 'init=/sbin/init', `rd.break=${PHASES.join(',')}`];
  const append = `loglevel=1 ${words.join(' ')} -- one two`;
  const vm = await boot({ runtime, modules: true, append, disks: [disk] });
  t.teardown(() => vm.kill());
  for (const phase of PHASES) {
    await vm.console.expect(new RegExp(`\\(${phase}\\) .*# $`, 'm'));
    t.pass(`it stops before ${phase}`);
    vm.send('exit');
  }
  await vm.console.expect('own init is 1 with 2 words: one two');
  const mounts = (await vm.run('cat /proc/mounts')).output;
  t.match(mounts, /^\/dev\/sda1 \/ ext4 ro,/m, 'on its root');
  for (const path of ['/dev', '/proc', '/sys', '/run']) t.match(mounts, ` ${path} `, path);
  t.notMatch(mounts, /svinit|\(deleted\)/, 'and nothing of ours');
  t.match(await vm.run('ps -o pid,args'), { output: /^ +1 +\S*sh/m }, 'and nobody');
  vm.send('poweroff -f');
  t.notMatch((await poweredOff(vm)).transcript, /Kernel panic/);
}
