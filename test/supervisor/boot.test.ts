/** svinit finds nothing mounted, or everything, as root or as an ordinary user: it comes up. */
import { readFileSync, statSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, needs } from './definitions.ts';
import { start } from './instance.ts';
import { ROOT, USER } from './roots.ts';

const services = { base: longrun('base'), top: longrun('top', needs('base')) };
const isRoot = process.getuid?.() === ROOT;

for (const runtime of RUNTIMES) {
  t.test(
    `${runtime}: nothing is mounted, as root`,
    { skip: !isRoot && 'needs root' },
    async (t) => {
      const svinit = await start(t, { runtime, services, bare: true });
      const mounts = readFileSync(`/proc/${svinit.pid}/mounts`, 'utf8')
        .split('\n')
        .map((line) => line.split(' ').slice(1, 3).join(' '));
      for (const [target, type] of [
        ['/proc', 'proc'],
        ['/sys', 'sysfs'],
        ['/dev/pts', 'devpts'],
        ['/dev/shm', 'tmpfs'],
        ['/run/svinit', 'tmpfs'],
      ]) {
        const here = mounts.filter((mount) => mount.startsWith(`${target} `));
        t.same(here, [`${target} ${type}`], `${target} is mounted once`);
      }
      const { mode, uid } = statSync(svinit.path('/run/svinit'));
      t.same([mode & 0o022, uid], [0, 0], 'nobody else may write to /run/svinit');
      t.same(svinit.console.said(), ['start base', 'start top'], 'services run, in order');
      t.match(await svinit.svctl('wait', 'top'), { code: 0 });
      t.match((await svinit.svctl('ls')).stdout, /^\* top +up /m);
    },
  );

  const skip = !isRoot && 'this is an ordinary user already';
  t.test(`${runtime}: as an ordinary user`, { skip }, async (t) => {
    const svinit = await start(t, { runtime, services, uid: USER });
    t.same(svinit.console.said(), ['start base', 'start top']);
    t.match(await svinit.svctl('stop', '--cascade', 'base'), { code: 0 });
    t.same(svinit.console.said().slice(2), ['stop top', 'stop base']);
    svinit.signal('SIGTERM');
    t.match(await svinit.end(), { code: 0 });
  });

  t.test(`${runtime}: all is mounted already`, async (t) => {
    const svinit = await start(t, { runtime, services });
    t.notMatch(svinit.console.text(), /failed/, 'no step failed');
    t.match((await svinit.call('version'))?.result, { image: 1, halting: null });
  });

  t.test(`${runtime}: the boot settles although something has failed`, async (t) => {
    const bad = { type: 'oneshot\n', up: '#!/bin/sh\nexit 1\n' };
    const broken = { run: '#!/bin/no-such-shell\n' };
    const refused = { run: 'not executable' };
    const above = longrun('above', needs('bad'));
    const withBad = { ...services, bad, broken, refused, above };
    const svinit = await start(t, { runtime, services: withBad });
    t.match(await svinit.service('top'), { state: 'up' });
    t.match(await svinit.service('above'), { state: 'waiting', waitingFor: ['bad'] });
    t.match(svinit.console.text(), /refused is refused: run:1: is not executable/);
  });
}
