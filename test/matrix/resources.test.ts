/** Faults of what a machine gives: descriptors, processes, the console, disk and loggers. */
import { existsSync, readdirSync } from 'node:fs';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { type Definitions, script } from '../supervisor/definitions.ts';
import { type Instance, until } from '../supervisor/instance.ts';
import type { Peer } from '../supervisor/peer.ts';
import { ROOT, USER } from '../supervisor/roots.ts';
import { type Before, before, expectOracle, gaps, machine, sh } from './oracle.ts';

const CLIENTS = 40;
const TOP_UP = { conditions: [{ name: 'top', goal: 'up' }] };
const FLOOD_MIB = 64;
/** A line is cut where svlog's own limit is: 8 KiB. */
const LINE_MAX = 8192;

const services: Definitions = {
  hog: { run: script(`yes | head -c ${FLOOD_MIB * 1024 * 1024}; say flooded; idle`), down: '' },
  long: {
    run: script('head -c 10000000 /dev/zero | tr "\\0" x; echo; say endless; idle'),
    down: '',
  },
  talker: {
    run: script(`
      n=0
      while [ ! -e /tmp/enough ]; do
        i=0; while [ $i -lt 2000 ]; do i=$((i + 1)); n=$((n + 1)); echo $n; done
        [ $n -eq 20000 ] && : >/tmp/much
        sleep 0.2
      done
      say printed $n; idle
    `),
    down: '',
  },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: faults of resources`, async (t) => {
    const svinit = await machine(t, runtime, services);
    const was = await before(svinit);

    await t.test(`${runtime}: F14 C22 no descriptor is left`, async (t) => {
      await noDescriptors(t, svinit, was);
      await expectOracle(t, svinit, was, { moved: ['top'] });
    });

    await t.test(`${runtime}: F39 the disk of the logs is full, then it is not`, async (t) => {
      await fullDisk(t, svinit);
      await expectOracle(t, svinit, was, { moved: ['top', 'talker'] });
    });

    await t.test(`${runtime}: F41 ${FLOOD_MIB} MiB of lines, and a line of 10 MB`, async (t) => {
      t.match(await svinit.svctl('start', 'hog', 'long'), { code: 0 });
      t.match(await svinit.svctl('restart', 'top'), { code: 0 }, 'others are not held up');
      await svinit.console.expect('@ flooded');
      await svinit.console.expect('@ endless');
      t.ok(
        svinit.log('long').every((line) => line.length <= LINE_MAX),
        'an endless line comes in pieces',
      );
      t.match(await svinit.svctl('stop', 'hog', 'long'), { code: 0 });
      await expectOracle(t, svinit, was, { moved: ['top', 'talker'] });
    });

    await t.test(`${runtime}: F42 a logger that is stopped, then killed`, async (t) => {
      const logger = await svinit.service('svlog');
      await sh(svinit, `kill -STOP ${logger.pid}`);
      t.match(await svinit.svctl('restart', 'top'), { code: 0 }, 'it holds up nobody');
      t.match(await svinit.svctl('ls'), { code: 0, stdout: /beat +up/ });
      await sh(svinit, `kill -9 ${logger.pid}`);
      await until('there is another', async () => {
        const { pid, state } = await svinit.service('svlog');
        return (state === 'up' && pid !== logger.pid) || null;
      });
      await expectOracle(t, svinit, was, { moved: ['top', 'talker', 'svlog'] });
    });
  });

  const skip = process.getuid?.() !== ROOT && 'needs root, to be somebody else';
  t.test(`${runtime}: F11 no process can be made`, { skip }, async (t) => {
    await noProcesses(t, runtime);
  });
}

/** Clients take what descriptors there are; services start all the same, and then all is well. */
async function noDescriptors(t: Test, svinit: Instance, was: Before): Promise<void> {
  const used = readdirSync(`/proc/${svinit.pid}/fd`).length;
  await limit(svinit, 'nofile', used + 32);
  const clients: Peer[] = [];
  for (let i = 0; i < CLIENTS; i += 1) clients.push(await svinit.dial());
  const answers = await Promise.all(clients.map((client) => client.ask('ls')));
  t.match(answers[0], { result: {} }, 'the first are served');
  const refused = answers.filter((answer) => /kept for serv/.test(answer?.error?.message ?? ''));
  t.ok(refused.length > 0, 'later ones are refused, and told why while that is possible');
  await sh(svinit, `kill -9 ${was.pids.get('top')}`);
  const [first] = clients;
  t.match(await first?.ask('wait', TOP_UP), { result: {} }, 'a service starts again');
  for (const client of clients) await client.close();
  await limit(svinit, 'nofile', 1024);
}

/** What the disk refuses waits in memory, what is too much is counted, and later lines are whole. */
async function fullDisk(t: Test, svinit: Instance): Promise<void> {
  await sh(svinit, 'mount -o remount,size=2m /run; cat /dev/zero >/run/filler || true');
  t.match(await svinit.svctl('start', 'talker'), { code: 0 });
  t.match(await svinit.svctl('restart', 'top'), { code: 0 }, 'services start');
  t.match(await svinit.svctl('ls'), { code: 0, stdout: /talker +up/ }, 'svinit answers');
  await until('more was printed than memory is for', async () => {
    return existsSync(svinit.path('/tmp/much')) || null;
  });
  await sh(svinit, 'mount -o remount,size=100m /run; rm /run/filler; touch /tmp/enough');
  const printed = Number(/\d+/.exec(await svinit.console.expect(/printed \d+/))?.[0]);
  const found = await until('each line is stored or counted', async () => {
    const lines = svinit.log('talker');
    const counted = lines.map((line) => Number(/(\d+) lines dropped/.exec(line)?.[1] ?? 0));
    const dropped = counted.reduce((sum, count) => sum + count, 0);
    const stored = lines.filter((line) => /^\d+$/.test(line));
    return stored.length + dropped >= printed ? { stored, dropped } : null;
  });
  t.equal(found.stored.length + found.dropped, printed, 'no line is lost without a word');
  t.ok(found.dropped > 0, 'some were too many to keep');
  t.ok(gaps(found.stored).length <= 1, 'those are missing in one piece');
  t.match(await svinit.svctl('stop', 'talker'), { code: 0 });
}

/** RLIMIT_NPROC counts the processes of one uid, and root has no limit: getrlimit(2). */
async function noProcesses(t: Test, runtime: Runtime): Promise<void> {
  const eager = { run: script('idle'), down: '' };
  const svinit = await machine(t, runtime, { eager }, { uid: USER });
  const was = await before(svinit);
  await limit(svinit, 'nproc', 1, USER);
  await sh(svinit, `kill -9 ${was.pids.get('base')}`);
  const started = await svinit.svctl('start', 'eager');
  t.match(started, { code: 1, stderr: /clone failed with EAGAIN; next try in/ });
  t.match(await svinit.service('top'), { state: 'up' }, 'who runs goes on');
  await limit(svinit, 'nproc', 10_000, USER);
  await expectOracle(t, svinit, was, { moved: ['base', 'eager'] });
}

/** Sets a soft limit of PID 1 as its own user, who needs no privilege for that: prlimit(1). */
async function limit(svinit: Instance, resource: string, soft: number, uid = ROOT): Promise<void> {
  const argv = ['prlimit', '--pid', String(svinit.pid), `--${resource}=${soft}:`];
  const become = [`--reuid=${uid}`, `--regid=${uid}`, '--clear-groups'];
  await execa('setpriv', [...become, ...argv]);
}
