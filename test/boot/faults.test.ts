/**
 * Faults that only a machine of its own can have: its clock, its cgroups, its memory, its root and
 * /proc. In the end PID 1 is frozen, and the watchdog ends the machine.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, IDLE, idle, serviceFiles } from './fixtures.ts';
import type { ExtraFile } from './harness.ts';
import { type Machine, start, within } from './machine.ts';
import { MODULES, moduleFiles, noModules } from './modules.ts';
import { BEAT, type Condition, condition, expectOracle, oracleFiles, pidsOf } from './oracle.ts';

/** Room for both runtimes, and for a hog of some hundred MiB. */
const MEMORY_MIB = 512;
/** Longer than PID 1 is ever kept from looking by an emulated CPU. */
const WATCHDOG_S = 15;
const HOUR_MS = 3_600_000;
/** s6-supervise(8) waits so long after each death: the looper has this dialect. */
const S6_DELAY_MS = 1000;

const definitions = {
  default: bundle('console'),
  beat: BEAT,
  // Given up after the fifth failure: what is refused for want of a resource is none.
  victim: {
    run: IDLE,
    'service.json': '{ "restart": { "limit": 4, "window": "1h" } }\n',
  },
  hog: { run: '#!/bin/sh\nexec tail /dev/zero\n', down: '' },
  looper: { run: '#!/bin/sh\nexit 1\n', down: '', 'service.json': '{ "dialect": "s6" }\n' },
  slow: {
    run: idle('mkfifo /run/slow; read -r _ < /run/slow; echo >&3'),
    'notification-fd': '3\n',
    'timeout-up': `${HOUR_MS}\n`,
    down: '',
  },
};

const extraFiles: readonly ExtraFile[] = [
  ...serviceFiles(definitions),
  ...oracleFiles,
  ...(noModules === null ? moduleFiles('watchdog', 'softdog') : []),
];

/** Seconds since 1970; 1970 itself is refused while the machine has been up for longer. */
const CLOCKS: readonly (readonly [title: string, seconds: number])[] = [
  ['ten years on', 2_110_000_000],
  ['forty years back', 848_000_000],
  ['1970', 7200],
];

