/**
 * The boot plan, told in words, for the places svinit wakes up in.
 */
import t from 'tap';
import { type BootFacts, choosePlaces, type PlaceState, planBoot } from '../../src/core/boot.ts';
import { BOOT_DEFAULTS } from '../../src/core/boot-options.ts';
import { describeStep } from '../../src/core/boot-step.ts';
import { PATHS_OF_INTEREST } from '../../src/core/boot-tables.ts';
import { placesFrom } from '../../src/core/environment.ts';
import type { MountPoint } from '../../src/core/mountinfo.ts';

/** A virtual machine that runs our image: only the two nodes and directories of the archive. */
const INITRAMFS: BootFacts = {
  pid1: true,
  machine: true,
  canMount: true,
  canMknod: true,
  uid: 0,
  mounts: [{ target: '/proc', type: 'proc' }],
  existing: new Set(['/proc', '/dev', '/dev/null', '/dev/console']),
  filesystems: new Set(['proc', 'sysfs', 'tmpfs', 'devtmpfs', 'cgroup2']),
  places: new Map([['/run/svinit', 'refused']]),
  notices: [],
};

const MOUNTED: readonly MountPoint[] = [
  { target: '/', type: 'ext4' },
  { target: '/proc', type: 'proc' },
  { target: '/sys', type: 'sysfs' },
  { target: '/dev', type: 'devtmpfs' },
  { target: '/dev/pts', type: 'devpts' },
  { target: '/dev/shm', type: 'tmpfs' },
  { target: '/dev/mqueue', type: 'mqueue' },
  { target: '/run', type: 'tmpfs' },
  { target: '/sys/fs/cgroup', type: 'cgroup2' },
];

/** A distribution's initramfs has mounted everything and become its root. */
const HANDED_OVER: BootFacts = {
  ...INITRAMFS,
  mounts: MOUNTED,
  existing: new Set(PATHS_OF_INTEREST),
  places: new Map([
    ['/run/svinit', 'free'],
    ['/run/log/svinit', 'free'],
  ]),
};

/** podman run --read-only --user 1000: everything is there, nothing may be changed. */
const UNPRIVILEGED: BootFacts = {
  ...HANDED_OVER,
  machine: false,
  canMount: false,
  canMknod: false,
  uid: 1000,
  mounts: MOUNTED.map((mount) => (mount.target === '/dev' ? { ...mount, type: 'tmpfs' } : mount)),
  places: new Map([
    ['/run/svinit', 'refused'],
    ['/dev/shm/svinit-1000', 'free'],
    ['/tmp/svinit-1000', 'free'],
    ['/run/log/svinit', 'refused'],
  ]),
};

/** unshare --user --map-root-user: CAP_SYS_ADMIN of a namespace, a bare root, no devices. */
const USER_NAMESPACE: BootFacts = {
  ...INITRAMFS,
  machine: false,
  canMknod: false,
  existing: new Set(['/proc', '/sys', '/dev', '/dev/null', '/run']),
};

const told = (facts: BootFacts, options = BOOT_DEFAULTS) =>
  planBoot(options, facts).map((step) => `${step.fatal ? '! ' : ''}${describeStep(step)}`);

t.test('planBoot() makes a system of an empty initramfs', async (t) => {
  t.same(told(INITRAMFS), [
    'mount --make-rprivate /',
    'mount -t devtmpfs -o nosuid,mode=0755 devtmpfs /dev',
    'mkdir -m 0555 /sys',
    'mount -t sysfs -o nosuid,nodev,noexec sysfs /sys',
    'mkdir -m 0755 /dev/pts',
    'mount -t devpts -o nosuid,noexec,gid=5,mode=0620,ptmxmode=0666 devpts /dev/pts',
    'mkdir -m 0755 /dev/shm',
    'mount -t tmpfs -o nosuid,nodev,mode=1777 tmpfs /dev/shm',
    'mkdir -m 0755 /dev/mqueue',
    'mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue',
    'mkdir -m 0755 /run',
    'mount -t tmpfs -o nosuid,nodev,strictatime,mode=0755 tmpfs /run',
    'mount -t cgroup2 -o nosuid,nodev,noexec,nsdelegate,memory_recursiveprot,favordynmods ' +
      'cgroup2 /sys/fs/cgroup',
    '! mknod -m 0666 /dev/null c 1 3',
    'mknod -m 0600 /dev/console c 5 1',
    'mknod -m 0666 /dev/ptmx c 5 2',
    'mknod -m 0666 /dev/tty c 5 0',
    'mknod -m 0666 /dev/zero c 1 5',
    'mknod -m 0666 /dev/full c 1 7',
    'mknod -m 0666 /dev/random c 1 8',
    'mknod -m 0666 /dev/urandom c 1 9',
    'mknod -m 0644 /dev/kmsg c 1 11',
    'ln -s /proc/self/fd /dev/fd',
    'ln -s /proc/self/fd/0 /dev/stdin',
    'ln -s /proc/self/fd/1 /dev/stdout',
    'ln -s /proc/self/fd/2 /dev/stderr',
    'mkdir -m 0755 /run/log',
    '! claim /run/svinit (ours, 0711)',
    'mount -t tmpfs -o nosuid,nodev,mode=0711,size=16777216 tmpfs /run/svinit',
    'mkdir -m 0755 /run/svinit/services',
    'mkdir -m 0700 /run/svinit/log',
    'mkdir -m 0750 /run/log/svinit',
    'echo on > /proc/sys/kernel/printk_devkmsg',
  ]);
});

