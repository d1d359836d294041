/** svinit replaces itself, again and again, and nobody notices: not the services, not the logs. */
import { writeFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, longrun, needs, oneshot, script } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { start } from './instance.ts';

const TIMES = 20;
const WRITERS = 50;

/** Numbered lines in bursts, until somebody says that it is enough; then the last number. */
const writer = script(`
  i=0
  while [ ! -e /tmp/enough ]; do
    n=0; while [ $n -lt 20 ]; do i=$((i + 1)); n=$((n + 1)); echo $i; done
    sleep 0.1
  done
  echo last $i
  idle
`);

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F29 ${TIMES} re-execs while ${WRITERS} services print`, async (t) => {
    const names = Array.from({ length: WRITERS }, (_, i) => `w${i}`);
    const services: Definitions = {
      ...Object.fromEntries(names.map((name) => [name, { run: writer }])),
      once: oneshot('once'),
      idle: longrun('idle', needs('once')),
    };
    const svinit = await start(t, { runtime, services });
    const before = await health(svinit);
    const pids = await pidsOf();
    for (let image = 2; image <= TIMES + 1; image += 1) {
      const reply = await svinit.call('reexec');
      t.same(reply?.result, { image }, `image ${image} answers who asked the one before it`);
    }
    await expectHealth(t, svinit, { ...before, image: TIMES + 1 });
    t.same(await pidsOf(), pids, 'all processes are the same');
    t.same(svinit.console.said(), ['up once', 'start idle'], 'nothing was done again');

    writeFileSync(svinit.path('/tmp/enough'), '');
    for (const name of names) {
      await svinit.logFile(name).expect(/last \d+\n/);
      const lines = svinit.log(name);
      const last = Number(/\d+/.exec(lines.pop() ?? '')?.[0]);
      const wanted = Array.from({ length: last }, (_, i) => String(i + 1));
      // Compared as texts: thousands of array elements would each be looked at.
      t.ok(lines.join() === wanted.join(), `${name}: each of ${last} lines is there once`);
    }

    async function pidsOf(): Promise<Record<string, unknown>> {
      const all = [...(await svinit.services()).values()];
      return Object.fromEntries(all.map(({ name, pid, restarts }) => [name, { pid, restarts }]));
    }
  });

  t.test(`${runtime}: what happens around a re-exec is not forgotten`, async (t) => {
    const slow = script('read line </tmp/go; echo >&3; idle');
    const services = {
      gate: { type: 'oneshot\n', up: script('mkfifo /tmp/go') },
      slow: { run: slow, 'notification-fd': '3\n', ...needs('gate') },
      victim: longrun('victim'),
      stopped: longrun('stopped'),
      top: longrun('top', needs('stopped', 'victim')),
    };
    const svinit = await start(t, { runtime, services, until: /@ start top/ });
    const killed = await svinit.service('victim');
    t.match(await svinit.svctl('stop', '--cascade', 'stopped'), { code: 0 });
    // Its death and the request come together: whichever image reaps it must know it.
    const asker = await svinit.dial();
    await svinit.run(['kill', '-9', String(killed.pid)]);
    t.match((await asker.ask('reexec'))?.result, { image: 2 });
    await svinit.console.expect(/@ start victim\n[\s\S]*@ start victim\n/);
    t.match(await svinit.service('stopped'), { state: 'down', want: 'down' });
    t.match(await svinit.service('slow'), { state: 'starting', restarts: 0 });

    await svinit.run(['sh', '-c', 'echo >/tmp/go']);
    t.match(await svinit.svctl('wait', 'slow'), { code: 0 }, 'readiness is heard of');
    t.match(await svinit.svctl('start', 'top'), { code: 0 });
    t.match(await svinit.service('victim'), { restarts: 1, lastExit: 'killed by KILL' });

    await svinit.svctl('reexec');
    svinit.signal('SIGTERM');
    t.match(await svinit.end(), { code: 0 });
    const said = svinit.console.said();
    t.ok(said.lastIndexOf('stop top') < said.lastIndexOf('stop stopped'), 'the order is kept');
  });

  t.test(`${runtime}: who waits for something is served by the next image`, async (t) => {
    const services = { late: longrun('late', { down: '' }) };
    const svinit = await start(t, { runtime, services });
    const waiting = svinit.svctl('wait', 'late');
    await svinit.svctl('reexec');
    t.match(await svinit.svctl('start', 'late'), { code: 0 });
    t.match(await waiting, { code: 0 });
  });
}
