/**
 * Debian as the root of a machine that svinit hands over to the root's own init: systemd finds what
 * it expects of an initrd, starts all it has, and takes the machine down.
 */
import { existsSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { DEBIAN } from '../../scripts/debian.ts';
import { copyOf, directoryFor, faultsOn } from './disks.ts';
import { boot } from './harness.ts';
import { poweredOff } from './machine.ts';
import { noModules } from './modules.ts';

const noDebian = existsSync(DEBIAN.file) ? noModules : `${DEBIAN.file} is not there: make debian`;

/** From power-on to a prompt, on a busy host that emulates the processor. */
const LATER_MS = 400_000;

/** Modules of Debian's kernel are in a package of their own, which is not on this disk. */
const TROUBLE = /^(?!.*(?:autofs4|binfmt_misc)).*(?:fail|cannot|unable)/i;

/** Of all but the kernel, which complains of the machine. */
const WARNINGS =
  'journalctl -b -p warning -o cat _TRANSPORT=journal + _TRANSPORT=syslog + _TRANSPORT=stdout';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: Debian with its own init`, { skip: noDebian ?? false }, async (t) => {
    const file = await copyOf(DEBIAN.file, directoryFor(t), 'debian.img');
    const vm = await boot({
      runtime,
      modules: true,
      append: `loglevel=1 root=PARTUUID=${DEBIAN.partuuid} init=/sbin/init`,
      disks: [{ file, bus: 'virtio-scsi', keep: true }],
    });
    t.teardown(() => vm.kill());
    await vm.console.expect('root@debian:~# ', LATER_MS);
    vm.send('');
    const sh = async (command: string): Promise<string> => (await vm.run(command)).output;
    t.equal(await sh('systemctl is-system-running --wait'), 'running', 'all of it runs');
    t.equal(await sh('cat /proc/1/comm'), 'systemd');
    t.equal(await sh('findmnt -n -o OPTIONS /'), 'rw,relatime,errors=remount-ro');
    t.equal(await sh('grep svinit /proc/self/mountinfo; ps -e -o args | grep "[s]vinit"'), '');
    const troubles = (await sh(WARNINGS)).split('\n').filter((line) => TROUBLE.test(line));
    t.same(troubles, [], 'nothing of ours is in the way of systemd');
    t.equal(await sh('ssh -o StrictHostKeyChecking=no -q root@127.0.0.1 id -u'), '0', 'a login');
    vm.send('systemctl poweroff');
    const { code, transcript } = await poweredOff(vm);
    t.equal(code, 0, 'QEMU ends');
    t.notMatch(transcript, /Kernel panic|Failed to unmount/);
    t.match(transcript, 'svinit: the old root is unmounted\n', 'from outside of the root');
    t.equal(await faultsOn(file), '', 'the filesystem is clean');
  });
}
