/** What svinit tells of its own circumstances, as it finds them in namespaces. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import type { Finding } from '../../src/core/doctor.ts';
import type { Examined } from '../../src/core/examined.ts';
import { longrun } from './definitions.ts';
import { type Instance, start } from './instance.ts';

type Told = { readonly findings: readonly Finding[]; readonly examined: Examined };

async function doctor(svinit: Instance): Promise<{ code: number; told: Told }> {
  const { code, stdout } = await svinit.svctl('doctor', '--json');
  return { code, told: JSON.parse(stdout) };
}

const found = ({ findings }: Told, what: string): Finding | undefined =>
  findings.find((finding) => finding.what === what);

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: PID 1 of a container`, async (t) => {
    const svinit = await start(t, { runtime, services: { web: longrun('web') } });
    const { code, told } = await doctor(svinit);
    t.equal(code, 0, 'nothing that was promised is lost');
    t.match(told.examined, { pid1: true, machine: false, image: 1, revives: true, logger: 'up' });
    t.match(told.examined, { run: '/run/svinit', runType: 'tmpfs', unmounted: [] });
    t.match(found(told, 'cgroups'), { is: 'less' }, 'nobody gave it any');
    const text = await svinit.svctl('doctor');
    t.match(text.stdout, /^ok {4}revival +.*image 1\n/m);
    t.match(text.stdout, /\nnothing that svinit promises is lost$/);

    const peer = await svinit.dial('status');
    t.match(await peer.ask('examine', {}), { result: { pid1: true } }, 'everybody may look');
    await peer.close();

    await svinit.svctl('reexec');
    const later = (await doctor(svinit)).told.examined;
    t.same(later, { ...told.examined, image: 2 }, 'another image finds the same');
  });

  t.test(`${runtime}: its logger is down`, async (t) => {
    const svinit = await start(t, { runtime, services: { web: longrun('web') } });
    await svinit.svctl('stop', 'svlog', '--force');
    const { code, told } = await doctor(svinit);
    t.equal(code, 1, 'something is lost');
    t.match(found(told, 'logger'), { is: 'lost', text: /svlog is down/, help: 'svctl why svlog' });
  });
}
