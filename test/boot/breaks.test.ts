/**
 * The boot stops where the kernel command line says so, gives a shell with job control, and goes on
 * when that ends. It asks before it decides, and no command line at all keeps it from a console.
 */
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { boot } from './harness.ts';
import { start } from './machine.ts';

/** What svinit says when everything wanted is up, done or known to fail. */
const SETTLED = /svinit: \d+ services up in .*\n/;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: phases and questions`, (t) => phases(t, runtime));
  t.test(`${runtime}: a hostile command line`, (t) => hostile(t, runtime));
}

async function phases(t: Test, runtime: Runtime): Promise<void> {
  const append = 'loglevel=1 rd.break=cmdline,pre-trigger rd.break=pre-udev svinit.interactive';
  const vm = await boot({ runtime, append });
  t.teardown(() => vm.kill());
  const target = /target to bring up \[default\]/;

  await vm.console.expect('(cmdline) /# ');
  vm.send('ls -d /sys/kernel; exit');
  await vm.console.expect('ls: /sys/kernel: No such file or directory\n');
  await vm.console.expect('(pre-udev) /# ');
  vm.send('ls -d /sys/kernel; tty; exit');
  await vm.console.expect('/sys/kernel\n/dev/ttyS0\n');
  await vm.console.expect(target);
  vm.send('shell');
  await vm.console.expect('(svinit) /# ');
  vm.send('exit');
  await vm.console.expect(target);
  vm.send('../x');
  await vm.console.expect("svinit: the name '../x' has a character other than");
  await vm.console.expect(target);
  vm.send('nosuch');
  await vm.console.expect('(pre-trigger) /# ');
  const { output } = await vm.run('tty; svctl ls console pre-trigger modules');
  t.match(output, /^\/dev\/ttyS0\n/, 'a terminal of its own');
  t.match(output, /console +down/, 'no other shell is at the console');
  t.match(output, /modules +waiting/, 'what comes next has not begun');
  vm.send('exit');
  await vm.console.expect(SETTLED);
  await vm.console.expect('there is no target nosuch: early services are up');
  t.match(await vm.run('svctl ls console'), { output: /console +up/ }, 'the console is back');
  t.match(await vm.run('svctl reexec && svctl status'), { output: /target nosuch/ });
}

/** As much as a kernel takes (COMMAND_LINE_SIZE of asm/setup.h); test/core has more of it. */
async function hostile(t: Test, runtime: Runtime): Promise<void> {
  const nonsense = [
    ...['emergency', 'rd.break=nowhere', 'svinit.target=../../etc', 'root=\u001b[2J', 'init='],
    ...['svinit.parallel=-1', 'rd.ctty=/etc/shadow', 'svinit.__proto__=1', 'fsck.mode=\u00ff'],
    ...['svinit.handover=', 'hunter.password=hunter2', 'rootflags=user=me,password=hunter3'],
  ];
  const filler = Array.from({ length: 400 }, (_, i) => `x${i}.y=${'ab"'.repeat(i % 3)}`);
  const append = [...nonsense, ...filler].join(' ').slice(0, 2000);
  const m = await start(t, runtime, { append });
  const services = [...(await m.services()).values()].filter(({ state }) => state !== 'down');
  const names = services.map(({ name }) => name).sort();
  t.match(names.join(' '), /^console( console-\S+)* svlog$/, 'nothing but consoles and a log');
  const { output } = await m.run('svctl boot --options');
  t.match(output, /emergency +Bring up a console/);
  t.match(output, /rootflags=user=me,password=\[redacted\]/);
  t.match(output, "Cannot use rd.break: it says 'nowhere', expected one or more of cmdline");
  const { output: report } = await m.run('svctl report');
  t.match(report, 'hunter.password=[redacted]');
  t.notMatch(`${output}${report}`, /hunter[23]|\u001b/);
}
