/**
 * File systems at the very end: unmounted in reverse, one in the other, and what is busy is made
 * read-only and named. A storage daemon of root lives until the last.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, serviceFiles } from './fixtures.ts';
import { type Machine, start } from './machine.ts';
import { MODULES, moduleFiles, noModules } from './modules.ts';

/**
 * /mnt/b is on a file in /mnt/a, with a tmpfs on it; /mnt/busy is held by a storage daemon, and a
 * process of somebody else only says that it is one. busybox looks at the end of its name alone.
 */
const DISKS = `set -e
# What is in the cgroup of a service ends with it.
echo 0 > /sys/fs/cgroup/cgroup.procs
insmod ${MODULES}/loop.ko
mkdir -p /mnt/a /mnt/b /mnt/busy
truncate -s 8M /var/a /var/busy
for disk in a busy; do
  mke2fs -F /var/$disk > /dev/null
  mount -o loop /var/$disk /mnt/$disk
done
dd if=/dev/zero of=/mnt/a/b bs=1M count=4 2> /dev/null
mke2fs -F /mnt/a/b > /dev/null
# Attached by hand, so that unmounting it detaches nothing.
device=$(losetup -f)
losetup $device /mnt/a/b
mount $device /mnt/b
mkdir /mnt/b/memory
mount -t tmpfs none /mnt/b/memory
echo data > /mnt/b/file
cd /mnt/busy
ash -c 'exec -a @/busybox /usr/bin/busybox sleep 2147483647' &
cd /
setpriv --reuid=12345 --regid=12345 --clear-groups ash -c 'exec -a @/busybox /usr/bin/busybox sleep 2147483647' &
`;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: file systems at the end`, { skip: noModules ?? false }, async (t) => {
    const extraFiles = [
      ...serviceFiles({ default: bundle('console') }),
      ...moduleFiles('loop'),
      { path: '/etc/svinit/disks.sh', content: DISKS },
    ];
    const m = await start(t, runtime, { extraFiles });
    await m.sh('sh /etc/svinit/disks.sh');
    await endsInOrder(t, m);
  });
}

async function endsInOrder(t: Test, { vm }: Machine): Promise<void> {
  vm.send('poweroff');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /ending 1 other processes\n/, 'who is not of root is no storage daemon');
  t.match(transcript, /still mounted: \/mnt\/busy \(read-only\)\n/, 'and nothing else is');
  t.notMatch(transcript, /took too long|cannot (?:unmount|detach|make)|Kernel panic/);
}
