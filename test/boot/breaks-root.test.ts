/**
 * A root that fails is asked about at the console, tried again, and stopped at in each of its
 * phases on the way to its own init.
 */
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { directoryFor, SMALL, smallDisk } from './disks.ts';
import { boot } from './harness.ts';
import { noModules } from './modules.ts';

const TREE = '/run/svinit/roots/os';
const MENU = 'r, s, c, b, p? ';

for (const runtime of RUNTIMES) {
  const skip = noModules ?? false;
  t.test(`${runtime}: phases of a root`, { skip }, (t) => phases(t, runtime));
}

async function phases(t: Test, runtime: Runtime): Promise<void> {
  const { file } = await smallDisk(directoryFor(t), 'small');
  const vm = await boot({
    runtime,
    modules: true,
    append:
      `loglevel=1 quiet root=LABEL=${SMALL.label} init=/sbin/init rd.timeout=2 token=hunter2 ` +
      'rd.break=initqueue,pre-mount,mount,pre-pivot,cleanup',
    devices: ['-device', 'virtio-scsi-pci,id=scsi'],
  });
  t.teardown(() => vm.kill());
  const mounts = async (): Promise<string> =>
    (await vm.run(`grep -c ' ${TREE} ' /proc/mounts`)).output;

  await vm.console.expect('(initqueue) /# ');
  vm.send('exit');
  await vm.console.expect(/the boot has failed: root: Cannot find the root LABEL=small/);
  await vm.console.expect(MENU);
  vm.send('s');
  await vm.console.expect('(rescue) /# ');
  const { output: report } = await vm.run('cat /run/svinit/report.txt');
  t.match(report, /^root +starting for .* wanted up: /m, 'a report says what the services do');
  t.match(report, 'token=[redacted]');
  t.notMatch(report, /hunter2/);
  await vm.monitor.plug('late', file);
  await vm.run(`until [ -e /dev/disk/by-label/${SMALL.label} ]; do sleep 1; done`);
  vm.send('exit');
  await vm.console.expect(MENU);
  vm.send('r');

  await vm.console.expect('(initqueue) /# ');
  vm.send('exit');
  await vm.console.expect('(pre-mount) /# ');
  t.equal(await mounts(), '0');
  vm.send('exit');
  await vm.console.expect('(mount) /# ');
  t.equal(await mounts(), '1');
  vm.send('exit');
  await vm.console.expect('(pre-pivot) /# ');
  t.match(await vm.run('svctl ls syslog'), { output: /syslog +up/ }, 'services run');
  vm.send('exit');
  await vm.console.expect('(cleanup) /# ');
  const { output: left } = await vm.run('pidof syslogd; tty');
  t.equal(left, '/dev/ttyS0', 'and are gone, before the machine is handed over');
  vm.send('exit');
  await vm.console.expect('own init is 1 ');
  t.pass('the root has the machine');
}
