/**
 * Each service has a cgroup of its own on a machine: nothing of it outlives it, its limits hold it
 * and nobody else, and images of svinit come and go without touching any of that.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, type Definition, IDLE, serviceFiles } from './fixtures.ts';
import { type Machine, start, within } from './machine.ts';
import { BEAT, type Condition, condition, expectOracle, oracleFiles } from './oracle.ts';

const MEMORY_MIB = 640;
/** What is started runs on at once, while PID 1 is still about to move it. */
const CPUS = 2;
/** The disk is for limits of devices, and nothing is ever read from it. */
const DISK = { driver: 'null-co', size: 2 ** 23, 'node-name': 'disk', 'read-zeroes': true };
const HARDWARE = {
  ...{ memoryMiB: MEMORY_MIB, cpus: CPUS, modules: true },
  devices: ['-blockdev', JSON.stringify(DISK), '-device', 'virtio-blk-pci,drive=disk,addr=10'],
};
const FOREVER = 'exec sleep 2147483647';
const SERVICES = '/sys/fs/cgroup/svinit.services';

/** A daemon as they used to be made: neither its parent nor its session tells whose it is. */
const DAEMON = '/etc/svinit/daemon.sh';
const daemonFile = { path: DAEMON, content: 'sleep 2147483647 &\necho $! > $1\n' };
const letLoose = (file: string): string => `(setsid sh ${DAEMON} ${file} &)`;

/**
 * What somebody does who was given a cgroup: he divides it, as himself. That is refused for as long
 * as the processes that have started him are in it.
 */
const TENANT = '/etc/svinit/tenant.sh';
const tenantFile = {
  path: TENANT,
  content: [
    `cd ${SERVICES}/tenant || exit`,
    "su tenant -c '",
    'mkdir leaf && echo $$ > leaf/cgroup.procs',
    'until echo +memory > cgroup.subtree_control; do sleep 0.1; done',
    "echo 16M > leaf/memory.max; sleep 2147483647' &",
    'echo $! > /run/tenant',
    '',
  ].join('\n'),
};

const down = (definition: Definition): Definition => ({ ...definition, down: '' });

/** busybox setsid(1) forks at once, and its child is a daemon: as fast as one can escape. */
const RACERS = Array.from({ length: 10 }, (_, index) => `racer${index}`);
const racer: Definition = {
  type: 'oneshot\n',
  'service.json': '{ "command": ["/bin/busybox", "setsid", "sleep", "1000000"] }\n',
};

const definitions: Readonly<Record<string, Definition>> = {
  default: bundle('console'),
  beat: BEAT,
  'memory.max': { run: IDLE },
  daemon: { run: `#!/bin/sh\n${letLoose('/run/daemon')}\n${FOREVER}\n` },
  deaf: down({
    run: `#!/bin/sh\ntrap '' TERM\n${letLoose('/run/deaf')}\nwhile :; do sleep 1; done\n`,
    'service.json': '{ "stop": { "timeout": "500ms" } }\n',
  }),
  once: {
    type: 'oneshot\n',
    up: `#!/bin/sh\n${letLoose('/run/once')}\nuntil [ -s /run/once ]; do sleep 0.1; done\n`,
  },
  nested: down({
    run: [
      '#!/bin/sh',
      `cd ${SERVICES}/nested && mkdir below`,
      `sh -c 'echo $$ > below/cgroup.procs; echo $$ > /run/nested; ${FOREVER}' &`,
      FOREVER,
      '',
    ].join('\n'),
  }),
  bomb: down({
    run: `#!/bin/sh\nb() { b | b & }\nb\n${FOREVER}\n`,
    'service.json': '{ "cgroup": { "pids.max": 24, "cpu.weight": 10 } }\n',
  }),
  hog: down({
    run: '#!/bin/sh\nexec tail /dev/zero\n',
    'service.json': '{ "cgroup": { "memory.max": "32M", "memory.swap.max": "0" } }\n',
  }),
  impossible: down({
    run: IDLE,
    'service.json': '{ "cgroup": { "pids.max": 10, "cpu.max": "1000 9999999" } }\n',
  }),
  pinned: down({
    run: IDLE,
    'service.json': JSON.stringify({
      cgroup: { 'cpuset.cpus': '1', 'cpuset.mems': '0', 'io.max': '/dev/vda wbps=4096 riops=9' },
    }),
  }),
  worker: down({
    run: '#!/bin/sh\ntail /dev/zero; exit 7\n',
    'service.json': JSON.stringify({
      ...{ cgroup: { 'memory.max': '32M', 'memory.swap.max': '0' }, restart: { when: 'never' } },
    }),
  }),
  misplaced: down({
    run: IDLE,
    'service.json': '{ "cgroup": { "io.max": "/dev/null rbps=4096" } }\n',
  }),
  ...Object.fromEntries(RACERS.map((name) => [name, racer])),
  store: {
    type: 'bundle\n',
    contents: 'member\ncrowd\n',
    'service.json': '{ "cgroup": { "pids.max": 24, "memory.max": "96M" } }\n',
  },
  member: down({ run: IDLE, 'service.json': '{ "cgroup": { "pids.max": 10 } }\n' }),
  crowd: down({ run: `#!/bin/sh\nb() { b | b & }\nb\n${FOREVER}\n` }),
  tenant: {
    type: 'oneshot\n',
    up: `#!/bin/sh\n(setsid sh ${TENANT} &)\nuntil [ -s /run/tenant ]; do sleep 0.1; done\n`,
    down: '#!/bin/sh\ncat /proc/self/cgroup > /run/tenant.down\n',
    'service.json': '{ "initially": "down", "cgroup": { "delegate": 1000, "pids.max": 20 } }\n',
  },
};

