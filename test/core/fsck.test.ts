/**
 * The check before a root is mounted: how it is asked for, and what each exit status of fsck(8)
 * leads to.
 */
import t from 'tap';
import { parseCommandLine } from '../../src/core/cmdline.ts';
import { fsckVerdict, planFsck } from '../../src/core/fsck.ts';

const DISK = { path: '/dev/vda1', type: 'ext4', readOnly: false };

t.test('the words of the command line become those of fsck', async (t) => {
  const argv = (words: string, type = 'ext4'): string => {
    const plan = planFsck(parseCommandLine(words), type, DISK);
    return plan.check ? plan.argv.join(' ') : plan.why;
  };
  t.equal(argv(''), 'fsck.ext4 -a /dev/vda1');
  t.equal(argv('fsck.repair=yes'), 'fsck.ext4 -y /dev/vda1');
  t.equal(argv('fsck.repair=no fsck.mode=force'), 'fsck.ext4 -n -f /dev/vda1');
  t.equal(argv('forcefsck', 'vfat'), 'fsck.vfat -a /dev/vda1', 'where -f means something else');
  t.equal(argv('fsck.mode=skip'), 'fsck.mode=skip');
  t.equal(argv('', 'squashfs'), 'squashfs needs no check');
  t.match(planFsck(parseCommandLine(''), null, DISK), { check: false });
  const kept = planFsck(parseCommandLine('svinit.overlay=overlay'), 'ext4', DISK);
  const look = ['fsck.ext4', '-n', '/dev/vda1'];
  t.match(kept, { look, argv: ['fsck.ext4', '-a', '/dev/vda1'] }, 'a disk to be kept is looked at');
  t.match(planFsck(parseCommandLine('svinit.overlay=state'), 'ext4', DISK), { look: null });
  t.match(planFsck(parseCommandLine(''), 'ext4', { ...DISK, readOnly: true }), { check: false });
});

t.test('an exit status is the sum of what happened', async (t) => {
  for (let code = 0; code < 256; code += 1) {
    const { next } = fsckVerdict({ kind: 'code', code });
    const expected = code >= 4 ? 'refuse' : code >= 2 ? 'reboot' : 'mount';
    if (next !== expected) t.equal(next, expected, `status ${code}`);
  }
  t.same(fsckVerdict({ kind: 'code', code: 0 }), { next: 'mount', words: '' });
  t.match(fsckVerdict({ kind: 'code', code: 1 }), { words: /repaired/ });
  t.match(fsckVerdict({ kind: 'code', code: 4 }), { words: /left errors.*fsck\.repair=yes/ });
  t.match(fsckVerdict({ kind: 'code', code: 8 }), { words: /exit status 8.*fsck\.mode=skip/ });
  const killed = fsckVerdict({ kind: 'signal', signal: 9, core: false });
  t.match(killed, { next: 'refuse', words: /signal 9/ });
});
