/**
 * What keeps a file system busy without being mounted on it: a mount namespace that a mount keeps,
 * and swap space. Both are gone before it is unmounted, also when nothing is stopped in order.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { directoryFor, faultsOn, smallDisk } from './disks.ts';
import { bundle, IDLE, serviceFiles } from './fixtures.ts';
import { start } from './machine.ts';
import { noModules } from './modules.ts';

/** A namespace that holds /mnt too, and lives on when its last process is gone. */
const HOLD = `set -e
# What is in the cgroup of a service ends with it.
echo 0 > /sys/fs/cgroup/cgroup.procs
mount -t ext4 /dev/vda1 /mnt
echo data > /mnt/file
dd if=/dev/zero of=/mnt/swap bs=1M count=4 2> /dev/null
mkswap /mnt/swap > /dev/null
chmod 600 /mnt/swap
swapon /mnt/swap
unshare -m sleep 2147483647 &
until [ "$(readlink /proc/$!/ns/mnt)" != "$(readlink /proc/self/ns/mnt)" ]; do :; done
touch /run/pin
mount --bind /proc/$!/ns/mnt /run/pin
grep -c nsfs /proc/self/mountinfo
`;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: pins and swap at the end`, { skip: noModules ?? false }, async (t) => {
    const { file } = await smallDisk(directoryFor(t), 'held');
    const deaf = IDLE.replace('exec', 'trap "" TERM\nexec');
    const m = await start(t, runtime, {
      modules: true,
      disks: [{ file, bus: 'virtio-blk', keep: true }],
      extraFiles: [
        ...serviceFiles({ default: bundle('console', 'modules', 'deaf'), deaf: { run: deaf } }),
        { path: '/etc/hold.sh', content: HOLD },
      ],
    });
    t.equal(await m.sh('sh /etc/hold.sh'), '1');
    m.vm.send('poweroff -f');
    const { code, transcript } = await m.vm.ended;
    t.equal(code, 0, 'QEMU ends');
    t.match(transcript, /\nsvinit: not down yet: .*deaf/);
    t.match(transcript, /killing \d that did not end\n/, 'who does not listen is not waited for');
    t.notMatch(transcript, /deaf down|still mounted|took too long|cannot |Kernel panic/);
    t.equal(await faultsOn(file), '', 'the file system is clean');
  });
}
