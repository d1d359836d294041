/**
 * A service is what it asked to be and nothing else, asked of the kernel from inside: whoever
 * started it, and whatever image of svinit did. What cannot be had does not run.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Directory, oneshot, script } from './definitions.ts';
import { type Instance, start, until } from './instance.ts';
import { USER } from './roots.ts';

/** All that proc(5) says of who runs it, in a file of its name. Nothing is left out but numbers. */
const TELLS = script(
  [
    'cd /proc/$$',
    // Its script, and the pipe of this list, are none that it was started with.
    'fds=$(for fd in fd/*; do echo "$fd $(readlink $fd)"; done | grep -v -e pipe: -e /run$ -e " $")',
    '{',
    'cat status limits cgroup mountinfo',
    "tr '\\0' '\\n' < environ | sort",
    'echo "$fds"',
    'echo umask $(umask) oom $(cat oom_score_adj) io $(ionice -p $$)',
    "cut -d ' ' -f 18,19,40,41 stat",
    '} > /run/told/.$1',
    'mv /run/told/.$1 /run/told/$1',
    'idle',
  ].join('\n'),
);

const told = (json: object): Directory => ({
  run: TELLS,
  'service.json': JSON.stringify({ needs: ['place'], ...json }),
});

const ENVFILE = "# who\nHELLO='two words'\nEMPTY=\n";
const place = oneshot('place', {
  up: script(`mkdir -m 1777 /run/told; printf '%s' "${ENVFILE}" > /run/hello.env`),
});

const services = {
  place,
  plain: told({ env: { 'A.B': 'c' } }),
  full: told({
    ...{ user: 'nobody', group: '34', groups: ['56', '78'], umask: '027', nice: 5 },
    ...{ oomScoreAdjust: 300, limits: { nofile: '64:128', core: 0 }, noNewPrivileges: true },
    ...{ capabilities: ['net_bind_service'], ioClass: 'best-effort', ioPriority: 6, cpus: '0' },
    ...{
      scheduling: { policy: 'batch' },
      env: { 'A.B': 'c' },
      envFile: ['/run/hello.env', '-/no'],
    },
    ...{ privateTmp: true, readOnlyPaths: ['/etc', '-/no'] },
  }),
};

