/** Faults of services: what they do to themselves, to each other and to the numbers of processes. */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, script } from '../supervisor/definitions.ts';
import { type Instance, until } from '../supervisor/instance.ts';
import { before, expectOracle, machine, sh } from './oracle.ts';

const KILLS = 60;
const LOOPERS = 300;

const services: Definitions = {
  hasty: { run: script('say hasty; exit 3'), 'notification-fd': '3', down: '' },
  brief: { run: script('echo >&3; say brief; exit 4'), 'notification-fd': '3', down: '' },
  leaving: { run: script("trap 'say leaving; kill -9 $$' TERM; echo >&3; idle"), down: '' },
  daemon: {
    run: script('setsid sh -c "setsid sleep 1000000 & echo \\$! >/tmp/escaped"; idle'),
    down: '',
  },
  // Without a child: a number that is still that of a group is not given away.
  lone: { run: '#!/bin/sh\nexec sleep 1000000\n' },
  hater: { run: script('read line </tmp/now; kill -9 0'), down: '' },
  killer: { run: script('read line </tmp/now; kill -9 -1'), down: '' },
};

const victims = ['v1', 'v2', 'v3', 'v4'];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: faults of services`, async (t) => {
    const mortal = { run: script('idle') };
    const svinit = await machine(t, runtime, {
      ...services,
      ...Object.fromEntries(victims.map((name) => [name, mortal])),
    });
    const was = await before(svinit);
    await sh(svinit, 'mkfifo /tmp/now');

    await t.test(`${runtime}: F2 children killed at any moment`, async (t) => {
      for (let kill = 0; kill < KILLS; kill += 1) {
        // A uniform pause is a random place in the life of one that lives a second at most.
        await new Promise((resolve) => setTimeout(resolve, Math.random() * 100));
        const { pid } = await svinit.service(victims[kill % victims.length] ?? '');
        if (pid !== null) await svinit.run(['kill', '-9', String(pid)]);
      }
      await expectOracle(t, svinit, was, { moved: victims });
      for (const name of victims) {
        t.match(await svinit.service(name), { lastExit: 'killed by KILL' });
      }
    });

    await t.test(`${runtime}: F4 exits before and after ready, and during stop`, async (t) => {
      t.match(await svinit.svctl('start', 'hasty'), { code: 1, stderr: /exit(?:ed)? 3/ });
      t.match(await svinit.svctl('start', 'brief'), { code: 0 }, 'it was ready, then it ended');
      t.match(await svinit.svctl('stop', 'hasty', 'brief'), { code: 0 });
      t.match(await svinit.svctl('start', 'leaving'), { code: 0 });
      t.match(await svinit.svctl('stop', 'leaving'), { code: 0 });
      t.match(await svinit.service('leaving'), { state: 'down', lastExit: 'killed by KILL' });
      await expectOracle(t, svinit, was, { moved: victims });
    });

    await t.test(`${runtime}: F8 a daemon that forks itself away`, async (t) => {
      await forkAway(t, svinit);
      await expectOracle(t, svinit, was, { moved: victims });
    });

    await t.test(`${runtime}: F9 one that kills its group, then everybody`, async (t) => {
      t.match(await svinit.svctl('start', 'hater'), { code: 0 });
      await sh(svinit, 'echo >/tmp/now');
      await until('it died', async () => (await svinit.service('hater')).restarts > 0 || null);
      t.match(await svinit.svctl('stop', 'hater'), { code: 0 });
      await expectOracle(t, svinit, was, { moved: victims });
      t.match(await svinit.svctl('start', 'killer'), { code: 0 });
      // The one who writes may be killed with all others.
      await svinit.run(['sh', '-c', 'echo >/tmp/now']);
      await until('all died', async () => (await svinit.service('top')).restarts > 0 || null);
      t.match(await svinit.svctl('stop', 'killer'), { code: 0 });
      await expectOracle(t, svinit, was, { moved: [...was.pids.keys()] });
    });

    await t.test(`${runtime}: F10 C12 a stranger with the number of a service`, async (t) => {
      await strangers(t, svinit);
    });
  });

  t.test(`${runtime}: F3 ${LOOPERS} crash loops`, async (t) => {
    const names = Array.from({ length: LOOPERS }, (_, i) => `loop${i}`);
    const loops = Object.fromEntries(names.map((name) => [name, { run: script('exit 1') }]));
    const svinit = await machine(t, runtime, loops);
    const was = await before(svinit);
    await until('each was tried three times', async () => {
      const all = await svinit.services();
      return names.every((name) => (all.get(name)?.restarts ?? 0) >= 2) || null;
    });
    const told = [...(await svinit.services()).values()].filter(({ name }) => names.includes(name));
    t.same(
      told.filter(({ lastExit }) => !/exit(?:ed)? 1/.test(String(lastExit))),
      [],
      'each exit is told',
    );
    t.match(await svinit.svctl('stop', 'loop*'), { code: 0 });
    await expectOracle(t, svinit, was, { moved: names });
  });
}

/** What leaves its session and its parent is not the service's any more; it is reaped all the same. */
async function forkAway(t: Test, svinit: Instance): Promise<void> {
  t.match(await svinit.svctl('start', 'daemon'), { code: 0 });
  const pid = await until('it has escaped', async () => {
    return Number((await svinit.run(['cat', '/tmp/escaped'])).stdout) || null;
  });
  t.match(await svinit.svctl('stop', 'daemon'), { code: 0 });
  t.ok(svinit.processes().has(pid), 'a limit without cgroups: it outlives its service');
  await sh(svinit, `kill -9 ${pid}`);
  await until('it was reaped', async () => !svinit.processes().has(pid) || null);
}

/** The next process gets the number after ns_last_pid: pid_namespaces(7). */
async function strangers(t: Test, svinit: Instance): Promise<void> {
  const { pid } = await svinit.service('lone');
  await sh(svinit, `kill -9 ${pid}`);
  t.match(await svinit.svctl('stop', 'lone'), { code: 0 });
  const stranger = await until('the number is taken again', async () => {
    const text = `echo ${Number(pid) - 1} >/proc/sys/kernel/ns_last_pid; sleep 1000000 & echo $!`;
    const found = Number(await sh(svinit, `(${text}) >/tmp/s 2>&1; cat /tmp/s`));
    if (found === pid) return found;
    await sh(svinit, `kill -9 ${found}`);
    return null;
  });
  t.match(await svinit.svctl('restart', 'lone'), { code: 0 });
  t.match(await svinit.svctl('stop', 'lone'), { code: 0 });
  t.equal(svinit.processes().get(stranger), 'S', 'a stranger gets no signal');
  await sh(svinit, `kill -9 ${stranger}`);
  t.match(await svinit.svctl('start', 'lone'), { code: 0 });
}