const extraFiles = [...serviceFiles(definitions), daemonFile, tenantFile, ...oracleFiles];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: cgroups`, async (t) => {
    const append = 'svinit.testing';
    const m = await start(t, runtime, { extraFiles, ...HARDWARE, append });
    let was = await condition(m);

    await t.test(`${runtime}: everyone is in its place`, (t) => places(t, m));
    await t.test(`${runtime}: svctl top shows what services use`, () => figures(m));
    await t.test(`${runtime}: nothing outlives its service`, (t) => leftovers(t, m));
    await t.test(`${runtime}: limits hold who has them`, async (t) => {
      await forkBomb(t, m);
      await memoryHog(t, m);
      await placed(t, m);
      await refused(t, m);
      was = await expectOracle(t, m, was, { moved: ['daemon'] });
    });
    await t.test(`${runtime}: a bundle limits its members together`, (t) => slices(t, m));
    await t.test(`${runtime}: who is given a cgroup divides it`, (t) => delegation(t, m));
    was = await expectOracle(t, m, was, { images: 1 });
    await t.test(`${runtime}: images come and go`, (t) => images(t, m, was));
  });
}

async function places(t: Test, m: Machine): Promise<void> {
  t.equal(await m.sh('cat /proc/1/cgroup'), '0::/svinit.init');
  t.equal(await m.sh('cat /sys/fs/cgroup/svinit.init/cgroup.procs'), '1', 'alone');
  t.equal(await m.sh('cat /sys/fs/cgroup/svinit.init/memory.min'), String(64 * 1024 * 1024));
  t.equal(await m.sh('cat /proc/self/cgroup'), '0::/svinit.services/console', 'so is a shell');
  t.match(await m.run('svctl doctor'), { code: 0, output: /^ok +cgroups +each service has/m });
  const services = await m.services();
  const names: readonly (readonly [string, string])[] = [
    ['beat', 'beat'],
    ['svlog', 'svlog'],
    ['memory.max', '_memory.max'],
  ];
  for (const [name, cgroup] of names) {
    const found = await m.sh(`cat /proc/${services.get(name)?.pid}/cgroup`);
    t.equal(found, `0::/svinit.services/${cgroup}`, name);
  }

  await m.sh(`svctl start ${RACERS.join(' ')}`);
  const found = await m.sh(`cd ${SERVICES}; grep -c . racer*/cgroup.procs`);
  const wanted = RACERS.map((name) => `${name}/cgroup.procs:1`);
  t.same(found.split('\n').sort(), wanted.sort(), 'nobody escapes before it is placed');
  await m.sh(`svctl stop ${RACERS.join(' ')}`);
  await removed(t, m, ...RACERS);
}

/** On the serial line itself: what is expected and does not come is the failure. */
async function figures(m: Machine): Promise<void> {
  m.vm.send('svctl top');
  await m.vm.console.expect(/psi cpu [0-9.]+ mem [0-9.]+ io [0-9.]+/);
  await m.vm.console.expect(/beat +\S*up\S* +\S+ +[0-9.-]+ +[0-9.]+[KM] +[1-9][0-9]* /);
  m.vm.send('q');
  await m.sh('true');
}

async function leftovers(t: Test, m: Machine): Promise<void> {
  const first = await escaped(m, 'daemon');
  t.equal(await m.sh(`cat /proc/${first}/cgroup`), '0::/svinit.services/daemon');
  t.match(await m.sh(`grep PPid /proc/${first}/status`), /PPid:\s1$/, 'nobody knows whose it is');

  await m.sh(`rm /run/daemon; kill -KILL ${(await m.service('daemon')).pid}`);
  const second = await escaped(m, 'daemon');
  await gone(m, first);
  t.not(second, first, 'one that died takes the old ones along');
  await m.sh('svctl stop daemon; rm /run/daemon');
  await gone(m, second);
  await removed(t, m, 'daemon');

  await m.sh('svctl start daemon deaf once nested');
  const [deaf, once, nested] = [
    await escaped(m, 'deaf'),
    await escaped(m, 'once'),
    await escaped(m, 'nested'),
  ];
  t.equal(await m.sh(`cat /proc/${once}/cgroup`), '0::/svinit.services/once', 'it is done');
  t.equal(await m.sh(`cat /proc/${nested}/cgroup`), '0::/svinit.services/nested/below');
  await m.sh('svctl stop deaf once nested');
  await gone(m, deaf, once, nested);
  await removed(t, m, 'deaf', 'once', 'nested');
}

async function forkBomb(t: Test, m: Machine): Promise<void> {
  const isFull = `grep -q 'max [1-9]' ${SERVICES}/bomb/pids.events`;
  await m.sh(`svctl start --no-wait bomb; ${within(`until ${isFull}; do sleep 0.2; done`)}`);
  t.equal(await m.sh(`cat ${SERVICES}/bomb/pids.max ${SERVICES}/bomb/cpu.weight`), '24\n10');
  t.match(await m.run('true | cat'), { code: 0 }, 'the others can fork');
  await m.sh('svctl stop bomb');
  await removed(t, m, 'bomb');
}

async function memoryHog(t: Test, m: Machine): Promise<void> {
  await m.sh('dmesg -c > /dev/null; svctl start --no-wait hog');
  await m.sh(within('until [ "$(dmesg | grep -c "Killed process")" -ge 2 ]; do sleep 0.5; done'));
  t.match(await m.service('hog'), { lastExit: 'killed by KILL' });
  t.match(await m.sh('svctl why hog'), OUT_OF_MEMORY, 'and why says so');
  await m.sh('svctl stop hog');
  const victims = await m.sh(`dmesg | grep -o 'Killed process [0-9]* ([^)]*)'`);
  t.notMatch(victims, /\((?!tail\))/, 'the hog again and again, and nobody else');
  t.match(await m.sh('dmesg'), /oom_memcg=\/svinit.services\/hog/, 'for its own limit');
  await removed(t, m, 'hog');
}

/** By the kernel, which counts it before the process is gone. */
const OUT_OF_MEMORY = /because: killed by KILL: out of memory \(memory\.max 32M\), 1 OOM kill$/m;

async function placed(t: Test, m: Machine): Promise<void> {
  await m.sh('svctl start --no-wait worker; svctl wait worker:failed');
  const { cause } = await m.service('worker');
  t.equal(cause, 'exit 7: out of memory (memory.max 32M), 1 OOM kill', 'it was not itself');
  await m.sh('svmod virtio_pci virtio_blk');
  await m.sh(within('until [ -b /dev/vda ]; do sleep 0.1; done'));
  await m.sh('svctl start pinned');
  const { pid } = await m.service('pinned');
  t.match(await m.sh(`grep _list /proc/${pid}/status`), /^Cpus_\w+:\s+1\nMems_\w+:\s+0$/);
  const limits = await m.sh(`cat ${SERVICES}/pinned/io.max`);
  t.match(limits, /^\d+:0 rbps=max wbps=4096 riops=9 wiops=max$/);
  t.match(await m.run('svctl start misplaced'), { output: /\/dev\/null is no block device/ });
  await m.sh('svctl stop worker pinned misplaced');
  await removed(t, m, 'pinned', 'misplaced', 'worker');
}

/** The longest period that the kernel takes is a second (max_cfs_quota_period, sched/core.c). */
async function refused(t: Test, m: Machine): Promise<void> {
  t.match(await m.run('svctl start impossible'), { output: REFUSAL });
  await m.sh('svctl stop impossible');
  await removed(t, m, 'impossible');
}

const REFUSAL = /Cannot limit impossible: write to cpu.max failed with EINVAL/;

async function slices(t: Test, m: Machine): Promise<void> {
  const slice = `${SERVICES}/slice=store`;
  // Until Linux 6.11 it is counted where the fork was, not where the limit is.
  const isFull = `grep -q 'max [1-9]' ${slice}/pids.events ${slice}/crowd/pids.events`;
  await m.sh(`svctl start member; svctl start --no-wait crowd`);
  await m.sh(within(`until ${isFull}; do sleep 0.2; done`));
  t.equal(await m.sh(`cat ${slice}/pids.max ${slice}/member/pids.max`), '24\n10');
  t.equal(await m.sh(`cat ${slice}/crowd/pids.max`), 'max', 'it has no limit of its own');
  t.ok(Number(await m.sh(`cat ${slice}/pids.current`)) <= 24, 'together they keep to it');
  const { pid } = await m.service('member');
  t.equal(await m.sh(`cat /proc/${pid}/cgroup`), '0::/svinit.services/slice=store/member');
  await m.sh('svctl reexec; svctl stop crowd');
  await m.sh(within(`while [ -d ${slice}/crowd ]; do sleep 0.1; done`));
  t.equal((await m.service('member')).pid, pid, 'the other one goes on, whatever image it is');
  await m.sh('svctl stop member');
  await removed(t, m, 'slice=store');
}

async function delegation(t: Test, m: Machine): Promise<void> {
  await m.sh("echo 'tenant:x:1000:1000::/:/bin/sh' >> /etc/passwd");
  await m.sh('svctl start tenant');
  const group = `${SERVICES}/tenant`;
  const own = await escaped(m, 'tenant');
  await m.sh(within(`until grep -q 16777216 ${group}/leaf/memory.max; do sleep 0.1; done`));
  t.equal(await m.sh(`cat /proc/${own}/cgroup`), '0::/svinit.services/tenant/leaf');
  t.equal(await m.sh(`cat ${group}/pids.max`), '20');
  const as = (command: string) => m.run(`su tenant -c 'cd ${group} && ${command}'`);
  t.not((await as('echo 99 > pids.max')).code, 0, 'its own limit is not its');
  const deep = Array.from({ length: 17 }, (_, depth) => `d${depth}`).join('/');
  t.not((await as(`mkdir -p ${deep}`)).code, 0, 'what we must remove has its bounds');
  await m.sh('svctl stop tenant');
  t.equal(await m.sh('cat /run/tenant.down'), '0::/svinit.services/tenant/svinit.control');
  await gone(m, own);
  await removed(t, m, 'tenant');
}

async function images(t: Test, m: Machine, was: Condition): Promise<void> {
  const own = await escaped(m, 'daemon');
  const tree = await m.sh(TREE);
  await m.sh('svctl reexec');
  const now = await expectOracle(t, m, was, { images: 1 });
  t.equal(await m.sh(TREE), tree, 'a re-exec leaves every cgroup as it is');
  m.vm.send('kill -SEGV 1');
  await m.vm.console.expect(/svinit died of SIGSEGV and goes on as image/);
  await expectOracle(t, m, now, { images: 1 });
  t.equal(await m.sh(TREE), tree, 'and so does a death');
  await m.sh('svctl stop daemon');
  await gone(m, own);
  await removed(t, m, 'daemon');
}

/** Which cgroups there are, and who is in those that should not change. */
const TREE =
  'cd /sys/fs/cgroup; ls -d svinit.*/ svinit.services/*/; cat svinit.init/cgroup.procs; ' +
  'cd svinit.services; cat svlog/cgroup.procs daemon/cgroup.procs';

/** The pid of the process that a service has let loose, once it has. */
async function escaped(m: Machine, name: string): Promise<number> {
  const file = `/run/${name}`;
  return Number(await m.sh(within(`until [ -s ${file} ]; do sleep 0.1; done; cat ${file}`)));
}

async function gone(m: Machine, ...pids: readonly number[]): Promise<void> {
  for (const pid of pids) await m.sh(within(`while [ -d /proc/${pid} ]; do sleep 0.1; done`));
}

async function removed(t: Test, m: Machine, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    await m.sh(within(`while [ -d ${SERVICES}/${name} ]; do sleep 0.1; done`));
  }
  t.pass(`removed: ${names.join(' ')}`);
}
