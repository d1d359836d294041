/**
 * What a service directory of s6 says of the process itself: a lock that it holds, a pid namespace,
 * how far a kill goes, and readiness that the real s6-notifyoncheck tells of.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, script } from './definitions.ts';
import { type Instance, start, until } from './instance.ts';

const S6 = { 'service.json': '{"dialect": "s6"}' };
const IDLE = "trap 'say got TERM; exit 7' TERM; echo >&3; idle";

const services: Definitions = {
  // What it leaves behind has its descriptor, and so its lock.
  locked: {
    ...S6,
    run: script(
      'sleep 1000 3>&1 & echo $! >/tmp/left; say locked; echo from run >&5; echo >&3; exec sleep 1000',
    ),
    'lock-fd': '5\n',
    'notification-fd': '3\n',
    'timeout-kill': '200\n',
  },
  apart: {
    ...S6,
    run: script(`say apart is $$; sleep 1000 & echo $! >/tmp/apart; ${IDLE}`),
    'flag-newpidns': '',
    'notification-fd': '3\n',
    finish: script('say finish $1 $2'),
    down: '',
  },
  single: {
    ...S6,
    run: script(
      "trap '' TERM; sleep 1000 & echo $! >/tmp/single; echo >&3; while :; do wait; done",
    ),
    'notification-fd': '3\n',
    'timeout-kill': '200\n',
  },
  grouped: {
    ...S6,
    run: script(
      "trap '' TERM; sleep 1000 & echo $! >/tmp/grouped; echo >&3; while :; do wait; done",
    ),
    'notification-fd': '3\n',
    'timeout-kill': '200\n',
    'flag-timeout-killpg': '',
  },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: locks, pid namespaces, kills`, async (t) => {
    const svinit = await start(t, { runtime, services });
    await holdsItsLock(t, svinit);
    await isFirstOfItsPids(t, svinit);
    await killsAsFarAsItSays(t, svinit);
  });
}

type Test = Pick<typeof t, 'match' | 'equal' | 'same' | 'ok' | 'comment'>;

const numberIn = (svinit: Instance, file: string): number =>
  Number(readFileSync(svinit.path(file), 'utf8'));

/** Whether a process of the instance lives, by its pid in there. */
async function lives(svinit: Instance, pid: number): Promise<boolean> {
  const { stdout } = await svinit.run(['/bin/sh', '-c', `cat /proc/${pid}/stat 2>/dev/null || :`]);
  return stdout !== '' && !/\) Z /.test(stdout);
}

async function holdsItsLock(t: Test, svinit: Instance): Promise<void> {
  await svinit.svctl('wait', 'locked');
  const lock = svinit.path('/run/svinit/locks/locked');
  t.equal(readFileSync(lock, 'utf8'), 'from run\n');
  const left = numberIn(svinit, '/tmp/left');
  // In a container without cgroups what it left goes on, and so does its lock.
  t.match(await svinit.svctl('signal', 'KILL', 'locked'), { code: 0 });
  if (!(await lives(svinit, left))) return t.comment('cgroups end what it left');
  const refused = async () => {
    const { state, note } = await svinit.service('locked');
    return state === 'backoff' && /holds its lock/.test(note) ? note : null;
  };
  t.match(await until('its lock is held', refused), /what an earlier run left holds its lock/);
  await svinit.run(['/bin/sh', '-c', `kill ${left}`]);
  t.match(await svinit.svctl('wait', 'locked', '--timeout', '60s'), { code: 0 });
  t.match(await svinit.svctl('reexec'), { code: 0 });
  t.equal(readFileSync(lock, 'utf8'), 'from run\n', 'what was in it is gone');
  t.match(await svinit.service('locked'), { state: 'up' });
}

async function isFirstOfItsPids(t: Test, svinit: Instance): Promise<void> {
  t.match(await svinit.svctl('start', 'apart'), { code: 0 });
  t.ok(svinit.console.said().includes('apart is 1'));
  t.match(await svinit.svctl('reexec'), { code: 0 });
  t.match(await svinit.svctl('stop', 'apart'), { code: 0 });
  // TERM came to the process itself, and its code came back.
  t.ok(svinit.console.said().includes('got TERM'));
  await svinit.console.expect(/@ finish 7 0\n/);
  t.match(await svinit.svctl('start', 'apart'), { code: 0 });
  const count = async (): Promise<number> => {
    const { stdout } = await svinit.run([
      '/bin/sh',
      '-c',
      'cat /proc/[0-9]*/cmdline | tr "\\0" " "',
    ]);
    return stdout.split('/services/apart/run').length - 1;
  };
  t.ok((await count()) > 0);
  t.match(await svinit.svctl('signal', 'KILL', 'apart'), { code: 0 });
  await svinit.console.expect(/@ finish 256 9\n/);
  t.match(await svinit.svctl('stop', 'apart'), { code: 0 });
  await until('nothing of it is left', async () => ((await count()) === 0 ? true : null));
}

async function killsAsFarAsItSays(t: Test, svinit: Instance): Promise<void> {
  t.match(await svinit.svctl('wait', 'single', 'grouped'), { code: 0 });
  const [single, grouped] = [numberIn(svinit, '/tmp/single'), numberIn(svinit, '/tmp/grouped')];
  t.match(await svinit.svctl('stop', 'single', 'grouped'), { code: 0 });
  t.equal(await lives(svinit, grouped), false);
  const { stdout } = await svinit.run([
    '/bin/sh',
    '-c',
    'ls -d /sys/fs/cgroup/svinit.services || :',
  ]);
  if (stdout === '') t.equal(await lives(svinit, single), true, 'only the process itself');
  else t.comment('cgroups end what it left');
}
