/**
 * The table of mounts at the very end: what goes first, what stays, and what people are told.
 */
import t from 'tap';
import { type Mount, parseMounts, parseSwaps } from '../../src/core/mountinfo.ts';
import { leftWords, toUnmount, writable } from '../../src/core/unmount.ts';

const TABLE = `1 1 0:1 / / rw - rootfs rootfs rw
20 1 0:20 / /proc rw,relatime shared:5 - proc proc rw
21 1 0:21 / /run rw - tmpfs tmpfs rw,size=1024k
22 1 8:1 / /data rw - ext4 /dev/sda1 rw,errors=remount-ro
23 22 0:23 / /data/memory rw - tmpfs none rw
24 22 7:0 / /data/a\\040b rw - ext4 /dev/loop0 rw
25 1 8:2 / /usr ro - ext4 /dev/sda2 ro
26 1 0:26 / /database rw - tmpfs none rw
27 1 8:1 /home /home ro - ext4 /dev/sda1 rw
`;

const on = (target: string, type = 'ext4', readOnly = false): Mount => ({ target, type, readOnly });

t.test('parseMounts() tells whether a file system takes writes at all', async (t) => {
  const mounts = parseMounts(TABLE);
  t.same(mounts[0], { target: '/', type: 'rootfs', readOnly: false });
  t.same(mounts[6], { target: '/usr', type: 'ext4', readOnly: true });
  t.same(mounts.at(-1)?.readOnly, false, 'a mount that is read-only is not its file system');
});

t.test(
  'toUnmount() takes what was mounted last first, and leaves what keeps nothing',
  async (t) => {
    const order = ['/home', '/usr', '/data/a b', '/data/memory', '/data'];
    t.same(toUnmount(parseMounts(TABLE)), order);
    t.same(toUnmount([]), []);
    t.same(toUnmount([on('/')]), [], 'the root stays');
    t.same(toUnmount([on('/'), on('/dev', 'devtmpfs')]), []);
    t.same(toUnmount([on('/a'), on('/a')]), ['/a', '/a'], 'twice on one place is two');
    const pinned = [on('/run/os.ns', 'nsfs'), on('/run/os'), on('/run/os/ns', 'nsfs'), on('/b')];
    const first = ['/run/os/ns', '/run/os.ns'];
    t.same(toUnmount(pinned), [...first, '/b', '/run/os'], 'first what keeps others mounted');
  },
);

t.test('parseSwaps() reads what the kernel swaps to', async (t) => {
  const head = 'Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n';
  t.same(parseSwaps(''), []);
  t.same(parseSwaps(head), []);
  const line = (path: string): string => `${path}   partition\t1024\t\t0\t\t-2\n`;
  t.same(parseSwaps(head + line('/dev/vdb') + line('/a\\040b')), ['/dev/vdb', '/a b']);
});

t.test('writable() is what must be made read-only, the root last', async (t) => {
  t.same(writable(parseMounts(TABLE)), ['/home', '/data/a b', '/data']);
  t.same(writable([on('/'), on('/a'), on('/a')]), ['/a', '/']);
  t.same(writable([on('/', 'tmpfs'), on('/a', 'ext4', true)]), []);
});

t.test('leftWords() names what is left, and whether it can lose anything', async (t) => {
  t.equal(leftWords([on('/', 'rootfs'), on('/proc', 'proc'), on('/run', 'tmpfs')]), null);
  t.equal(leftWords([on('/', 'ext4', true)]), null, 'the root is in order');
  t.equal(leftWords([on('/')]), 'still mounted: /');
  t.equal(
    leftWords([on('/'), on('/a', 'ext4', true), on('/b', 'nfs4')]),
    'still mounted: /b, /, /a (read-only)',
  );
});
