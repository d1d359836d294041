/** s6-svscanctl, and views that come and go with the services they show. */
import { existsSync, readdirSync, renameSync, rmSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { writeDefinitions } from '../supervisor/definitions.ts';
import { until } from '../supervisor/instance.ts';
import { idle, run, SKIP, viewed } from './clients.ts';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: s6-svscanctl`, { skip: SKIP }, async (t) => {
    const v = await viewed(t, runtime, { first: idle(), broken: { type: 'oneshot\n', up: '' } });
    const [s6, definitions] = [v.s6('.'), v.svinit.path('/etc/svinit/services')];
    await v.statIs('first', /^up/);
    t.same(readdirSync(s6).sort(), ['.s6-svscan', 'first', 'svlog'], 'oneshots have none');
    t.same(readdirSync(v.runit('.')).sort(), ['first', 'svlog']);

    writeDefinitions(definitions, { second: idle() });
    t.match(await v.client('s6-svscanctl', '-a', '.'), { code: 0, stderr: '' });
    await until(
      'its view is there',
      async () => existsSync(`${v.s6('second')}/supervise/status`) || null,
    );
    t.ok(await v.statIs('second', /^up/), 'supervised at once');

    renameSync(`${definitions}/second`, `${definitions}/.second`);
    t.match(await v.client('s6-svscanctl', '-an', '.'), { code: 0, stderr: '' });
    const isGone = (): true | null => !existsSync(v.s6('second')) || null;
    await until(
      'its views are gone',
      async () => isGone() && (!existsSync(v.runit('second')) || null),
    );
    t.notOk((await v.svinit.services()).has('second'), 'terminated and gone');

    const other = await run('s6-svscan', [s6]);
    t.match(other, { code: 100, stderr: /another instance of s6-svscan is already running/ });
    t.match(await v.client('s6-svscanctl', '-z', '.'), { code: 0, stderr: '' }, 'nothing to reap');
    t.match(await v.client('s6-svscanctl', '-t', '.'), { code: 0, stderr: '' });
    t.same(await v.svinit.end(), { code: 0, signal: null }, 'all services end, and svinit');
  });
}

t.test('bun: what others have put there stays', { skip: SKIP }, async (t) => {
  const v = await viewed(t, 'bun', { mine: idle(), theirs: idle(), ['later']: idle({ down: '' }) });
  await v.statIs('mine', /^up/);
  t.match(await v.svinit.svctl('stop', 'views'), { code: 0 });
  t.notOk((await v.client('s6-svok', 'mine')).code === 0, 'nobody is there');
  t.ok(existsSync(v.s6('mine')), 'what was shown last stays');

  // A service directory of somebody's, where a view was.
  rmSync(v.s6('theirs'), { recursive: true });
  writeDefinitions(v.s6('.'), { theirs: { run: '#!/bin/sh\nexit 0\n' }, foreign: { data: 'x' } });
  rmSync(v.svinit.path('/etc/svinit/services/mine'), { recursive: true });
  t.match(await v.svinit.svctl('scan', '--prune'), { code: 0 });
  t.match(await v.svinit.svctl('start', 'views'), { code: 0 });
  await v.statIs('later', /^down/);
  t.notOk(existsSync(v.s6('mine')), 'a view of what is no more is removed');
  t.same(readdirSync(v.s6('theirs')), ['run'], 'a service of somebody else is let alone');
  t.same(readdirSync(v.s6('foreign')), ['data']);
  await v.svinit.logFile('views').expect(/Cannot use \/run\/service\/theirs: it holds a service/);
});