t.test('planBoot() on a machine', async (t) => {
  const bare = told({ ...INITRAMFS, mounts: [], existing: new Set() });
  t.same(
    bare.slice(1, 3),
    ['mkdir -m 0555 /proc', '! mount -t proc -o nosuid,nodev,noexec proc /proc'],
    'without /proc mounts it, and may not fail',
  );
  const old = told({ ...INITRAMFS, filesystems: new Set(['tmpfs']) });
  t.ok(old.includes('mount -t tmpfs -o nosuid,mode=0755 tmpfs /dev'), 'without devtmpfs');
  const small = told(INITRAMFS, { ...BOOT_DEFAULTS, tmpfsSize: 2 ** 20 });
  t.ok(
    small.some((line) => line.includes('size=1048576')),
    'takes the size asked for',
  );
});

t.test('planBoot() mounts nothing twice', async (t) => {
  t.same(told(HANDED_OVER), [
    'mount --make-rprivate /',
    'mkdir -m 0755 /run/log',
    '! claim /run/svinit (ours, 0711)',
    'mount -t tmpfs -o nosuid,nodev,mode=0711,size=16777216 tmpfs /run/svinit',
    'mkdir -m 0755 /run/svinit/services',
    'mkdir -m 0700 /run/svinit/log',
    'mkdir -m 0750 /run/log/svinit',
    'echo on > /proc/sys/kernel/printk_devkmsg',
  ]);
  const again = { ...HANDED_OVER, mounts: [...MOUNTED, { target: '/run/svinit', type: 'tmpfs' }] };
  t.notOk(
    planBoot(BOOT_DEFAULTS, again).some((step) => step.do === 'mount'),
    'nor a second time',
  );
});

t.test('planBoot() leaves what somebody else mounted', async (t) => {
  const hybrid = [...MOUNTED, { target: '/sys/fs/cgroup', type: 'tmpfs' }];
  t.same(told({ ...HANDED_OVER, mounts: hybrid }), told(HANDED_OVER));
  const masked = [...MOUNTED, { target: '/proc', type: 'tmpfs' }];
  t.ok(told({ ...HANDED_OVER, mounts: masked }).some((line) => line.endsWith('proc /proc')));
});

t.test('planBoot() in an unprivileged container with a read-only root', async (t) => {
  t.same(told(UNPRIVILEGED), [
    '! claim /dev/shm/svinit-1000 (ours, 0711)',
    'mkdir -m 0755 /dev/shm/svinit-1000/services',
    'mkdir -m 0700 /dev/shm/svinit-1000/log',
    'mkdir -m 0750 /dev/shm/svinit-1000/logs',
  ]);
});

t.test('planBoot() in a user namespace makes no devices and asks for no devtmpfs', async (t) => {
  const plan = planBoot(BOOT_DEFAULTS, USER_NAMESPACE);
  t.notOk(plan.some((step) => step.do === 'mknod'));
  t.notOk(plan.some((step) => step.do === 'mount' && step.target === '/dev'));
  const data = (type: string) =>
    plan.flatMap((step) => (step.do === 'mount' && step.type === type ? step.data : []));
  t.equal(data('devpts').at(-1), 'mode=0620,ptmxmode=0666', 'group 5 may be unmapped');
  t.ok(told(USER_NAMESPACE).includes('ln -s pts/ptmx /dev/ptmx'));
  t.same(data('cgroup2'), [''], 'options of the whole system are not set');
  t.equal(plan.at(-1)?.do, 'mkdir', 'nor is the log of the host');
});

