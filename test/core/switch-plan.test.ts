/**
 * The mounts on the way into another root: nothing of the next root is touched, nothing of svinit
 * comes along, and what the root has itself is not covered.
 */
import t from 'tap';
import { type Mount, parseMounts } from '../../src/core/mountinfo.ts';
import { planSwitch } from '../../src/core/switch-plan.ts';

const mount = (target: string, type = 'tmpfs'): Mount => ({ target, type, readOnly: false });
const on = (...targets: readonly string[]): Mount[] => targets.map((target) => mount(target));

const INITRAMFS: readonly Mount[] = parseMounts(`1 1 0:2 / / rw - rootfs rootfs rw
20 1 0:20 / /proc rw - proc proc rw
21 1 0:5 / /dev rw - devtmpfs devtmpfs rw
22 21 0:21 / /dev/pts rw - devpts devpts rw
23 1 0:22 / /sys rw - sysfs sysfs rw
24 1 0:23 / /run rw - tmpfs tmpfs rw
25 24 0:24 / /run/svinit rw - tmpfs tmpfs rw
26 25 8:1 / /run/svinit/roots/os rw - ext4 /dev/vda1 rw
27 26 8:2 / /run/svinit/roots/os/home rw - ext4 /dev/vda2 rw
28 25 0:4 / /run/svinit/roots/os.ns rw - nsfs nsfs rw
29 1 0:30 / /mnt rw - tmpfs none rw
30 29 0:31 / /mnt/in rw - tmpfs none rw
`);

t.test('planSwitch() of a root that svroot has mounted', async (t) => {
  t.same(planSwitch(INITRAMFS, '/run/svinit/roots/os', ['/run/svinit']), {
    stage: '/sysroot',
    drop: ['/mnt/in', '/mnt', '/run/svinit/roots/os.ns', '/run/svinit'],
    move: ['/dev', '/proc', '/sys', '/run'],
    isInitramfs: true,
  });
});

t.test('planSwitch() of a root somewhere else', async (t) => {
  t.match(planSwitch(INITRAMFS, '/mnt', ['/run/svinit']), {
    stage: null,
    drop: [
      ...['/run/svinit/roots/os.ns', '/run/svinit/roots/os/home', '/run/svinit/roots/os'],
      '/run/svinit',
    ],
  });
  const mounts = on('/', '/proc', '/runner', '/next', '/next/proc', '/next/sys', '/next2');
  t.same(planSwitch(mounts, '/next', []), {
    stage: null,
    drop: ['/next2', '/runner', '/proc'],
    move: [],
    isInitramfs: false,
  });
  t.match(planSwitch(on('/', '/sys', '/sys/a', '/next'), '/next', ['/sys/a']), {
    drop: ['/sys/a'],
    move: ['/sys'],
  });
  t.match(planSwitch(on('/', '/own', '/own/next'), '/own/next', ['/own']), { stage: '/sysroot' });
});
