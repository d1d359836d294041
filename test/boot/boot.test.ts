/**
 * The image boots, and the machine is what was planned: mounts, devices, a private directory, and a
 * console one can work at.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { DEV, DEVICES, LINKS, PROC, VIRTUAL } from '../../src/core/boot-tables.ts';
import { droppedLines, type Machine, start, within } from './machine.ts';

/** /proc/mounts as planned. Sizes that follow from the memory are left out. */
// biome-ignore format: read it as a table
const MOUNTS: readonly string[] = [
  'proc /proc proc rw,nosuid,nodev,noexec,relatime',
  'devtmpfs /dev devtmpfs rw,nosuid,relatime,mode=755',
  'sysfs /sys sysfs rw,nosuid,nodev,noexec,relatime',
  'devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=666',
  'tmpfs /dev/shm tmpfs rw,nosuid,nodev,relatime',
  'mqueue /dev/mqueue mqueue rw,nosuid,nodev,noexec,relatime',
  'tmpfs /run tmpfs rw,nosuid,nodev,mode=755',
  'cgroup2 /sys/fs/cgroup cgroup2 rw,nosuid,nodev,noexec,relatime,nsdelegate,favordynmods,' +
    'memory_recursiveprot',
  'tmpfs /run/svinit tmpfs rw,nosuid,nodev,relatime,size=16384k,mode=711',
];

/** Mounts as a distribution's initramfs leaves them (`init` of initramfs-tools), with marks in. */
const PREPARED = `#!/bin/busybox sh
b=/bin/busybox
$b mount -t sysfs -o nodev,noexec,nosuid sysfs /sys
$b mount -t proc -o nodev,noexec,nosuid proc /proc
$b mount -t devtmpfs -o nosuid,mode=0755 udev /dev
$b mkdir /dev/pts
$b mount -t devpts -o noexec,nosuid,gid=5,mode=0620 devpts /dev/pts
$b mount -t tmpfs -o nodev,noexec,nosuid,size=10%,mode=0755 tmpfs /run
echo kept > /dev/mark
echo kept > /run/mark
exec /usr/sbin/init
`;