/** CAP_NET_BIND_SERVICE of linux/capability.h. */
const BIND = '0000000000000400';
const FULL = [
  ...['Umask:\t0027', 'Uid:\t65534\t65534\t65534\t65534', 'Gid:\t34\t34\t34\t34', 'NoNewPrivs:\t1'],
  ...['Groups:\t56 78 ', `CapEff:\t${BIND}`, `CapBnd:\t${BIND}`, 'Cpus_allowed_list:\t0'],
  ...[
    'umask 0027 oom 300 io best-effort: prio 6',
    '25 5 0 3',
    'A.B=c',
    'HELLO=two words',
    'EMPTY=',
  ],
  ...['fd/0 /dev/null', 'fd/1 /run/svinit/log/full', 'fd/2 /run/svinit/log/full'],
];
const PLAIN = [
  ...[
    'Umask:\t0022',
    'Uid:\t0\t0\t0\t0',
    'Gid:\t0\t0\t0\t0',
    'NoNewPrivs:\t0',
    'SigIgn:\t',
    'A.B=c',
  ],
  ...['fd/0 /dev/null', 'fd/1 /run/svinit/log/plain', 'fd/2 /run/svinit/log/plain', '20 0 0 0'],
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a service is what it asked to be, however it was started`, async (t) => {
    const svinit = await start(t, { runtime, services });
    const names = ['plain', 'full'] as const;
    const before = new Map<string, string>();
    for (const name of names) before.set(name, await answer(svinit, name));
    for (const line of PLAIN) t.match(before.get('plain'), line);
    isWhatItAsked(t, before.get('full') ?? '');

    const again = async (how: string, act: (name: string) => Promise<unknown>): Promise<void> => {
      for (const name of names) {
        await svinit.run(['rm', `/run/told/${name}`]);
        await act(name);
        t.equal(await answer(svinit, name), before.get(name), `${name} ${how}`);
      }
    };
    const restart = (name: string): Promise<unknown> => svinit.svctl('restart', name);
    await again('started by hand', restart);
    await again('started after a crash', async (name) => {
      const { pid } = await svinit.service(name);
      await svinit.run(['kill', '-KILL', String(pid)]);
    });
    t.match(await svinit.call('reexec'), { result: { image: 2 } });
    await again('started by the next image', restart);
    svinit.signal('SIGSEGV');
    await svinit.console.expect(/svinit died of SIGSEGV and goes on as image 3/);
    await again('started by an image after a death', restart);
  });

  t.test(`${runtime}: what a service cannot have it does not run without`, async (t) => {
    const svinit = await start(t, { runtime, services: { ...refused(REFUSED), place: FILES } });
    await refuses(t, svinit, REFUSED);
    const less = await start(t, { runtime, services: { ...refused(WITHOUT), shut }, uid: USER });
    await refuses(t, less, WITHOUT);
    await less.logFile('shut').expect(/ x$/m);
    t.match(less.log('shut').at(0), /Read-only/, 'what it may have it has');
  });

  t.test(`${runtime}: what it prints to belongs to its user`, async (t) => {
    const run = script('echo out > /dev/stdout; echo err > /proc/self/fd/2; id -u; idle');
    const writer = { run, 'service.json': '{ "user": "nobody" }' };
    const apart = { ...writer, 'flag-newpidns': '' };
    const svinit = await start(t, { runtime, services: { place: JAIL, writer, apart, jailed } });
    const owner = async (name = 'writer'): Promise<string> => {
      const { stdout } = await svinit.run(['stat', '-c', '%u %a', `/run/svinit/log/${name}`]);
      return stdout;
    };
    await svinit.logFile('writer').expect(/ 65534$/m);
    t.same(svinit.log('writer'), ['out', 'err', '65534']);
    t.equal(await owner(), '65534 600');
    await svinit.logFile('apart').expect(/ 65534$/m);
    t.equal(await owner('apart'), '65534 600', 'whatever its pid is in there');
    await svinit.run(['sh', '-c', 'echo {} > /etc/svinit/services/writer/service.json']);
    await svinit.svctl('scan');
    await svinit.svctl('restart', 'writer');
    await svinit.logFile('writer').expect(/ 0$/m);
    t.equal(await owner(), '0 600', 'and not to one it had before');

    await svinit.logFile('jailed').expect(/busybox$/m);
    t.same(svinit.log('jailed'), ['65534 65534', '/ /busybox']);
  });
}

/** What a service tells of itself, once it has; without what counts processes and mounts. */
async function answer(svinit: Instance, name: string): Promise<string> {
  const text = await until(`${name} tells of itself`, async () => {
    const { code, stdout } = await svinit.run(['cat', `/run/told/${name}`]);
    return code === 0 ? stdout : null;
  });
  return text
    .split('\n')
    .filter((line) => !COUNTS.test(line))
    .map((line) => line.replace(/^\d+ \d+ \d+:\d+ (.*?)(?: (?:shared|master):\d+)* - /, '$1 - '))
    .join('\n');
}

/** Pids, sizes of memory, and how often it had to wait. */
const COUNTS = /^(?:N?S?t?g?[Pp]p?id|Tgid|NS\w+|Ngid|Vm\w+|Rss\w+|\w*_ctxt_switches|State|SigQ):/i;

function isWhatItAsked(t: Test, full: string): void {
  for (const line of FULL) t.ok(full.split('\n').includes(line), line);
  t.match(full, /^Max open files +64 +128 /m);
  t.match(full, /^Max core file size +0 +0 /m);
  t.match(full, /^\/ \/tmp rw,nosuid,nodev,\S+ - tmpfs svinit /m);
  t.match(full, /^\/etc \/etc ro,/m);
  t.notMatch(full, /^(?:PWD|OLDPWD|SHLVL)=/m, 'the chain leaves nothing behind');
}

/** Services that cannot be what they ask, each with the key and what is said of it. */
type Refused = Readonly<Record<string, readonly [object, RegExp]>>;

const REFUSED: Refused = {
  user: [{ user: 'nobody-knows' }, /user: .*nobody-knows/],
  number: [{ user: '4711' }, /user: .*4711/],
  group: [{ user: 'nobody', group: 'nogrp' }, /group: .*nogrp/],
  groups: [{ groups: ['nogrp'] }, /groups: .*nogrp/],
  limit: [{ limits: { nofile: '64:2000000000' } }, /limits: .*NOFILE/],
  cpus: [{ cpus: '8000' }, /cpus: /],
  envNone: [{ envFile: '/run/none' }, /envFile: expected a file.*\/run\/none/],
  envFifo: [{ envFile: '/run/fifo' }, /envFile: expected a file.*\/run\/fifo/],
  envLine: [{ envFile: ['/run/good', '/run/bad'] }, /envFile: \/run\/bad:3: expected NAME=value/],
  envQuote: [{ envFile: '/run/quote' }, /envFile: \/run\/quote:1: expected a quote/],
  path: [{ readOnlyPaths: ['/etc', '/none'] }, /readOnlyPaths: there is no \/none/],
  chroot: [{ chroot: '/none' }, /chroot: there is no directory \/none/],
};

const FILES = oneshot('place', {
  up: script(
    'cd /run; mkfifo fifo; echo A=1 > good; printf "A=1\\n\\nno\\n" > bad; echo "A=\'x" > quote',
  ),
});

/** What nobody can have who is root in a user namespace only, as in most containers. */
const WITHOUT: Refused = {
  user: [{ user: 'nobody' }, /user: /],
  limit: [{ limits: { memlock: '1:1099511627776' } }, /limits: .*MEMLOCK/],
  nice: [{ nice: -5 }, /nice: /],
  scheduling: [{ scheduling: { policy: 'fifo', priority: 5 } }, /scheduling: /],
  oom: [{ oomScoreAdjust: -900 }, /oomScoreAdjust: .*-900/],
};

const shut = {
  'service.json': JSON.stringify({
    ...{ privateTmp: true, readOnlyPaths: ['/'], restart: { when: 'never' } },
    command: ['/bin/sh', '-c', 'touch /run/x; touch /tmp/x; ls /tmp'],
  }),
};

function refused(services: Refused): Readonly<Record<string, Directory>> {
  const command = ['/bin/touch', '/run/it-ran'];
  const rest = { command, needs: ['place'], restart: { when: 'never' }, initially: 'down' };
  const entries = Object.entries(services).map(([name, [json]]): [string, Directory] => [
    `bad-${name}`,
    { 'service.json': JSON.stringify({ ...rest, ...json }) },
  ]);
  return { place: oneshot('place'), ...Object.fromEntries(entries) };
}

async function refuses(t: Test, svinit: Instance, services: Refused): Promise<void> {
  const names = Object.keys(services).map((name) => `bad-${name}`);
  await svinit.svctl('start', '--timeout=60s', ...names);
  await svinit.svctl('wait', '--timeout=60s', ...names.map((name) => `${name}:failed`));
  for (const [name, [, reason]] of Object.entries(services)) {
    const service = await svinit.service(`bad-${name}`);
    t.match(service, { state: 'failed', lastExit: 'exit 111' }, name);
    // The logger may be behind.
    const said = new RegExp(`last said: svinit: not started: ${reason.source}`);
    const why = await until(`why ${name}`, async () => {
      const { stdout } = await svinit.svctl('why', `bad-${name}`);
      return stdout.includes('last said') ? stdout : null;
    });
    t.match(why, said);
  }
  t.not((await svinit.run(['ls', '/run/it-ran'])).code, 0, 'none has run');
}

const JAIL = oneshot('place', { up: script('mkdir /jail; cp /usr/bin/busybox /jail/') });
const LOOKS = '/busybox echo $(/busybox id -u) $(/busybox id -G); /busybox echo $(/busybox pwd) /*';
const jailed = {
  'service.json': JSON.stringify({
    ...{ command: ['/busybox', 'sh', '-c', `${LOOKS}; /busybox sleep 1000000`], needs: ['place'] },
    ...{ chroot: '/jail', user: 'nobody', noNewPrivileges: true },
  }),
};
