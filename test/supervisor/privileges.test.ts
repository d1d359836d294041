/** As whom services run, and what they may: asked of the kernel, from inside. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, script } from './definitions.ts';
import { type Instance, start } from './instance.ts';

/** Tells what it is, in the words of proc_pid_status(5) and proc_pid_limits(5). */
const TELLS = script(
  [
    'cd /proc/self',
    "grep -E '^(Uid|Gid|Groups|Cap(Inh|Prm|Eff|Bnd|Amb)|NoNewPrivs):' status > /tmp/$1.new",
    "grep -E '^Max (open files|core file size) ' limits >> /tmp/$1.new",
    'echo umask $(umask) nice $(nice) oom $(cat oom_score_adj) >> /tmp/$1.new',
    'mv /tmp/$1.new /tmp/$1',
    'idle',
  ].join('\n'),
);
const service = (json: object) => ({
  run: TELLS,
  'service.json': JSON.stringify({ ...json, initially: 'down' }),
});

/** CAP_NET_BIND_SERVICE of linux/capability.h. */
const BIND = '0000000000000400';
const NONE = '0000000000000000';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a service is what it asked to be, whoever started it`, async (t) => {
    const services = {
      base: longrun('base'),
      plain: service({}),
      daemon: service({
        ...{ user: 'nobody', umask: '027', nice: 5, oomScoreAdjust: 300, noNewPrivileges: true },
        ...{ limits: { nofile: '64:128', core: 0 } },
      }),
      bound: service({
        user: '12',
        group: '34',
        groups: ['56', '78'],
        capabilities: ['net_bind_service'],
      }),
      weak: service({ capabilities: [] }),
      nobodyKnows: service({ user: 'nobody-knows', restart: { when: 'never' } }),
    };
    const svinit = await start(t, { runtime, services, until: /@ start base/ });
    await svinit.run(['chmod', '1777', '/tmp']);
    const plain = await told(svinit, 'plain');
    t.match(plain, /^Uid:\t0\t0\t0\t0$/m);
    t.match(plain, /^Max open files +1024 /m);

    const daemon = await told(svinit, 'daemon');
    for (const line of [
      ...[/^Uid:\t65534(\t65534){3}$/m, /^Gid:\t65534(\t65534){3}$/m, /^NoNewPrivs:\t1$/m],
      ...[/^CapEff:\t0+$/m, /^Max open files +64 +128 /m, /^Max core file size +0 +0 /m],
      /^umask 0?027 nice 5 oom 300$/m,
    ]) {
      t.match(daemon, line);
    }
    const bound = await told(svinit, 'bound');
    for (const line of ['Uid:\t12\t12\t12\t12', 'Gid:\t34\t34\t34\t34', 'Groups:\t56 78 ']) {
      t.match(bound, line);
    }
    for (const set of ['CapInh', 'CapPrm', 'CapEff', 'CapBnd', 'CapAmb']) {
      t.match(bound, `${set}:\t${BIND}`);
    }
    const weak = await told(svinit, 'weak');
    t.match(weak, /^Uid:\t0\t/m);
    for (const set of ['CapEff', 'CapBnd']) t.match(weak, `${set}:\t${NONE}`);

    await svinit.svctl('start', '--timeout=10s', 'nobodyKnows');
    t.match(await svinit.svctl('wait', '--timeout=20s', 'nobodyKnows:failed'), { code: 0 });
    const logs = await svinit.run(['svctl', 'logs', 'nobodyKnows']);
    t.match(logs.stdout, /nobody-knows/, 'it says why');
    t.equal((await svinit.run(['ls', '/tmp/nobodyKnows'])).code === 0, false, 'and did not run');

    t.match(await svinit.call('reexec'), { result: { image: 2 } });
    for (const name of ['plain', 'daemon', 'bound', 'weak']) {
      const before = { plain, daemon, bound, weak }[name];
      await svinit.svctl('stop', name);
      t.equal(await told(svinit, name), before, `${name} after a re-exec is the same`);
    }
  });
}

/** What the service tells of itself, started anew. */
async function told(svinit: Instance, name: string): Promise<string> {
  await svinit.run(['rm', '-f', `/tmp/${name}`]);
  await svinit.svctl('start', name);
  const wait = `until [ -f /tmp/${name} ]; do :; done; cat /tmp/${name}`;
  const { stdout } = await svinit.run(['timeout', '60', 'sh', '-c', wait]);
  return stdout;
}