const GROUP = '/sys/fs/cgroup/full';
const LATER_MS = 60_000;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: faults of a machine`, async (t) => {
    const append = `svinit.testing svinit.watchdog=${WATCHDOG_S}`;
    const m = await start(t, runtime, { extraFiles, memoryMiB: MEMORY_MIB, append });
    let was = await condition(m);

    await t.test(`${runtime}: F44 the clock is set`, async (t) => {
      await clock(t, m);
      was = await expectOracle(t, m, was);
    });

    await t.test(`${runtime}: F11 pids.max is reached`, async (t) => {
      await noMoreProcesses(t, m, was);
      was = await expectOracle(t, m, was, { moved: ['victim'] });
    });

    await t.test(`${runtime}: F20 a service eats all memory`, async (t) => {
      await memoryHog(t, m, was);
      was = await expectOracle(t, m, was);
    });

    await t.test(`${runtime}: F40 the root becomes read-only`, async (t) => {
      await m.sh('mount -o remount,ro /');
      t.match(await m.run('touch /new'), { output: /Read-only file system/ });
      await killed(m, 'victim', was);
      t.match(await m.sh('svctl scan'), /nothing changed/);
      t.match(await m.run('svctl reexec'), { code: 0 });
      was = await expectOracle(t, m, was, { moved: ['victim'], images: 1 });
      await m.sh('mount -o remount,rw /');
    });

    await t.test(`${runtime}: F38 /proc is unmounted`, async (t) => {
      // HUP is a scan, which can read nothing now: nobody is taken for removed.
      const { victim } = Object.fromEntries(pidsOf(was));
      m.vm.send(`umount -l /proc; kill -HUP 1; kill -KILL ${victim}`);
      await m.vm.console.expect('svinit: /proc was gone and is mounted again');
      await killed(m, 'victim', was);
      was = await expectOracle(t, m, was, { moved: ['victim'] });
      t.match(await m.sh('svctl scan'), /nothing changed/);
      // An image that begins without it must still know that it is on a machine.
      m.vm.send('umount -l /proc; kill -SEGV 1');
      await m.vm.console.expect(/svinit died of SIGSEGV and goes on as image/);
      was = await expectOracle(t, m, was, { images: 1 });
    });

    await t.test(`${runtime}: the watchdog`, { skip: noModules ?? false }, async (t) => {
      await resetByWatchdog(t, m);
    });
  });
}

/** Nothing that waits goes by the clock that people set. */
async function clock(t: Test, m: Machine): Promise<void> {
  await m.sh('svctl start --no-wait slow looper');
  await m.sh('(svctl wait --timeout=10min slow:ready; echo "exit $?") > /run/waited 2>&1 &');
  // Connected (03): accepted, besides the one that listens (net/unix/af_unix.c).
  await m.sh(within(`until grep -q ' 03 .*/run/svinit/control' /proc/net/unix; do :; done`));
  await until(m, 'looper', ({ restarts }) => restarts > 0);
  for (const [title, seconds] of CLOCKS) await setClock(t, m, title, seconds);
  t.match(await m.sh('svctl logs -n 1 beat'), /^1970-/, 'logs go by it');
  await m.sh(within('echo > /run/slow; until grep -q exit /run/waited; do sleep 0.1; done'));
  t.match(await m.sh('cat /run/waited'), /^slow: up\nexit 0$/, 'who waited has the answer');
  await m.sh(`svctl stop slow looper; date -s @${Math.floor(Date.now() / 1000)}`);
}

async function setClock(t: Test, m: Machine, title: string, seconds: number): Promise<void> {
  const { uptimeMs } = await m.version();
  const before = await m.services();
  await m.sh(`date -s @${seconds}`);
  const after = await m.services();
  const elapsed = (await m.version()).uptimeMs - uptimeMs;
  t.ok(elapsed > 0 && elapsed < HOUR_MS, `${title}: svinit has been up ${elapsed} ms longer`);
  for (const [name, { pid, state, forMs, restarts }] of after) {
    const first = before.get(name);
    if (name === 'looper') {
      const most = elapsed / S6_DELAY_MS + 1;
      t.ok(restarts - (first?.restarts ?? 0) <= most, `${title}: ${name} waits as long as ever`);
      continue;
    }
    t.match({ pid, state }, { pid: first?.pid, state: first?.state }, `${title}: ${name}`);
    const more = forMs - (first?.forMs ?? 0);
    t.ok(more >= 0 && more <= elapsed, `${title}: ${name} is ${state} for ${more} ms longer`);
  }
  const tries = after.get('looper')?.restarts ?? 0;
  await until(m, 'looper', ({ restarts }) => restarts > tries);
  t.match(await m.sh('svctl status beat'), /state +up for [\d.]+ (ms|s|min)\b/, 'in words');
}

/** PID 1 can make neither a process nor a thread: it waits for better times. */
async function noMoreProcesses(t: Test, m: Machine, was: Condition): Promise<void> {
  await m.sh('cd /sys/fs/cgroup; echo +pids > cgroup.subtree_control; mkdir full; cd');
  await m.sh(`echo 1 > ${GROUP}/cgroup.procs; echo 1 > ${GROUP}/pids.max`);
  const { restarts } = await m.service('victim');
  await m.sh(`kill -KILL ${pidsOf(was).get('victim')}`);
  try {
    // A second refusal: the first is followed by one second of waiting (core/aftermath.ts).
    const isSecond = ({ state, nextTryMs }: View): boolean =>
      state === 'failed' || (nextTryMs ?? 0) > S6_DELAY_MS;
    const view = await until(m, 'victim', isSecond);
    t.match(view, { state: 'backoff', pid: null, restarts }, 'it waits to be started again');
    t.match(view.note, /clone failed with EAGAIN/, 'and why is told');
  } finally {
    await m.sh(`echo max > ${GROUP}/pids.max`);
  }
  await until(m, 'victim', ({ state }) => state === 'up');
  await m.sh('echo 1 > /sys/fs/cgroup/cgroup.procs');
}

async function memoryHog(t: Test, m: Machine, was: Condition): Promise<void> {
  const pids = [...pidsOf(was).values()];
  // oom_unkillable_task() of mm/oom_kill.c: the kernel never takes the first process of all.
  t.equal(await m.sh('cat /proc/1/oom_score'), '0', 'PID 1 is not for the kernel to kill');
  const adjusted = await m.sh(
    `cd /proc; for p in ${pids.join(' ')}; do cat $p/oom_score_adj; done`,
  );
  t.same(new Set(adjusted.split('\n')), new Set(['0']), 'services are, and none is preferred');
  await m.sh('cd; dmesg -c > /dev/null; svctl start --no-wait hog');
  const view = await until(m, 'hog', ({ restarts }) => restarts > 0);
  t.equal(view.lastExit, 'killed by KILL', 'the hog dies');
  await m.sh('svctl stop hog');
  const victims = await m.sh(`dmesg | grep -o 'Killed process [0-9]* ([^)]*)'`);
  t.match(victims, /\(tail\)/);
  t.notMatch(victims, /\((?!tail\))/, 'and nobody else');
}

async function resetByWatchdog(t: Test, m: Machine): Promise<void> {
  for (const name of ['watchdog', 'softdog']) await m.sh(`insmod ${MODULES}/${name}.ko`);
  // The driver came after svinit did, as it does where services load modules.
  const opened = `svctl logs svinit | grep -q 'watchdog resets the machine after ${WATCHDOG_S} s'`;
  await m.sh(within(`until ${opened}; do sleep 0.1; done`));
  t.match(await m.run('svctl reexec'), { code: 0 }, 'the next image goes on feeding it');
  // KERN_CRIT is what softdog says it with (drivers/watchdog/softdog.c).
  await m.sh('dmesg -n 3; mkdir /sys/fs/cgroup/ice; echo 1 > /sys/fs/cgroup/ice/cgroup.procs');
  m.vm.send('echo 1 > /sys/fs/cgroup/ice/cgroup.freeze');
  await m.vm.console.expect('softdog: Initiating system reboot', LATER_MS);
  t.match(await m.vm.ended, { code: 0 }, 'a PID 1 that does nothing any more ends in a reset');
}

type View = Awaited<ReturnType<Machine['service']>>;

/** Ends a service and waits until it is up again. */
async function killed(m: Machine, name: string, was: Condition): Promise<void> {
  const pid = pidsOf(was).get(name);
  await m.run(`kill -KILL ${pid}`);
  await until(m, name, (view) => view.state === 'up' && view.pid !== pid);
}

/** @throws {Error} with what was seen last when it does not come true. */
async function until(m: Machine, name: string, isTrue: (view: View) => boolean): Promise<View> {
  const endsAt = performance.now() + LATER_MS;
  for (;;) {
    const view = await m.service(name);
    if (isTrue(view)) return view;
    if (performance.now() >= endsAt) throw new Error(`Too long: ${JSON.stringify(view)}`);
  }
}
