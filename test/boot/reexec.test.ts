/**
 * PID 1 replaces its own image, and nobody notices: services keep their pids and their time, no
 * log line is lost or doubled, who waits is answered, and a service starts from the same state
 * before and after.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import type { ServiceView } from '../../src/core/methods.ts';
import { idle, serviceFiles } from './fixtures.ts';
import { type Machine, start, within } from './machine.ts';

/** How often the image is replaced while services run. */
const TIMES = 5;

const LOG = '/run/log/svinit/count';

/** Prints numbered lines for as long as it runs, and then how many they were. */
const COUNT = `#!/bin/sh
trap 'echo "end $n"; exit 0' TERM
n=0
while :; do
  n=$((n + 1))
  echo "line $n"
  usleep 10000
done
`;

/** Tells of each gap and each repetition in the lines of COUNT, and at the end how many it saw. */
const CHECK = `cat ${LOG}/* | awk '
$2 == "line" { if ($3 != seen + 1) print "after", seen, "comes", $3; seen = $3 }
$2 == "end" { print "end", $3, "seen", seen }'
`;

/** The state that process $1 was started in and has not changed. */
const STATE = `#!/bin/sh
cd /proc/$1
echo 'environment'; tr '\\0' '\\n' < environ
echo 'arguments'; tr '\\0' '\\n' < cmdline
echo 'limits'; cat limits
echo 'status'; grep -E '^(Umask|[UG]id|Groups|S(ig|hd)(Pnd|Blk|Ign|Cgt)|Cap|NoNew|Seccomp|Cpus|Mems)' status
echo 'leads its session and group, has a terminal, nice, policy'
awk '{ print $1 == $6, $1 == $5, $7, $19, $41 }' stat
echo 'descriptors'
for fd in fd/*; do
  echo "$fd $(readlink $fd | sed 's/:.*/:/') $(grep flags fdinfo/\${fd#fd/})"
done
echo 'places'; for link in cwd root ns/*; do readlink $link; done; cat cgroup
echo 'other'; cat oom_score_adj coredump_filter timerslack_ns personality loginuid 2>&1
`;

const extraFiles = [
  ...serviceFiles({
    count: { run: COUNT },
    gate: {
      run: idle('mkfifo /run/gate; read -r _ < /run/gate; echo >&3'),
      'notification-fd': '3\n',
      down: '',
    },
    phoenix: { run: idle('mkfifo /run/phoenix 2> /dev/null; echo $$ > /run/phoenix') },
    // A program that touches nothing of what it is started with, as a shell would.
    probe: { 'service.json': '{ "command": ["sleep", "2147483647"] }\n' },
  }),
  { path: '/etc/svinit/state.sh', mode: 0o755, content: STATE },
  { path: '/etc/svinit/check.sh', content: CHECK },
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a machine whose PID 1 is replaced`, async (t) => {
    const m = await start(t, runtime, { extraFiles });
    const test = (title: string, run: (t: Test, m: Machine) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, m));
    await test('pids, uptimes and descriptors are the same after svctl reexec', unchanged);
    await test('F29 no log line is lost or doubled meanwhile', lines);
    await test('who waits for a service is answered by the next image', waiting);
    await test('a service that dies meanwhile comes back', dying);
    await test('a service starts from the same state each time', sameState);
    await test('poweroff works after all that', poweredOff);
  });
}

async function unchanged(t: Test, m: Machine): Promise<void> {
  const before = await steady(m);
  const started = await m.version();
  const counted = await lastLine(m);
  t.equal(started.image, 1);
  t.equal(await m.sh('svctl reexec'), 'svinit goes on as image 2');
  const descriptors = await openFiles(m);
  for (let image = 3; image <= TIMES + 1; image++) {
    t.equal(await m.sh('svctl reexec'), `svinit goes on as image ${image}`);
    t.match(await m.version(), { image, pid: 1 });
  }
  t.same(await steady(m), before, 'the same processes, as often started');
  const [sockets, files] = halved(await openFiles(m));
  const [socketsBefore, filesBefore] = halved(descriptors);
  t.same(files, filesBefore, 'PID 1 holds what it held');
  // The connection of an svctl that has ended may still have been open then, and not now.
  t.ok(sockets.length <= socketsBefore.length, 'and no more connections');
  t.ok(descriptors.includes('/run/svinit/log/count'), 'the end of each FIFO among them');
  const { uptimeMs } = await m.version();
  t.ok(uptimeMs > started.uptimeMs, 'its own uptime goes on');
  for (const [name, { forMs }] of await m.services()) {
    if (name !== 'flaky')
      t.ok(forMs > uptimeMs - started.uptimeMs, `${name}: and so does this one`);
  }
  t.ok((await lastLine(m)) > counted, 'lines were printed all the time');
  const told = await m.sh(`grep -o 'image [0-9]* goes on' /run/log/svinit/svinit/current`);
  const images = Array.from({ length: TIMES }, (_, i) => `image ${i + 2} goes on`);
  t.same(told.split('\n'), images, 'each image says once that it is there');
}

async function lines(t: Test, m: Machine): Promise<void> {
  await m.sh('svctl stop count');
  await m.sh(within(`until cat ${LOG}/* | grep -q ' end '; do sleep 1; done`));
  const said = await m.sh('sh /etc/svinit/check.sh');
  const [, end, seen] = /^end (\d+) seen (\d+)$/.exec(said) ?? [];
  t.equal(seen, end, said);
  t.ok(Number(end) > 0, `${end} lines, each once and in order`);
}

async function waiting(t: Test, m: Machine): Promise<void> {
  await m.sh('svctl start --no-wait gate');
  await m.sh('(svctl wait gate:ready; echo "exit $?") > /run/waited 2>&1 &');
  // Connected (03): accepted, besides the one that listens (net/unix/af_unix.c).
  await m.sh(within(`until grep -q ' 03 .*/run/svinit/control' /proc/net/unix; do :; done`));
  await m.sh('svctl reexec');
  t.match(await m.service('gate'), { state: 'starting', restarts: 0 });
  await m.sh(within('echo > /run/gate; until grep -q exit /run/waited; do sleep 1; done'));
  t.equal(await m.sh('cat /run/waited'), 'gate: up\nexit 0');
  t.match(await m.service('gate'), { state: 'up', cause: 'ready' }, 'readiness reached PID 1 too');
}

