/**
 * Another init becomes PID 1 of the machine: what it finds is what it would have found had the
 * kernel started it. A hand-over that cannot succeed is refused, one that fails ends at a console,
 * and both ends of /run/initramfs are gone through.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, serviceFiles } from './fixtures.ts';
import { boot, type ExtraFile } from './harness.ts';
import { type Machine, start, within } from './machine.ts';
import { MODULES, moduleFiles, noModules } from './modules.ts';

/** Where svroot has the root, and where `svctl switch-root` looks for it. */
const ROOT = '/run/svinit/roots/os';

/**
 * An init that prints what it is. An alarm of svinit's comes four seconds after its last life sign;
 * nothing but time tells that there is none.
 */
const PROBE = `#!/bin/sh
trap 'echo ALARM' ALRM
[ -e /proc/mounts ] || /bin/busybox mount -t proc proc /proc
echo "@@arguments $*"
echo @@state
umask
pwd
cut -d ' ' -f 4-8 /proc/1/stat
grep -E '^(Threads|ShdPnd|Sig[PBIC]|Cap|NoNewPrivs|Seccomp)' /proc/1/status
ls -l /proc/1/fd > /tmp/descriptors
sed -n 's/.* \\([0-9]* -> .*\\)/\\1/p' /tmp/descriptors
sed -n '/ processes \\|pending/d; p' /proc/1/limits
tr '\\0' '\\n' < /proc/1/environ
cat /proc/1/oom_score_adj /proc/1/timerslack_ns /proc/1/coredump_filter
cat /proc/sys/kernel/ctrl-alt-del
echo @@world
cut -d ' ' -f 2 /proc/mounts
find /sys/fs/cgroup -mindepth 1 -type d
cat /sys/fs/cgroup/cgroup.subtree_control
ls -l /proc/[0-9]*/exe 2> /dev/null | grep svinit
dmesg | grep 'watchdog did not stop'
echo @@memory
for i in 1 2 3 4 5 6 7 8 9 10; do
  shmem=$(sed -n 's/^Shmem: *\\([0-9]*\\) kB$/\\1/p' /proc/meminfo)
  [ $shmem -lt 30000 ] && break
  sleep 1
done
[ $shmem -lt 30000 ] && echo 'the initramfs is gone' || free
sleep 5
echo @@end
cd /run/initramfs && mount -o bind . . && cd . && cd /run/initramfs &&
  for name in dev proc sys run; do mount -o bind /$name $name; done &&
  pivot_root . oldroot && exec chroot . /shutdown poweroff
exec /bin/busybox poweroff -f
`;

const MAKE_PROBE = `set -e
mkdir -p ${ROOT} && mount -t tmpfs -o size=20m none ${ROOT} && cd ${ROOT}
mkdir -p bin sbin usr/bin usr/sbin real tmp
cp /usr/bin/busybox bin/busybox
chroot . /bin/busybox --install -s
cp /real/init real/init
# A link means what it means on the root.
ln -sf /real/init sbin/init
mkdir /mnt/garbage && mount -t tmpfs none /mnt/garbage && mkdir /mnt/garbage/sbin
printf '\\177ELF' > /mnt/garbage/sbin/init
chmod 755 /mnt/garbage/sbin/init
`;

const MAKE_COPY = `set -e
mkdir -p ${ROOT} && mount -t tmpfs -o size=400m none ${ROOT} && cd ${ROOT}
cp -a /usr /etc /bin /sbin /lib /lib64 .
mkdir -p tmp var/lib mnt root
`;

const WATCHDOG = ['watchdog', 'softdog'];

const FILES: readonly ExtraFile[] = [
  { path: '/real', directory: true },
  { path: '/real/init', mode: 0o755, content: PROBE },
  { path: '/etc/probe.sh', content: MAKE_PROBE },
  { path: '/etc/copy.sh', content: MAKE_COPY },
  ...(noModules === null ? moduleFiles(...WATCHDOG) : []),
  ...serviceFiles({ default: bundle('console', 'syslog') }),
];

