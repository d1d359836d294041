/**
 * Who holds a root: by the namespace it lives in, or by what it has open in ours.
 */
import t from 'tap';
import { devicesAt, holdersOf, holderWords, type Witness } from '../../src/core/root-holders.ts';

const OURS = [
  '22 1 0:20 / / rw - rootfs rootfs rw',
  '30 22 254:1 / /run/os rw,relatime shared:5 - ext4 /dev/vda1 rw',
  '31 22 0:44 / /run/os.upper rw - tmpfs tmpfs rw',
  '',
].join('\n');

const witness = (pid: number, more: Partial<Witness>): Witness => {
  return { pid, name: `p${pid}`, mountinfo: null, paths: [], storage: false, ...more };
};

t.test('the devices of a root are those of its mounts', async (t) => {
  t.same([...devicesAt(OURS, ['/run/os', '/run/os.upper'])], ['254:1', '0:44']);
  t.same([...devicesAt(OURS, ['/run'])], [], 'and not of what is around them');
  t.same([...devicesAt('', ['/run/os'])], []);
});

t.test('who lives in it, who stands in it, and who has nothing to do with it', async (t) => {
  const devices = devicesAt(OURS, ['/run/os']);
  const inRoot = '40 39 254:1 / / rw - ext4 /dev/vda1 rw\n';
  const elsewhere = '41 39 254:2 / / rw - ext4 /dev/vda2 rw\n';
  const holders = holdersOf(
    [
      witness(10, { mountinfo: inRoot }),
      witness(11, { mountinfo: elsewhere }),
      witness(12, { paths: ['/', '/run/os/var'] }),
      witness(13, { paths: ['/run/os'] }),
      witness(14, { paths: ['/run/osx', '/run/os2/etc', ''] }),
    ],
    devices,
    ['/run/os'],
  );
  t.same(
    holders.map(({ pid, inside }) => [pid, inside]),
    [
      [10, true],
      [12, false],
      [13, false],
    ],
  );
  t.equal(holderWords(holders), 'p10 (10), p12 (12), p13 (13)');
});

t.test('of many some are named', async (t) => {
  const many = Array.from({ length: 12 }, (_, n) => witness(n, { paths: ['/a'] }));
  const words = holderWords(holdersOf(many, new Set(), ['/a']));
  t.match(words, /p9 \(9\) and 2 more$/);
});
