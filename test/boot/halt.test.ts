/**
 * The way down: services stop in the reverse order of their needs, nothing that is deaf or frozen
 * holds the machine up, and in the end it really is off, or starts anew.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { idle, serviceFiles, stamping } from './fixtures.ts';
import { droppedLines, type Machine, start, within } from './machine.ts';

/** `slow` ends when it is told to through a FIFO, so that there is time to look at the rest. */
const extraFiles = serviceFiles({
  base: stamping(),
  middle: stamping(['base']),
  slow: stamping(['middle'], 'mkfifo /run/slow; echo > /run/slow-asks; read -r _ < /run/slow'),
  endless: { run: idle("trap '' TERM"), 'timeout-kill': '0\n' },
  deaf: {
    run: idle("trap '' TERM\necho > /run/deaf-is-up"),
    'timeout-kill': '500\n',
  },
  frozen: { run: idle('kill -STOP $$'), 'timeout-kill': '0\n' },
  'deaf-and-frozen': {
    run: idle("trap '' TERM HUP INT\nkill -STOP $$"),
    'timeout-kill': '500\n',
  },
});

/** Processes of nobody: one ignores what it is told, one is stopped, one does as it is told. */
const STRAYS = [
  `trap "" TERM; exec sleep 2147483647`,
  'kill -STOP $$; exec sleep 2147483647',
  'exec sleep 2147483647',
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a power-off with obstacles`, async (t) => {
    const m = await start(t, runtime, { extraFiles });
    const test = (title: string, run: (t: Test, m: Machine) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, m));
    await test('a power-off that is to come later is told to people, and called off', later);
    await test('F51 asked for twice it is one shutdown, and nothing else can be asked', askedTwice);
    await test('what is waited for is named, on the console too, and can be let go', waitedFor);
    await test('services stop in reverse, and the machine is off', poweredOff);
  });

  t.test(`${runtime}: svctl reboot starts the machine anew`, async (t) => {
    const { vm } = await start(t, runtime);
    vm.send('svctl reboot');
    await vm.console.expect(/Going down \(reboot\): services are stopping\n/);
    const { code, transcript } = await vm.ended;
    t.equal(code, 0, 'QEMU ends');
    t.match(transcript, /svinit: all services are down\n/);
    t.match(transcript, /reboot: Restarting system/);
    t.notMatch(transcript, /Kernel panic|cannot halt/);
  });
}

async function later(t: Test, m: Machine): Promise<void> {
  const asked = await m.sh('shutdown -r +30 new kernel');
  t.match(asked, /^scheduled: reboot in 30 min \(reboot by uid 0\): new kernel$/m);
  t.match(m.vm.console.transcript, /The machine restarts in 30 min: new kernel/);
  t.match(await m.sh('svctl version'), /scheduled: reboot in .*: new kernel/);
  await m.sh('svctl reexec');
  t.match(await m.sh('shutdown --show'), /^scheduled: reboot in .*: new kernel$/m);
  t.match(await m.sh('shutdown -c'), /^cancelled: scheduled: reboot/m);
  t.match(m.vm.console.transcript, /The machine does not go down: cancelled/);
  t.match(await m.version(), { image: 2, halting: null, scheduled: null });
  t.match(await m.run('telinit 3'), { code: 2, output: /svinit has no runlevels/ });
}

async function waitedFor(t: Test, m: Machine): Promise<void> {
  const { pid } = await m.service('endless');
  const status = await m.sh('svctl shutdown status');
  t.match(status, /^going down: poweroff by uid 0; what still runs in .* is killed$/m);
  t.match(
    status,
    new RegExp(`^ {2}endless: stopping for .*, pid ${pid}, is not killed by itself$`, 'm'),
  );
  t.match(status, /^ {2}base: pid \d+, stops after middle$/m);
  await m.vm.console.expect(/svinit: poweroff waits for [^\n]*endless \(pid \d+, stopping for /);
  t.match(await m.run('svctl shutdown skip base'), { code: 1, output: /middle must stop first/ });
  t.match(await m.sh('svctl shutdown skip endless'), /^killed, and not waited for: endless$/m);
  await m.sh('svctl wait --timeout 60s endless:down');
}

async function askedTwice(t: Test, m: Machine): Promise<void> {
  await m.sh('mkfifo /run/slow-asks');
  for (const stray of STRAYS) {
    // What is in the cgroup of a service ends with it.
    const stays = `echo 0 > /sys/fs/cgroup/cgroup.procs; ${stray}`;
    await m.sh(`setsid sh -c '${stays}' < /dev/null > /dev/null 2>&1 &`);
  }
  t.match(await m.sh('svctl poweroff'), /Going down \(poweroff\): services are stopping/);
  await m.sh(within('read -r _ < /run/slow-asks'));
  t.match(await m.sh('svctl poweroff'), /Going down \(poweroff\)/, 'once more: the same');
  t.match(await m.sh('poweroff'), /Going down \(poweroff\)/, 'and by its other name');
  const reboot = await m.run('svctl reboot');
  t.equal(reboot.code, 1);
  t.match(reboot.output, /Cannot reboot: a poweroff is under way/);
  const started = await m.run('svctl start deaf');
  t.equal(started.code, 1);
  t.match(started.output, /going down \(poweroff\)/);
  t.match(await m.version(), { halting: 'poweroff' });
  const services = await m.services();
  t.match(services.get('slow'), { state: 'stopping' });
  for (const name of ['middle', 'base']) {
    t.match(services.get(name), { state: 'up', want: 'down' }, `${name} is still needed`);
  }
  await m.sh('svctl wait --timeout 60s deaf:down frozen:down deaf-and-frozen:down');
  const ended = await m.services();
  for (const name of ['deaf', 'deaf-and-frozen']) {
    t.match(ended.get(name), { lastExit: 'killed by KILL' }, `${name} did not hear it`);
  }
  t.match(ended.get('frozen'), { lastExit: 'killed by TERM' }, 'frozen was thawed to hear it');
  t.match(ended.get('console'), { state: 'up' }, 'the console is still there');
}

async function poweredOff(t: Test, { vm }: Machine): Promise<void> {
  const from = vm.console.transcript.length;
  vm.send('echo > /run/slow');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  const said = transcript.slice(from);
  const services = ['slow', 'middle', 'base', 'console', 'svlog'];
  const order = [
    ...services.map((name) => `[--] ${name} down\n`),
    ...['svinit: all services are down\n', 'killing ', 'power off\n', 'reboot: Power down\n'],
  ];
  const missing = order.filter((words) => !said.includes(words));
  t.ok(missing.length <= droppedLines(said), `nothing is left out: ${missing.join(', ')}`);
  const at = order.map((words) => said.indexOf(words)).filter((index) => index >= 0);
  const sorted = at.toSorted((a, b) => a - b);
  t.same(at, sorted, 'services stop in reverse, the early ones last, then the rest');
  t.match(said, /ending 3 other processes/, 'what is no service is told to end');
  t.match(said, /killing 1 that did not end/, 'and killed if it does not');
  t.equal(transcript.split('reboot: Power down').length, 2, 'once');
  t.notMatch(said, /Kernel panic|cannot halt|took too long/);
}
