/**
 * Another kernel is loaded and started without the firmware, after an orderly way down; and nothing
 * is stopped while there is none.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { cpio } from '../../scripts/cpio.ts';
import { KERNEL } from '../../scripts/modules.ts';
import { bundle, serviceFiles } from './fixtures.ts';
import { start } from './machine.ts';

/** What the second kernel starts: it has no svinit. */
const SECOND = `#!/busybox sh
/busybox mkdir /proc
/busybox mount -t proc proc /proc
echo "the second kernel: $(/busybox cat /proc/cmdline)"
exec /busybox poweroff -f
`;

function secondInitramfs(): Uint8Array {
  const file = { type: 'file', mode: 0o755 } as const;
  const device = { type: 'node', mode: 0o600, device: 'character', major: 5, minor: 1 } as const;
  return cpio(
    [
      { ...file, path: 'busybox', content: readFileSync('build/busybox/busybox') },
      { ...file, path: 'init', content: Buffer.from(SECOND) },
      { type: 'directory', path: 'dev', mode: 0o755 },
      { ...device, path: 'dev/console' },
    ],
    0,
  );
}

t.test('kexec', async (t) => {
  const m = await start(t, 'bun', {
    memoryMiB: 1536,
    append: 'words.of.mine=1',
    extraFiles: [
      { path: '/kernel', content: readFileSync(KERNEL) },
      { path: '/second', content: secondInitramfs() },
      ...serviceFiles({ default: bundle('console') }),
    ],
  });
  const refusals = [
    ['kexec', /no kernel is loaded/],
    ['kexec --initrd=/second', /are for a --kernel/],
    ['kexec --kernel=/none', /Cannot open \/none: .*ENOENT\nsvctl: No kernel was loaded/],
    ['kexec --kernel=/etc/motd', /kexec_file_load.* ENOEXEC\nsvctl: No kernel was loaded/],
  ] as const;
  for (const [words, reason] of refusals) {
    const { output, code } = await m.run(`svctl ${words}`);
    t.match(output, reason, words);
    t.not(code, 0);
  }
  t.match(await m.sh('cat /sys/kernel/kexec_loaded'), '0');
  t.match(await m.service('console'), { state: 'up' }, 'nothing was stopped');

  m.vm.send('svctl kexec --kernel=/kernel --initrd=/second');
  const { code, transcript } = await m.vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /svinit: all services are down\nstart the kernel that is loaded\n/);
  t.match(transcript, /\nthe second kernel: .*words\.of\.mine=1/);
  t.notMatch(transcript, /Kernel panic/);
});
