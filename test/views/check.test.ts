/** `data/check` through s6-notifyoncheck, as Debian has it: it looks for a supervisor's files. */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { longrun } from '../supervisor/definitions.ts';
import { start, until } from '../supervisor/instance.ts';
import { SKIP, VIEWS } from './clients.ts';

const PROGRAMS = ['/usr/bin/s6-notifyoncheck', '/usr/bin/s6-ftrigrd'];

t.test('bun: s6-notifyoncheck says when data/check is content', { skip: SKIP }, async (t) => {
  mkdirSync('build/test', { recursive: true });
  const packages = mkdtempSync('build/test/s6-');
  t.teardown(() => rmSync(packages, { recursive: true }));
  for (const file of [...PROGRAMS, ...PROGRAMS.flatMap(librariesOf)]) {
    const copy = join(packages, 'usr', file.replace(/^\/usr/, ''));
    mkdirSync(dirname(copy), { recursive: true });
    copyFileSync(file, copy);
    chmodSync(copy, 0o755);
  }
  const checked = {
    ...longrun('checked'),
    run: '#!/bin/sh\nexec s6-notifyoncheck -w 50 -n 0 sleep 2147483647\n',
    'data/check': '#!/bin/sh\ntest -e /tmp/content\n',
    'notification-fd': '3\n',
    'service.json': '{"dialect":"s6"}',
    down: '',
  };
  const svinit = await start(t, { runtime: 'bun', packages, services: { checked, views: VIEWS } });
  await until('the view is there', async () => {
    const { code } = await svinit.run([
      '/bin/sh',
      '-c',
      'test -p /run/service/checked/supervise/control',
    ]);
    return code === 0 || null;
  });
  const home = '/etc/svinit/services/checked';
  for (const name of ['supervise', 'event']) {
    await svinit.run(['/bin/sh', '-c', `ln -s /run/service/checked/${name} ${home}/${name}`]);
  }
  t.match(await svinit.svctl('start', '--no-wait', 'checked'), { code: 0 });
  await until('it is asked', async () => {
    const { stdout } = await svinit.run(['/usr/bin/busybox', 'pidof', 's6-notifyoncheck']);
    return stdout !== '' || null;
  });
  t.match(await svinit.service('checked'), { state: 'starting' });
  await svinit.run(['/bin/sh', '-c', ': > /tmp/content']);
  t.match(await svinit.svctl('wait', 'checked'), { code: 0 });
  t.match(await svinit.service('checked'), { state: 'up', restarts: 0 });
});

/** The shared libraries of a program, by ldd(1). */
function librariesOf(program: string): string[] {
  const told = execFileSync('ldd', [program], { encoding: 'utf8' });
  return [...told.matchAll(/=> (\/\S+lib(?:s6|skarnet|execline)\S*)/g)].map(
    ([, path]) => path ?? '',
  );
}
