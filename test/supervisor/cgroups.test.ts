/** Where svinit has no cgroups of its own, services run without, unless they ask for limits. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { start } from './instance.ts';

const LIMITED = { 'service.json': '{ "cgroup": { "pids.max": 20 }, "restart": { "limit": 1 } }\n' };
const REASON = /^Cannot limit limited: there is no cgroup v2 here that is for svinit to change/;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: no cgroups of our own`, async (t) => {
    const services = { plain: longrun('plain'), limited: longrun('limited', LIMITED) };
    const svinit = await start(t, { runtime, services });
    const views = await svinit.services();
    t.match(views.get('plain'), { state: 'up' });
    t.match(
      views.get('limited'),
      { pid: null, note: REASON },
      'it does not run with less than it asks for',
    );
    t.equal((await svinit.run(['/bin/ls', '/sys/fs/cgroup/svinit.services'])).code, 1, 'nor do we');
  });
}