/** What the probe finds when the kernel itself starts it. */
let truth: Promise<string> | null = null;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: another init`, async (t) => {
    const append = 'svinit.watchdog=60';
    const m = await start(t, runtime, { extraFiles: FILES, append });
    await m.sh('sh /etc/probe.sh');
    if (noModules === null) {
      for (const name of WATCHDOG) await m.sh(`insmod ${MODULES}/${name}.ko`);
      await m.sh(within('until svctl logs svinit | grep "the watchdog resets"; do sleep 1; done'));
    }
    await t.test('is refused when it would fail', (t) => refuses(t, m));
    await t.test('finds what the kernel would have given it', (t) => findsAll(t, m));
  });

  t.test(`${runtime}: an init that cannot run`, async (t) => {
    const m = await start(t, runtime, { extraFiles: FILES });
    await m.sh('sh /etc/probe.sh');
    m.vm.send('svctl switch-root /mnt/garbage');
    await m.vm.console.expect(/no other init: Cannot become \/sbin\/init: .* ENOEXEC\n/);
    await m.vm.console.expect('s, b, p? ');
    m.vm.send('s');
    const mounts = await m.sh('cut -d " " -f 2 /proc/mounts');
    for (const path of ['/proc', '/sys/fs/cgroup', '/run', '/mnt/garbage']) {
      t.ok(mounts.split('\n').includes(path), `${path} is where it was`);
    }
    t.match(await m.sh('ls /usr/bin/svinit /dev/null'), /svinit/, 'the initramfs is there');
    m.vm.send('busybox reboot -f');
    const { transcript } = await m.vm.ended;
    t.match(transcript, /reboot: Restarting system/);
    t.notMatch(transcript, /Kernel panic/);
  });

  t.test(`${runtime}: svinit after svinit`, async (t) => {
    const m = await start(t, runtime, { extraFiles: FILES, memoryMiB: 1536 });
    await m.sh('sh /etc/copy.sh');
    m.vm.send('svctl switch-root');
    await m.vm.console.expect('/sbin/init on /run/svinit/roots/os becomes PID 1\n');
    await m.vm.console.expect(/svinit: \d+ services up in .*\n/);
    t.match(await m.version(), { pid: 1, image: 1 });
    const mounts = await m.sh('cut -d " " -f 2 /proc/mounts');
    t.equal(mounts.match(/^\/proc$/gm)?.length, 1, 'nothing is mounted twice');
    m.vm.send('reboot');
    const { transcript } = await m.vm.ended;
    t.match(transcript, /\nreboot from the initramfs\n/);
    t.match(transcript, /\nsvinit: the old root is unmounted\n/);
    t.match(transcript, /reboot: Restarting system/);
    t.notMatch(transcript, /Kernel panic/);
  });
}

async function refuses(t: Test, m: Machine): Promise<void> {
  const before = await m.services();
  const refusals = [
    ['/mnt', '/mnt is no mount point'],
    ['/', '/ is no mount point'],
    ['--init=/nothing', `there is no /nothing on ${ROOT}`],
    ['--init=/real', `/real on ${ROOT} is not executable`],
    ['--init=/etc/probe.sh', `there is no /etc/probe.sh on ${ROOT}`],
    ['/sys', '/sys has no /proc'],
  ] as const;
  for (const [words, reason] of refusals) {
    const { output, code } = await m.run(`svctl switch-root ${words}`);
    t.match(output, new RegExp(`Cannot switch-root: .*(${reason})`), words);
    t.equal(code, 1);
  }
  const pids = (services: typeof before): unknown =>
    [...services.values()].map(({ name, pid }) => [name, pid]);
  t.same(pids(await m.services()), pids(before), 'nothing was stopped for it');
}

async function findsAll(t: Test, { vm }: Machine): Promise<void> {
  vm.send(`svctl switch-root ${ROOT}/ one 'two words'`);
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /@@arguments one two words\n/);
  truth ??= startedByTheKernel();
  t.equal(block(transcript, 'state'), await truth, 'itself');
  const world = block(transcript, 'world').trim().split('\n').sort();
  t.same(world, MOUNTED, 'the mounts; no cgroup, no controller, no process of svinit');
  t.equal(block(transcript, 'memory'), 'the initramfs is gone\n');
  t.match(transcript, /\nsvinit: the old root is unmounted\n.*reboot: Power down/);
  t.notMatch(transcript, /Kernel panic/);
}

const MOUNTED: readonly string[] = [
  ...['/', '/dev', '/dev/mqueue', '/dev/pts', '/dev/shm', '/proc', '/run', '/sys'],
  '/sys/fs/cgroup',
];

async function startedByTheKernel(): Promise<string> {
  const vm = await boot({ append: 'loglevel=1 rdinit=/real/init', extraFiles: FILES });
  return block((await vm.ended).transcript, 'state');
}

/** What the probe printed after one of its marks, up to the next. */
function block(transcript: string, mark: string): string {
  return new RegExp(`@@${mark}\n([^]*?)@@`).exec(transcript)?.[1] ?? `no ${mark}: ${transcript}`;
}