async function dying(t: Test, m: Machine): Promise<void> {
  let pid = Number(await m.sh(within('cat /run/phoenix')));
  const { restarts } = await m.service('phoenix');
  for (let round = 1; round <= 3; round++) {
    await m.sh(`svctl reexec > /run/told & usleep ${round * 100_000}; kill -KILL ${pid}; wait`);
    t.match(await m.sh('cat /run/told'), /^svinit goes on as image \d+$/);
    const next = Number(await m.sh(within('cat /run/phoenix')));
    t.not(next, pid, 'another process');
    pid = next;
    t.match(await m.service('phoenix'), { pid, state: 'up', restarts: restarts + round });
  }
}

async function sameState(t: Test, m: Machine): Promise<void> {
  const first = await m.service('probe');
  const state = (pid: number | null) => m.sh(`/etc/svinit/state.sh ${pid}`);
  const boot = await state(first.pid);
  const pids = new Set([first.pid]);
  const again = async (how: string, command: string): Promise<void> => {
    await m.sh(command);
    const { pid, state: word } = await nextOf(m, pids);
    t.equal(word, 'up', how);
    t.equal(await state(pid), boot, how);
  };
  const kill = async () => `kill -KILL ${(await m.service('probe')).pid}`;
  await again('by hand', 'svctl stop probe && svctl start probe');
  await again('restarted', 'svctl restart probe');
  await again('after a crash', await kill());
  await again('after a re-exec', 'svctl reexec && svctl restart probe');
  await again('after a crash after that', await kill());
  cleanState(t, boot);
}

/** Not merely always the same, but what the documentation promises. */
function cleanState(t: Test, state: string): void {
  const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  t.match(state, `environment\nPATH=${path}\narguments\nsleep\n2147483647\nlimits\n`);
  t.match(state, /^Umask:\t0022$/m);
  for (const set of ['SigBlk', 'SigIgn', 'SigCgt', 'SigPnd', 'ShdPnd']) {
    t.match(state, `${set}:\t0000000000000000\n`);
  }
  t.match(state, /^Max open files +1024 +\d+ +files/m);
  t.match(state, /terminal, nice, policy\n1 1 0 0 0\n/);
  const log = '/run/svinit/log/probe flags:\t0100001';
  const files = [`fd/0 /dev/null flags:\t0100000`, `fd/1 ${log}`, `fd/2 ${log}`];
  t.match(
    state,
    `\ndescriptors\n${files.join('\n')}\nplaces\n/etc/svinit/services/probe\n/\n`,
    'none of them non-blocking',
  );
}

/** The probe once it has a pid that it did not have before. */
async function nextOf(m: Machine, known: Set<number | null>): Promise<ServiceView> {
  for (;;) {
    const view = await m.service('probe');
    if (view.pid !== null && !known.has(view.pid)) {
      known.add(view.pid);
      return view;
    }
  }
}

async function poweredOff(t: Test, { vm }: Machine): Promise<void> {
  vm.send('poweroff');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /reboot: Power down/);
}

/** All services but the one that never is: pid, restarts, and when the process began, in ticks. */
async function steady(m: Machine): Promise<readonly (readonly [string, string])[]> {
  const views = [...(await m.services()).values()].filter(({ name }) => name !== 'flaky');
  const running = views.flatMap(({ pid }) => (pid === null ? [] : [pid]));
  const stats = await m.sh(`cd /proc; for p in ${running.join(' ')}; do cat $p/stat; done; cd`);
  const begun = new Map(
    stats.split('\n').map((line) => {
      const words = line.split(' ');
      return [Number(words[0]), words[21]] as const;
    }),
  );
  return views.map(({ name, pid, restarts, state }) => {
    return [name, `${state}, pid ${pid}, ${restarts} restarts, since ${begun.get(pid ?? 0)}`];
  });
}

/**
 * What PID 1 has open, without numbers: files, FIFOs, sockets and pipes. What the runtime opens for
 * itself as it goes along (anon_inode) is its own affair.
 */
async function openFiles(m: Machine): Promise<readonly string[]> {
  const links = 'for fd in /proc/1/fd/*; do readlink $fd; done';
  const found = await m.sh(`${links} | grep -v anon_inode | sed 's/[0-9]*]$//' | sort`);
  return found.split('\n');
}

/** The connections among open files, and the others. */
function halved(files: readonly string[]): readonly [readonly string[], readonly string[]] {
  const isSocket = (file: string): boolean => file.startsWith('socket:');
  return [files.filter(isSocket), files.filter((file) => !isSocket(file))];
}

async function lastLine(m: Machine): Promise<number> {
  return Number(await m.sh(`tail -n 1 ${LOG}/current | awk '{ print $3 }'`));
}
