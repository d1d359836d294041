/**
 * The clients of s6, as Debian has them, work on svinit's services on both runtimes: what all else
 * rests on. The rows of the table of compatibility are in rows-s6.test.ts and rows-s6-svc.test.ts.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { script } from '../supervisor/definitions.ts';
import { idle, run, SKIP, viewed } from './clients.ts';

/** Says on descriptor 3 that it is ready, and ends with 0 on TERM. */
const ready = idle({
  run: script("trap 'exit 0' TERM; echo >&3; idle"),
  'notification-fd': '3\n',
});

const down = { down: '' };

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what all else rests on`, { skip: SKIP }, async (t) => {
    const v = await viewed(t, runtime, {
      plain: idle(),
      ready,
      three: idle({ run: script("trap 'exit 3' TERM; idle") }),
      life: { ...ready, ...down },
    });

    await v.statIs('plain', /^up/);
    t.match(await v.client('s6-svok', 'plain'), { code: 0, stdout: '', stderr: '' }, 's6-svok');
    t.match(await v.client('s6-svok', 'none'), { code: 1, stdout: '', stderr: '' }, 'nobody');
    const twice = await v.client('s6-supervise', 'plain');
    t.match(twice, { code: 100, stderr: /another instance of s6-supervise is already running/ });
    t.pass('s6-supervise finds somebody there');
    const runsv = await run('runsv', [v.runit('plain')]);
    t.match(runsv.stderr, /unable to lock supervise\/lock: temporary failure/, 'so does runsv');
    t.equal(runsv.code, 111, '111');

    t.match(await v.stat('plain'), /^up \(pid \d+\) \d+ seconds$/, 'up');
    const { pid } = await v.svinit.service('plain');
    t.equal(await v.stat('-p', 'plain'), String(pid), 'the pid is that of the service');
    const text = await v.statIs('ready', /, ready/);
    t.match(text, /^up \(pid \d+\) \d+ seconds, ready \d+ seconds$/, 'ready');

    t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'three'), { code: 0, stderr: '' });
    const exited = /^down \(exitcode 3\) \d+ seconds, normally up, ready \d+ seconds$/;
    t.match(await v.stat('three'), exited, 'down with its exit code, when it is over');
    const fields = await v.stat('-o', 'up,ready,exitcode,signal,signum,pid', 'three');
    t.equal(fields, 'false false 3 NA -1 -1', 'the fields');

    const before = await v.stat('-p', 'ready');
    t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'ready'), { code: 0, stderr: '' });
    t.not(await v.stat('-p', 'ready'), before, 'restarted, and ready again');
    t.match(await v.stat('ready'), /ready \d+ seconds$/, 'ready');

    const ear = v.listen('life');
    t.match(await v.client('s6-svc', '-wU', '-T20000', '-u', 'life'), { code: 0, stderr: '' });
    t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'life'), { code: 0, stderr: '' });
    t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'life'), { code: 0, stderr: '' });
    t.equal(await ear.hear('uUdDuUdD'), 'uUdDuUdD', 'events in order');
    ear.close();

    const plain = v.s6('plain');
    const listen = ['-D', '-t', '20000', plain, 's6-svc', '-d', plain];
    const listened = await run('s6-svlisten1', listen);
    t.match(listened, { code: 0, stderr: '' }, 's6-svlisten1 listens, then has it stopped');
    t.match(await v.stat('plain'), /^down \(exitcode 0\)/);
  });
}