/** What is otherwise than planned after PREPARED. */
const AS_PREPARED: ReadonlyMap<string, string> = new Map([
  ['/dev', 'udev /dev devtmpfs rw,nosuid,relatime,mode=755'],
  ['/dev/pts', 'devpts /dev/pts devpts rw,nosuid,noexec,relatime,gid=5,mode=620,ptmxmode=000'],
  ['/run', 'tmpfs /run tmpfs rw,nosuid,nodev,noexec,relatime,mode=755'],
]);

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: the image as it is`, async (t) => {
    const m = await start(t, runtime);
    const test = (title: string, run: (t: Test, m: Machine) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, m));
    await test('the console shows each step and each service', telling);
    await test('every filesystem is mounted once, as planned', mounts);
    await test('C14 /run/svinit is a tmpfs of its own, for root alone', privateDirectory);
    await test('devices and links have their numbers and modes', devices);
    await test('a pseudo terminal can be had', pseudoTerminal);
    await test('the console shell has its terminal', controllingTerminal);
    await test('ctrl-C interrupts what runs in the foreground', interrupt);
    await test('a console shell that ends is started again', respawn);
    await test('svctl prints plain ASCII on a serial console', plainText);
    await test('svctl top draws on a serial console, obeys keys, and goes away', liveView);
    await test('svctl boot tells the times and the command line', bootTimes);
    await test('what fails at once is tried again, later and later', backoff);
    await test('svctl halt stops the machine and leaves it on', halt);
  });

  t.test(`${runtime}: mounts of an earlier initramfs are kept, none is doubled`, async (t) => {
    const init = { path: '/init', mode: 0o755, content: PREPARED };
    const { sh, services } = await start(t, runtime, { extraFiles: [init] });
    const planned = MOUNTS.map((line) => AS_PREPARED.get(targetOf(line)) ?? line);
    t.same(mountLines(await sh('cat /proc/mounts')).toSorted(), planned.toSorted());
    t.equal(await sh('cat /dev/mark /run/mark'), 'kept\nkept', 'what was in them is still there');
    t.equal((await services()).get('worker')?.state, 'up', 'services are up all the same');
  });
}

async function telling(t: Test, { vm }: Machine): Promise<void> {
  const said = vm.console.transcript;
  t.match(said, /^svinit \d+\.\d+\.\d+ on (bun|node) \d+/m, 'who it is');
  t.match(said, /^ {2}done: mount -t tmpfs .* \/run\/svinit$/m, 'steps of stage 1');
  t.notMatch(said, /^ {2}failed:/m, 'none of which failed');
  const lines = ['svlog up', 'console up', 'data done', 'web up', 'worker up', 'klog up'];
  const times = lines.map((line) => said.split(`[ok] ${line}\n`).length - 1);
  t.ok(Math.max(...times) <= 1, 'each service is told of once');
  const missing = lines.filter((_, i) => times[i] === 0);
  t.ok(missing.length <= droppedLines(said), `none is left out: ${missing.join(', ')}`);
  t.ok((said.match(/\[!!\]/g)?.length ?? 0) <= 1, 'what keeps failing is told once');
  const order = [...lines.slice(2, 5), ' services up in '].map((line) => said.indexOf(line));
  const found = order.filter((at) => at >= 0);
  t.same(
    found,
    found.toSorted((a, b) => a - b),
    'in the order of their needs',
  );
}

async function mounts(t: Test, { sh }: Machine): Promise<void> {
  t.same(mountLines(await sh('cat /proc/mounts')).toSorted(), MOUNTS.toSorted());
  const rows = [PROC, DEV, ...VIRTUAL].map(({ target }) => target);
  t.same(
    [...rows, '/run/svinit'].sort(),
    MOUNTS.map(targetOf).sort(),
    'no row of the plan is missing',
  );
}

async function privateDirectory(t: Test, { sh, run }: Machine): Promise<void> {
  t.equal(await sh(`stat -c '%u:%g %F' /run/svinit`), '0:0 directory');
  const [root, run_, own, tmp] = (await sh('stat -c %d / /run /run/svinit /tmp')).split('\n');
  t.not(own, run_, 'it is not /run');
  t.not(own, tmp, 'nor /tmp');
  t.not(own, root, 'nor the root');
  t.equal(await sh(`stat -c '%a %u:%g %F' /run/svinit/control`), '600 0:0 socket');
  const nobody = 'setpriv --reuid 65534 --regid 65534 --clear-groups';
  const attempts = ['ls /run/svinit', 'touch /run/svinit/x', 'touch /run/svinit/services/x'];
  for (const attempt of [...attempts, 'ls /run/svinit/log', 'ls /run/log/svinit']) {
    const { output, code } = await run(`${nobody} ${attempt}`);
    t.not(code, 0, `nobody may not ${attempt}`);
    t.match(output, /Permission denied/);
  }
  t.match(await sh(`${nobody} svctl`), /web +up/, 'but look at services');
  const asked = await run(`${nobody} svctl stop web`);
  t.equal(asked.code, 7, 'and stop none');
}

/** svdev gives them to the group tty, as udev does (rules.d/50-udev-default.rules). */
const TERMINALS: ReadonlySet<string> = new Set(['/dev/ptmx', '/dev/tty']);
const TTY_GID = 5;

async function devices(t: Test, { sh }: Machine): Promise<void> {
  for (const { path, major, minor, mode } of DEVICES) {
    const numbers = `${major.toString(16)}:${minor.toString(16)}`;
    const gid = TERMINALS.has(path) ? TTY_GID : 0;
    const expected = `character special file ${numbers} ${mode.toString(8)} 0:${gid}`;
    t.equal(await sh(`stat -c '%F %t:%T %a %u:%g' ${path}`), expected, path);
  }
  for (const [path, target] of LINKS) t.equal(await sh(`readlink ${path}`), target, path);
  t.equal(await sh(`echo through | cat /dev/fd/0 /dev/null`), 'through', 'they lead somewhere');
}

async function pseudoTerminal(t: Test, { sh }: Machine): Promise<void> {
  // telnetd gives its program a terminal; the FIFO is a connection on which nobody ever speaks.
  await sh('mkfifo /run/line');
  const terminal = `telnetd -i -l /usr/bin/tty <> /run/line | tr -dc '[a-z0-9/\\n]'`;
  t.match(await sh(within(terminal)), /^\/dev\/pts\/0$/m, 'the program has it');
  const node = `exec 7<>/dev/ptmx && stat -c '%a %u:%g %t:%T' /dev/pts/0`;
  t.equal(await sh(`(${node})`), '620 0:5 88:0', 'and it belongs to group tty');
}

async function controllingTerminal(t: Test, { vm, sh }: Machine): Promise<void> {
  t.equal(await sh('tty'), '/dev/ttyS0');
  const [pid, , , , group, session, terminal] = (await sh('cat /proc/$$/stat')).split(' ');
  t.equal(session, pid, 'it leads its session');
  t.equal(group, pid, 'and its process group');
  t.equal(Number(terminal), (4 << 8) | 64, 'of which ttyS0 is the terminal: linux/major.h');
  t.notMatch(vm.console.transcript, /job control/, 'the shell has no complaint');
  t.equal(await sh('echo seen > /dev/tty'), 'seen', 'and programs find it as /dev/tty');
}

async function interrupt(t: Test, { vm, sh }: Machine): Promise<void> {
  // The marks look different when they are typed than when they are printed.
  vm.send(`sh -c 'trap "echo inter""rupted; exit" INT; echo run""ning; sleep 2147483647'`);
  await vm.console.expect(/^running$/m);
  // Before sleep is born the shell keeps the signal until sleep ends: it is sent until it is seen.
  const again = setInterval(() => vm.send('\x03'), 2000);
  vm.send('\x03');
  await vm.console.expect(/^(?:\^C)*interrupted$/m).finally(() => clearInterval(again));
  t.notMatch(await sh('ps -o args'), /^sleep 2147483647/m, 'nothing of it is left');
}

async function respawn(t: Test, { vm, sh, service }: Machine): Promise<void> {
  const [before, { restarts }] = [await sh('echo $$'), await service('console')];
  vm.send('exit');
  await vm.console.expect('This machine runs svinit');
  t.not(await sh('echo $$'), before, 'another shell');
  t.match(await service('console'), { restarts: restarts + 1, state: 'up', lastExit: 'exit 0' });
  t.equal(await sh('tty'), '/dev/ttyS0', 'with the terminal');
}

async function plainText(t: Test, { run }: Machine): Promise<void> {
  const lines = ['svctl', 'svctl status', 'svctl status web', 'svctl why flaky', 'svctl waves'];
  for (const line of [...lines, 'svctl deps worker', 'svctl help', 'svctl nonsense']) {
    const { output } = await run(line);
    t.match(output, /^[\x20-\x7e\n]+$/, line);
  }
}

/** Only what changes on the screen is written, so what is looked for is new in its place. */
async function liveView(t: Test, { vm, sh, service }: Machine): Promise<void> {
  const { pid } = await service('web');
  vm.send('svctl top');
  await vm.console.expect(/svinit \S+ up .*image 1 .*services/);
  await vm.console.expect('j/k choose');
  // By name, the last but one; each key is one of many in a line, its newline none.
  vm.send('NGkr');
  await vm.console.expect(/\bdone\b/);
  vm.send('q');
  t.equal(await sh('echo ba""ck'), 'back', 'the shell has its terminal again');
  t.not((await service('web')).pid, pid, 'the one that was chosen was restarted');
}

async function bootTimes(t: Test, { sh }: Machine): Promise<void> {
  t.match(await sh('svctl boot'), /until svinit began .*\n.* stages 0 and 1\n.* services were up/);
  t.match(await sh('svctl boot --options'), /^console=ttyS0 +A console/m);
}

async function backoff(t: Test, { sh, service }: Machine): Promise<void> {
  const log = '/run/log/svinit/svinit/current';
  await sh(within(`until [ "$(grep -c 'flaky is backoff' ${log})" -ge 5 ]; do sleep 1; done`));
  const words = [
    ...(await sh(`cat ${log}`)).matchAll(/flaky is backoff: exit 1; next try in ([\d.]+) (ms|s)"/g),
  ];
  const delays = words.map(([, number, unit]) => Number(number) * (unit === 's' ? 1000 : 1));
  t.ok(delays.length >= 5, `${delays.join(', ')} ms`);
  // Twice as long for each failure, at most half a minute, with 10 % of chance and of rounding. Two
  // failures count for one delay when the machine was so busy that flaky ran for a second.
  const exponents = delays.map((delay) => Math.round(Math.log2(delay / 100)));
  for (const [i, delay] of delays.entries()) {
    const exponent = exponents[i] ?? 0;
    const expected = Math.min(100 * 2 ** exponent, 30_000);
    t.ok(Math.abs(delay - expected) <= 0.11 * expected, `${delay} ms is about ${expected} ms`);
    const before = exponents[i - 1] ?? -1;
    t.ok(exponent > before || expected === 30_000, 'and longer than the one before');
  }
  const why =
    'until why=$(svctl why flaky); case $why in *"next try: in"*) true;; *) false; esac; do :; done';
  t.match(
    await sh(within(`${why}; echo "$why"`)),
    /^x flaky: backoff for .* - exit 1; next try in /,
  );
  t.ok((await service('flaky')).restarts >= 4, 'svctl counts the restarts');
}

async function halt(t: Test, { vm }: Machine): Promise<void> {
  vm.send('svctl halt');
  await vm.console.expect('svinit: all services are down\n');
  await vm.console.expect('reboot: System halted');
  t.notOk(vm.console.closed, 'the machine is still on');
}

/** The lines of /proc/mounts but that of the root, without what depends on the machine's size. */
function mountLines(text: string): string[] {
  const lines = text.split('\n').filter((line) => !line.startsWith('rootfs / '));
  return lines.map((line) => {
    const [source, target, type, options = ''] = line.split(' ');
    const sized = target === '/run/svinit' ? /^inode64$/ : /^(inode64|(size|nr_inodes)=.*)$/;
    const kept = options.split(',').filter((option) => !sized.test(option));
    return `${source} ${target} ${type} ${kept.join(',')}`;
  });
}

function targetOf(line: string): string {
  return line.split(' ')[1] ?? '';
}
