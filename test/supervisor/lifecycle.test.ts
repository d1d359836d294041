/** The life of one service: started anew, ready, finished, undone, killed; what it is given. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, needs, oneshot, script } from './definitions.ts';
import { start, until } from './instance.ts';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a service that is killed is started again`, async (t) => {
    const services = { victim: longrun('victim'), top: longrun('top', needs('victim')) };
    const svinit = await start(t, { runtime, services });
    const { pid } = await svinit.service('victim');
    await svinit.run(['kill', '-9', String(pid)]);
    await svinit.console.expect(/@ start victim\n[\s\S]*@ start victim\n/);
    t.match(await svinit.svctl('wait', 'victim'), { code: 0 });
    const again = await svinit.service('victim');
    t.match(again, { state: 'up', restarts: 1, lastExit: 'killed by KILL' });
    t.not(again.pid, pid);
    t.match(await svinit.service('top'), { state: 'up', restarts: 0 }, 'its dependants stay');
  });

  t.test(`${runtime}: readiness is a newline on notification-fd`, async (t) => {
    const run = script(
      'say begun; read line </tmp/go; echo half | tr -d "\\n" >&5; say half; idle',
    );
    const services = {
      gate: { type: 'oneshot\n', up: script('mkfifo /tmp/go') },
      slow: { run, 'notification-fd': '5\n', ...needs('gate') },
      after: longrun('after', needs('slow')),
    };
    const svinit = await start(t, { runtime, services, until: /@ begun/ });
    t.match(await svinit.service('slow'), { state: 'starting' });
    t.match(await svinit.service('after'), { state: 'waiting', waitingFor: ['slow'] });
    await svinit.run(['sh', '-c', 'echo >/tmp/go']);
    await svinit.console.expect('@ half');
    t.match(await svinit.service('slow'), { state: 'starting' }, 'half a line is not enough');
    const { pid } = await svinit.service('slow');
    await svinit.run(['sh', '-c', `echo >/proc/${pid}/fd/5`]);
    t.match(await svinit.svctl('wait', 'slow', 'after'), { code: 0 });
    t.same(svinit.console.said(), ['begun', 'half', 'start after']);
  });

  t.test(`${runtime}: one that is never ready is stopped in time`, async (t) => {
    const run = script('say begun; idle');
    const late = { run, 'notification-fd': '3', 'timeout-up': '100', down: '' };
    const svinit = await start(t, { runtime, services: { late } });
    const { code, stderr } = await svinit.svctl('start', 'late');
    t.match({ code, stderr }, { code: 1, stderr: /not ready in time/ });
  });

  t.test(`${runtime}: finish is told how the run ended`, async (t) => {
    const finish = '#!/bin/sh\necho "@ finish $*" >>/proc/1/fd/2\n';
    const runit = '{ "dialect": "runit" }';
    const run = script('say $$; exit 3');
    const services = {
      coded: { run, finish, down: '' },
      coded2: { run, finish, down: '', 'service.json': runit },
      killed: { ...longrun('killed'), finish },
      killed2: { ...longrun('killed2'), finish, 'service.json': runit },
      over: { run, finish: script('say over; exit 125'), down: '' },
    };
    const svinit = await start(t, { runtime, services });
    const before = await svinit.services();
    for (const [name, words] of [
      ['killed', `finish 256 9 killed ${before.get('killed')?.pid}`],
      ['killed2', 'finish -1 9'],
    ] as const) {
      await svinit.run(['kill', '-9', String(before.get(name)?.pid)]);
      await svinit.console.expect(`@ ${words}\n`);
    }
    await svinit.svctl('start', 'coded');
    await svinit.console.expect(/@ (\d+)\n[\s\S]*@ finish 3 0 coded \1\n/);
    await svinit.svctl('stop', 'coded');
    await svinit.svctl('start', 'coded2');
    await svinit.console.expect('@ finish 3 0\n');
    await svinit.svctl('start', 'over');
    t.match(await svinit.svctl('wait', 'over:failed'), { code: 0 });
    t.match(await svinit.service('over'), { restarts: 0, cause: /finish.*125/ });
    // Others start again meanwhile and say so: it is somewhere among what was said.
    t.ok(svinit.console.said().includes('over'), 'exit code 125 ends it');
  });

  t.test(`${runtime}: oneshots are done and undone`, async (t) => {
    const services = {
      first: oneshot('first'),
      second: oneshot('second', needs('first')),
      bad: { type: 'oneshot\n', up: script('say up bad; exit 4') },
      after: longrun('after', needs('bad')),
    };
    const svinit = await start(t, { runtime, services, until: /second done/ });
    await svinit.svctl('wait', 'bad:failed');
    t.match(await svinit.service('second'), { state: 'done', pid: null });
    t.match(await svinit.service('bad'), { state: 'failed', lastExit: 'exit 4' });
    t.match(await svinit.service('after'), { state: 'waiting', waitingFor: ['bad'] });
    t.match(await svinit.svctl('start', 'after', '--timeout', '5s'), { code: 6 });
    t.match(await svinit.svctl('stop', 'first'), { code: 6, stderr: /second/ });
    t.match(await svinit.svctl('stop', '--cascade', 'first'), { code: 0 });
    const order = svinit.console.said().filter((line) => line !== 'up bad');
    t.same(order, ['up first', 'up second', 'down second', 'down first']);
    t.match(await svinit.svctl('start', 'second'), { code: 0 });
    t.same(svinit.console.said().slice(-2), ['up first', 'up second']);
  });

  t.test(`${runtime}: the environment is that of env/ and no other`, async (t) => {
    const run = script('env | sort; echo "$PWD"; readlink /proc/self/fd/*; say told; idle');
    const services = {
      told: { run, 'env/GREETING': 'hello  \nmore', 'env/EMPTY': '', 'env/A': '1' },
    };
    const env = { PATH: '/usr/sbin:/usr/bin', HOME: '/root', FROM_OUTSIDE: 'x', A: '0' };
    const svinit = await start(t, { runtime, services, env, until: /@ told/ });
    await svinit.logFile('told').expect(/services\/told\n/);
    const variables = svinit.log('told').filter((line) => /^[A-Z_]+=/.test(line));
    t.has(variables, ['A=1', 'FROM_OUTSIDE=x', 'GREETING=hello']);
    t.notOk(
      variables.some((line) => /EMPTY|SVINIT|BUN|NODE/.test(line)),
      'nothing of ours',
    );
    t.ok(svinit.log('told').includes('/etc/svinit/services/told'), 'it runs in its directory');
  });

  t.test(`${runtime}: F5 one that ignores TERM is killed, and so is its family`, async (t) => {
    const run = script("trap '' TERM; sleep 1000000 & say child $!; idle");
    const services = { deaf: { run, 'timeout-kill': '100' } };
    const svinit = await start(t, { runtime, services });
    const child = (await svinit.console.expect(/@ child \d+\n/)).replace(/\D/g, '');
    t.match(await svinit.svctl('stop', 'deaf'), { code: 0 });
    t.match(await svinit.service('deaf'), { state: 'down', lastExit: 'killed by KILL' });
    await until('its child is gone', async () => !svinit.processes().has(Number(child)) || null);
  });
}
