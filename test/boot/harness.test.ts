/**
 * The harness itself, on a machine that is nothing but busybox: what it says must be true of any
 * image.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { cpio } from '../../scripts/cpio.ts';
import type { Entry } from '../../scripts/entries.ts';
import { boot, bootOnce } from './harness.ts';

mkdirSync('build/test', { recursive: true });
const directory = mkdtempSync('build/test/harness-');
t.teardown(() => rmSync(directory, { recursive: true }));

/**
 * A root of busybox and a console, whose /init is the link `init -> missing` until extra files
 * replace it.
 */
const busyboxRoot: readonly Entry[] = [
  { type: 'directory', path: 'dev', mode: 0o755 },
  { type: 'directory', path: 'bin', mode: 0o755 },
  { type: 'directory', path: 'proc', mode: 0o755 },
  { type: 'node', path: 'dev/console', mode: 0o600, device: 'character', major: 5, minor: 1 },
  {
    type: 'file',
    path: 'bin/busybox',
    mode: 0o755,
    content: readFileSync('build/busybox/busybox'),
  },
  { type: 'link', path: 'init', mode: 0o777, target: 'missing' },
];
const initrd = join(directory, 'initrd');
writeFileSync(initrd, cpio(busyboxRoot, 0));

const INIT = `#!/bin/busybox sh
/bin/busybox --install -s /bin
export PATH=/bin PS1='vm# '
mount -t devtmpfs devtmpfs /dev
echo 'up and running'
exec setsid cttyhack sh
`;
const shell = {
  initrd,
  append: 'quiet',
  extraFiles: [
    { path: '/init', mode: 0o755, content: INIT },
    { path: '/note', content: 'from the second archive' },
  ],
};

t.test('boot() with extra files', async (t) => {
  const vm = await bootOnce(t, shell);
  t.equal(await bootOnce(t, shell), vm, 'one machine for the same options');
  await vm.console.expect('up and running');
  t.same(await vm.run('cat /note'), { output: 'from the second archive', code: 0 }, 'output');
  t.same(await vm.run('(exit 7)'), { output: '', code: 7 }, 'exit status');
  t.same(await vm.run(`echo "it's"; echo two`), { output: "it's\ntwo", code: 0 }, 'quotes');
  t.same(await vm.run('x=5 && cd /bin'), { output: '', code: 0 }, 'state is kept');
  t.same(await vm.run('echo $x $PWD'), { output: '5 /bin', code: 0 }, 'from one to the next');
  t.match(await vm.run('nothing-there'), { output: /not found/, code: 127 }, 'stderr too');
  await t.rejects(
    vm.console.expect('never said', 100),
    /Cannot find never said .* not within 0.1 s/,
  );
  vm.send('poweroff -f');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /reboot: Power down/);
  await t.rejects(
    vm.console.expect('more'),
    /QEMU ended with 0/,
    'waiting for the dead fails at once',
  );
});

t.test('a panic ends the machine', async (t) => {
  const init = { path: '/init', mode: 0o755, content: '#!/bin/busybox true\n' };
  const vm = await boot({ initrd, extraFiles: [init] });
  t.teardown(() => vm.kill());
  t.match((await vm.ended).transcript, /Kernel panic - not syncing: Attempted to kill init/);
});

t.test('a second line, and a disk that is pulled', async (t) => {
  const disk = join(directory, 'disk');
  writeFileSync(disk, Buffer.alloc(2 ** 20));
  const disks = [{ file: disk, bus: 'virtio-scsi' } as const];
  const vm = await bootOnce(t, { ...shell, secondLine: true, disks });
  await vm.console.expect('up and running');
  // What is typed at a line that nobody has opened is lost.
  await vm.run('exec 5< /dev/ttyS1');
  vm.second?.send('hello');
  t.match(await vm.run('read -r word <&5; echo "<$word>"'), { output: '<hello>' });
  await vm.run('echo and back > /dev/ttyS1');
  await vm.second?.console.expect('and back');
  await vm.run('mkdir /sys; mount -t sysfs sysfs /sys');
  const pci = 'cat /sys/bus/pci/devices/*/vendor | grep -c 0x1af4';
  t.same(await vm.run(pci), { output: '1', code: 0 }, 'the disk is behind a controller');
  t.match(await vm.monitor.execute('query-block'), [{ device: 'drive0' }], 'QEMU knows it');
  await t.rejects(
    vm.monitor.execute('device_del', { id: 'nobody' }),
    /Cannot device_del: .*nobody/,
  );
});