t.test('planBoot() in a privileged container hides and shares nothing', async (t) => {
  const mounts = [
    ...MOUNTED.filter(({ target }) => target !== '/run' && target !== '/dev/mqueue'),
    { target: '/run/secrets', type: 'tmpfs' },
    { target: '/shared', type: 'ext4' },
  ];
  const lines = told({ ...HANDED_OVER, machine: false, mounts });
  t.same(
    lines.filter((line) => line.startsWith('mount')),
    [
      'mount --make-private /dev',
      'mount --make-private /',
      'mount -t mqueue -o nosuid,nodev,noexec mqueue /dev/mqueue',
      'mount -t tmpfs -o nosuid,nodev,mode=0711,size=16777216 tmpfs /run/svinit',
    ],
  );
  const run = 'mount -t tmpfs -o nosuid,nodev,strictatime,mode=0755 tmpfs /run';
  t.notOk(told({ ...HANDED_OVER, machine: false, mounts, places: new Map() }).includes(run));
  const plain = mounts.filter(({ target }) => target !== '/run/secrets');
  const container = { ...HANDED_OVER, machine: false, mounts: plain };
  t.notOk(told(container).includes(run), 'a /run that can be written is good enough');
  t.ok(told({ ...container, places: new Map() }).includes(run), 'one that cannot is not');
  t.ok(told({ ...container, existing: new Set() }).includes(run), 'nor one that is not there');
});

t.test('planBoot() in a privileged container never touches the devices of the host', async (t) => {
  const bare = { ...INITRAMFS, machine: false, existing: new Set<string>() };
  const lines = told(bare);
  t.ok(lines.includes('mount -t tmpfs -o nosuid,mode=0755 tmpfs /dev'));
  t.notOk(lines.some((line) => /console|kmsg|devtmpfs/.test(line)));
  const enough = told({ ...bare, existing: new Set(['/dev/null']) });
  t.notOk(
    enough.some((line) => line.endsWith(' /dev')),
    'a /dev that works is kept',
  );
});

t.test('planBoot() without /dev/null tries to make it even where that is refused', async (t) => {
  const lines = told({ ...UNPRIVILEGED, existing: new Set() }).join('\n');
  t.same(lines.match(/.*mknod.*/g), ['! mknod -m 0666 /dev/null c 1 3']);
});

t.test('planBoot() as a plain process makes directories only', async (t) => {
  const plain = { ...HANDED_OVER, pid1: false, machine: false, existing: new Set<string>() };
  const kinds = planBoot(BOOT_DEFAULTS, plain).map((step) => step.do);
  t.same([...new Set(kinds)].sort(), ['claim', 'mkdir']);
  t.ok(told(plain).includes('mkdir -m 0755 /run'));
  t.notOk(told(plain, { ...BOOT_DEFAULTS, run: '/a/b' }).includes('mkdir -m 0755 /run'));
});

t.test('choosePlaces()', async (t) => {
  const asked = placesFrom({ SVINIT_RUN: '/r', SVINIT_LOG: '/l' }, BOOT_DEFAULTS);
  /** States of /run/svinit, /dev/shm/svinit-1000, /tmp/svinit-1000 and /run/log/svinit. */
  const chosen = (states: readonly PlaceState[], options = BOOT_DEFAULTS) => {
    const places = new Map([...UNPRIVILEGED.places.keys()].map((path, i) => [path, states[i]]));
    return choosePlaces(options, { ...UNPRIVILEGED, places } as BootFacts);
  };
  const usual = { run: '/run/svinit', log: '/run/log/svinit' };
  t.same(chosen(['ours', 'free', 'free', 'free']), usual);
  t.same(chosen(['refused', 'refused', 'ours', 'refused']), {
    run: '/tmp/svinit-1000',
    log: '/tmp/svinit-1000/logs',
  });
  t.equal(chosen(['refused', 'refused', 'refused', 'free']).run, '/run/svinit', 'none: the first');
  t.same(chosen(['ours', 'free', 'free', 'free'], asked), { run: '/r', log: '/l' });
  t.equal(chosen(['ours'], { ...BOOT_DEFAULTS, run: '/r' }).log, '/r/logs');
  t.equal(placesFrom({ SVINIT_RUN: '/r' }, { ...BOOT_DEFAULTS, run: '/a' }).run, '/a');
  t.same(choosePlaces(BOOT_DEFAULTS, INITRAMFS), usual);
});

t.test('planBoot() mounts nothing on a run directory that was asked for', async (t) => {
  const lines = told(HANDED_OVER, { ...BOOT_DEFAULTS, run: '/tmp/r' });
  t.notOk(lines.some((line) => line.startsWith('mount')));
  t.ok(lines.includes('! claim /tmp/r (ours, 0711)'));
});

t.test('the name of the command line is given to a machine, and to nothing else', async (t) => {
  const named = { ...BOOT_DEFAULTS, hostname: 'a.example' };
  const line = 'echo a.example > /proc/sys/kernel/hostname';
  t.ok(told(INITRAMFS, named).includes(line));
  t.notOk(told({ ...INITRAMFS, machine: false }, named).includes(line));
  t.notOk(told(INITRAMFS).some((step) => step.includes('hostname')));
});
