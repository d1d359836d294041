/**
 * Roots that cannot be had: each time the reason is named, the console answers, and a person at it
 * gets the root after all, without starting the machine anew.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { FILESYSTEM_AT } from '../../scripts/disk.ts';
import { directoryFor, SMALL, smallDisk } from './disks.ts';
import { bundle, type Definition, IDLE } from './fixtures.ts';
import { boot } from './harness.ts';
import { type Machine, poweredOff, start } from './machine.ts';
import { noModules } from './modules.ts';

const SERVICES: Readonly<Record<string, Definition>> = {
  default: bundle('proof'),
  proof: { type: 'longrun\n', run: IDLE },
};

/** ext4 keeps 1 KiB for a boot sector before its superblock (ext4, Documentation/filesystems). */
const SUPERBLOCK = { at: FILESYSTEM_AT + 1024, bytes: 1024 };

/** Of a disk that is plugged in later. */
const LATE = '5a11000a-0000-4000-8000-00000000001a';

for (const runtime of RUNTIMES) {
  const skip = noModules ?? false;
  t.test(`${runtime}: roots that are not what they should be`, { skip }, async (t) => {
    const directory = directoryFor(t);
    const damaged = await smallDisk(directory, 'damaged', { services: SERVICES });
    const late = await smallDisk(directory, 'late', { services: SERVICES, uuid: LATE });
    destroySuperblock(damaged.file);
    const m = await start(t, runtime, {
      modules: true,
      append: `root=PARTUUID=${SMALL.partuuid} rd.timeout=2 svinit.ask=0 rd.driver.blacklist=virtio_blk`,
      disks: [{ file: damaged.file, bus: 'virtio-blk' }],
      devices: ['-device', 'virtio-scsi-pci,id=scsi'],
    });
    await t.test(`${runtime}: a module that must not be loaded`, (t) => withoutModule(t, m));
    await t.test(`${runtime}: a superblock that is gone`, (t) => withoutSuperblock(t, m));
    await t.test(`${runtime}: a disk that comes late`, (t) => tooLate(t, m, late.file));
  });
}
// What these are about is the same program on either runtime, and a machine takes its time.
t.test('bun: nobody to ask', (t) => unattended(t, 'bun'));
t.test('node: no console', (t) => silent(t, 'node'));

function destroySuperblock(file: string): void {
  const disk = openSync(file, 'r+');
  writeSync(disk, Buffer.alloc(SUPERBLOCK.bytes), 0, SUPERBLOCK.bytes, SUPERBLOCK.at);
  closeSync(disk);
}

async function withoutModule(t: Test, m: Machine): Promise<void> {
  await fails(t, m, new RegExp(`Cannot find the root PARTUUID=${SMALL.partuuid}`));
  await m.sh('svmod virtio_blk');
}

async function withoutSuperblock(t: Test, m: Machine): Promise<void> {
  t.match(await m.run('svctl restart --timeout=1min root'), { code: /[^0]/ });
  await fails(t, m, /Cannot mount \/dev\/vda1: there is no filesystem on it that is known/);
  // Where mke2fs(8) keeps the first copy, of a filesystem with blocks of 1 KiB.
  await m.run('e2fsck -y -b 8193 /dev/vda1');
  await m.sh('svctl restart --timeout=1min root');
  await works(t, m);
}

async function tooLate(t: Test, m: Machine, file: string): Promise<void> {
  await m.sh('svctl stop --cascade --timeout=1min root');
  const { code } = await m.run(`svroot try root=UUID=${LATE}`);
  t.not(code, 0, 'it is not there yet');
  await fails(t, m, new RegExp(`Cannot find the root UUID=${LATE}`));
  await m.vm.monitor.plug('late', file);
  await m.sh('svctl restart --timeout=1min root');
  await works(t, m);
}

/** It failed for this reason, and the console can tell. */
async function fails(t: Test, { sh, service }: Machine, reason: RegExp): Promise<void> {
  t.match(await service('root'), { state: 'failed' });
  const log = (await sh('svctl logs root')).split('\n');
  t.match(log.at(-1), reason, 'the reason is the end of its log');
  t.match(await sh('svctl why root; true'), 'svctl logs root', 'and can be asked for');
}

/** The root is there, and so are its services. */
async function works(t: Test, { sh, service }: Machine): Promise<void> {
  await sh('svctl wait --timeout=1min proof');
  const { pid } = await service('proof');
  t.equal(await sh(`readlink /proc/${pid}/root/bin/sh`), 'busybox', 'its services run in it');
}

/** Whoever says that nobody is there is not asked. */
async function unattended(t: Test, runtime: Runtime): Promise<void> {
  const append = 'root=LABEL=nosuch rd.timeout=2 rd.shell=0 rd.emergency=poweroff loglevel=1';
  const vm = await boot({ runtime, modules: true, append });
  t.teardown(() => vm.kill());
  const { code, transcript } = await poweredOff(vm);
  t.equal(code, 0, 'the machine is switched off');
  t.match(transcript, 'Cannot find the root LABEL=nosuch', 'and says why');
}

/** A serial line there is not: a console is where there can be one. */
async function silent(t: Test, runtime: Runtime): Promise<void> {
  const { vm, run, service } = await start(t, runtime, { console: 'ttyS9' });
  t.match(await run('cat /proc/cmdline'), { output: /^console=ttyS9 / });
  t.match(await run('tty'), { output: '/dev/ttyS0' }, 'a shell is on the line there is');
  t.match(await service('worker'), { state: 'up' }, 'the machine is up');
  vm.send('poweroff');
  t.equal((await poweredOff(vm)).code, 0, 'and goes down');
}
