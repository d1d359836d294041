/**
 * Services that Debian's packages bring for runit start and answer under svinit as they are, and
 * sv, as Debian has it, controls them. They are enabled as Debian does it, by links.
 */
import t, { type Test } from 'tap';
import type { Runtime } from '../../scripts/compile.ts';
import { type Instance, type Output, start, until } from '../supervisor/instance.ts';
import { VIEWS } from './clients.ts';
import { PACKAGES, packagesSkip, prepare, SERVICES } from './packages.ts';

const skip = packagesSkip();

t.test('bun: services of five packages', { skip }, async (t) => {
  const svinit = await daemons(t, 'bun', SERVICES);
  for (const answer of Object.values(ANSWERS)) t.ok(await answer(svinit));
  for (const name of SERVICES) t.equal((await svinit.service(name)).restarts, 0, name);
  t.match(await sv(svinit, 'check', 'socklog-unix'), { code: 0, stdout: /^ok: run: socklog-unix/ });
  t.match(await sv(svinit, 'stop', 'mini-httpd'), { code: 0, stdout: /^ok: down: mini-httpd: / });
  t.not((await svinit.run(WGET)).code, 0, 'nobody listens');
  t.match(await sv(svinit, 'start', 'mini-httpd'), { code: 0, stdout: /^ok: run: mini-httpd: / });
  t.ok(await ANSWERS['mini-httpd'](svinit));
  t.match(await sv(svinit, 'reload', 'ssh'), { code: 0, stdout: /^ok: run: ssh: / });
  t.ok(await ANSWERS.ssh(svinit));
  t.match(await svinit.svctl('poweroff'), { code: 0 });
  t.same(await svinit.end(), { code: 0, signal: null });
});

t.test('node: services of two packages', { skip }, async (t) => {
  const svinit = await daemons(t, 'node', ['git-daemon', 'ssh']);
  t.ok(await ANSWERS['git-daemon'](svinit));
  const { pid } = await svinit.service('ssh');
  t.match(await sv(svinit, 'restart', 'ssh'), { code: 0, stdout: /^ok: run: ssh: / });
  // As with runsv, sv may say so of the former one.
  await until('it is another sshd', async () => {
    const now = await svinit.service('ssh');
    return (now.state === 'up' && now.pid !== pid) || null;
  });
  t.ok(await ANSWERS.ssh(svinit));
  t.match(await svinit.svctl('poweroff'), { code: 0 });
  t.same(await svinit.end(), { code: 0, signal: null });
});

/** An instance where sv says of those and of their loggers that they run. */
async function daemons(t: Test, runtime: Runtime, names: readonly string[]): Promise<Instance> {
  const svinit = await start(t, {
    ...{ runtime, packages: PACKAGES, prepare: (root) => prepare(root, names) },
    services: { views: VIEWS },
    args: ['--scan=svinit:/etc/svinit/services,runit:/etc/runit/runsvdir/default'],
  });
  // In a container that is the engine's business.
  t.match(await svinit.run(['/usr/bin/busybox', 'ifconfig', 'lo', 'up']), { code: 0 });
  for (const name of names) {
    const runs = new RegExp(`^run: ${name}: \\(pid \\d+\\) \\d+s; run: log: \\(pid \\d+\\) \\d+s$`);
    const isUp = async (): Promise<true | null> =>
      runs.test((await sv(svinit, 'status', name)).stdout) || null;
    t.ok(await until(`${name} is up`, isUp), `${name} is up`);
  }
  return svinit;
}

/** sv of the package, which finds services in /etc/service. */
const sv = (svinit: Instance, ...args: readonly string[]): Promise<Output> =>
  svinit.run(['/usr/bin/sv', ...args]);

const WGET = ['/usr/bin/wget', '-qO-', 'http://localhost/'];
const SYSLOG = '/var/log/runit/socklog/main/current';
const UPDATES = '/var/log/runit/bcron-update/current';
const TAB =
  'export LOGNAME=root; echo "0 0 1 1 * true" >/tmp/tab; bcrontab /tmp/tab && bcrontab -l';

/** Each waits until the daemon has answered as it should. */
const ANSWERS = {
  ssh: (svinit: Instance) =>
    says(svinit, ['/bin/sh', '-c', 'nc -w 2 127.0.0.1 22 </dev/null'], /^SSH-2\.0-OpenSSH/),
  'git-daemon': (svinit: Instance) =>
    says(svinit, ['/usr/bin/git', 'ls-remote', 'git://localhost/git/test.git'], /\tHEAD$/m),
  'mini-httpd': (svinit: Instance) => says(svinit, WGET, /^it works$/),
  'socklog-unix': (svinit: Instance) =>
    says(svinit, ['/bin/sh', '-c', `logger hello; cat ${SYSLOG}`], /user\.notice: .*hello/),
  'bcron-spool': (svinit: Instance) => says(svinit, ['/bin/sh', '-c', TAB], /^0 0 1 1 \* true$/m),
  'bcron-update': (svinit: Instance) => says(svinit, ['/bin/cat', UPDATES], /\+\/etc\/crontab/),
};

/** Runs a client inside until it says so and ends well. */
function says(svinit: Instance, argv: readonly string[], pattern: RegExp): Promise<true> {
  return until(`${argv.join(' ')} says ${pattern}`, async () => {
    // Who is connected while the daemon begins anew may wait for nothing.
    const { code, stdout } = await svinit.run(['/usr/bin/busybox', 'timeout', '10', ...argv]);
    return (code === 0 && pattern.test(stdout)) || null;
  });
}
