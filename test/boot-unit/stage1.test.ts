/**
 * Stage 1 on a world of values: what is kept, what is claimed, how failures are told; and the sweep
 * in which each step in turn fails with each error.
 */
import t from 'tap';
import { describeResult, performBoot, type StepResult } from '../../src/boot/stage1.ts';
import { type BootFacts, planBoot } from '../../src/core/boot.ts';
import { BOOT_DEFAULTS } from '../../src/core/boot-options.ts';
import { type BootAct, type BootStep, describeStep } from '../../src/core/boot-step.ts';
import { device, directory, file, link, type Node, World } from './world.ts';

const INITRAMFS: BootFacts = {
  pid1: true,
  machine: true,
  canMount: true,
  canMknod: true,
  uid: 0,
  mounts: [],
  existing: new Set(),
  filesystems: new Set(['devtmpfs']),
  places: new Map(),
  notices: [],
};

const PLAN = planBoot(BOOT_DEFAULTS, INITRAMFS);

/** What the kernel would bring along with its filesystems. */
const NODES: Readonly<Record<string, Node>> = {
  '/dev': directory(),
  '/dev/null': device(1, 3, 0o600),
  '/dev/console': device(5, 1, 0o600),
  '/proc/sys/kernel/printk_devkmsg': file('ratelimit\n'),
};

const result = (act: BootAct, world: World): StepResult => {
  const [only] = performBoot([{ ...act, fatal: false }], world.ports()).results;
  if (only === undefined) throw new TypeError('A step ended without a result');
  return only;
};

t.test('performBoot() makes the whole plan', async (t) => {
  const world = new World(NODES);
  const { results, fatal } = performBoot(PLAN, world.ports());
  t.equal(fatal, null);
  t.same(world.told, results, 'each step is reported');
  t.same(
    results.filter(({ outcome }) => outcome === 'failed'),
    [],
  );
  t.same(
    results.filter(({ outcome }) => outcome === 'kept').map(({ step }) => describeStep(step)),
    ['mkdir -m 0755 /dev', 'mknod -m 0666 /dev/null c 1 3', 'mknod -m 0600 /dev/console c 5 1'],
  );
  const mode = (path: string) => world.nodes.get(path)?.mode;
  t.equal(mode('/dev/null'), 0o666, 'a wrong mode is put right');
  t.equal(mode('/run'), 0o755, 'modes are exact, whatever the umask');
  t.equal(mode('/dev/zero'), 0o666);
  t.equal(mode('/run/svinit'), 0o711);
  t.equal(mode('/run/log/svinit'), 0o750);
  t.equal(world.nodes.get('/dev/stdin')?.text, '/proc/self/fd/0');
  t.equal(world.nodes.get('/proc/sys/kernel/printk_devkmsg')?.text, 'on\n');
  t.same(world.mounts[0], {
    source: 'none',
    target: '/',
    type: '',
    flags: ['rec', 'private'],
    data: '',
  });
});

t.test('performBoot() a second time changes nothing', async (t) => {
  const mounted = new Set<string>();
  const world = new World(NODES, (call, path) => {
    if (call !== 'mount' || path === '/') return null;
    if (mounted.has(path)) return 'EBUSY';
    mounted.add(path);
    return null;
  });
  const once = performBoot(PLAN, world.ports());
  t.equal(once.fatal, null);
  const before = new Map(world.nodes);
  const { results } = performBoot(PLAN, world.ports());
  const changed = results.filter(({ outcome }) => outcome !== 'kept');
  t.same(
    changed.map(({ step }) => step.do),
    ['private', 'write'],
  );
  t.same(world.nodes, before);
});

const TMPFS: BootAct & { do: 'mount' } = {
  do: 'mount',
  type: 'tmpfs',
  target: '/x',
  flags: ['nosuid'],
  data: ['a=1,b=2', 'a=1', ''],
};

t.test('mount: options the kernel does not know are left out, others are not', async (t) => {
  let refusals = 1;
  const world = new World({}, () => (refusals-- > 0 ? 'EINVAL' : null));
  t.match(result(TMPFS, world), { outcome: 'done', reason: "with 'a=1'" });
  t.same(
    world.mounts.map(({ data }) => data),
    ['a=1'],
  );

  let tries = 0;
  const never = new World({}, () => (++tries > 0 ? 'EINVAL' : null));
  t.equal(result(TMPFS, never).reason, 'Cannot mount tmpfs on /x: mount failed with EINVAL');
  t.equal(tries, 3);

  tries = 0;
  const denied = new World({}, () => (++tries > 0 ? 'EPERM' : null));
  t.equal(result(TMPFS, denied).reason, 'Cannot mount tmpfs on /x: mount failed with EPERM');
  t.equal(tries, 1);
});

t.test('C4 claim: only a directory of our own will do', async (t) => {
  const claim = (nodes: Record<string, Node>, refused: string | null = null) =>
    result({ do: 'claim', path: '/r' }, new World(nodes, () => refused));
  t.match(claim({}), { outcome: 'done', reason: null });
  t.match(claim({ '/r': directory(0o711) }), { outcome: 'kept', reason: null });
  t.match(claim({ '/r': directory(0o700, 1000) }), {
    outcome: 'failed',
    reason: 'Cannot claim /r: it belongs to uid 1000',
  });
  t.match(claim({ '/r': link('/etc') }), { reason: 'Cannot claim /r: it is no directory' });
  t.match(claim({}, 'EROFS'), { reason: 'Cannot mkdir /r: mkdir failed with EROFS' });
  const open = new World({ '/r': directory(0o755) });
  t.equal(result({ do: 'claim', path: '/r' }, open).outcome, 'kept');
  t.equal(open.nodes.get('/r')?.mode, 0o711);
});

const ZERO: BootAct = { do: 'mknod', path: '/zero', major: 1, minor: 5, mode: 0o666 };

t.test('mknod: refused is fine where the right device is', async (t) => {
  const refusing = (nodes: Record<string, Node>) => result(ZERO, new World(nodes, () => 'EPERM'));
  t.match(refusing({ '/zero': device(1, 5, 0o666) }), { outcome: 'kept', reason: null });
  t.match(refusing({ '/zero': device(1, 5, 0o600) }), {
    outcome: 'kept',
    reason: 'Cannot chmod /zero: chmod failed with EPERM',
  });
  for (const node of [device(1, 3, 0o666), file(''), directory()]) {
    t.match(refusing({ '/zero': node }), {
      outcome: 'failed',
      reason: 'Cannot make the device /zero: mknod failed with EPERM',
    });
  }
});

t.test('mkdir: a file in the way is a failure, a directory is not', async (t) => {
  const act: BootAct = { do: 'mkdir', path: '/d', mode: 0o755 };
  t.match(result(act, new World({ '/d': directory(0o711) }, () => 'EROFS')), { outcome: 'kept' });
  const blocked = result(act, new World({ '/d': file('') }));
  t.equal(
    describeResult(blocked),
    'failed: mkdir -m 0755 /d (Cannot mkdir /d: mkdir failed with EEXIST)',
  );
});

/** A world in which every change the `k`-th step tries fails. */
function sweep(k: number, code: string): World {
  const world: World = new World(NODES, () => (world.told.length === k ? code : null));
  return world;
}

/** What is there already may be refused a second time. */
const harmless = (step: BootStep) => 'path' in step && step.do !== 'write' && step.path in NODES;

t.test('sweep: whichever step fails, however, it is named and nothing throws', async (t) => {
  const codes = ['EPERM', 'EROFS', 'ENOENT', 'EIO', 'ENODEV', 'EINVAL', 'ENOSPC', 'ENOMEM'];
  for (const [k, step] of PLAN.entries()) {
    for (const code of codes) {
      const name = `${describeStep(step)} with ${code}`;
      const { results, fatal } = performBoot(PLAN, sweep(k, code).ports());
      t.equal(results.length, PLAN.length, `${name}: the others are tried`);
      const [first] = results.filter(({ outcome }) => outcome === 'failed');
      t.equal(first?.step, harmless(step) ? undefined : step, `${name}: is the first to fail`);
      if (first !== undefined) t.match(first.reason, `failed with ${code}`, name);
      if (step.fatal && !harmless(step)) t.equal(fatal, first, `${name}: ends the boot`);
      // Without /run the run directory cannot be made either, and that is named.
      else if (fatal !== null) t.match(fatal.step, { do: 'claim', path: '/run/svinit' }, name);
    }
  }
});

t.test('sweep: only /proc, /dev/null and the run directory end a boot', async (t) => {
  const fatal = PLAN.filter((step) => step.fatal).map(describeStep);
  t.same(fatal, [
    'mount -t proc -o nosuid,nodev,noexec proc /proc',
    'mknod -m 0666 /dev/null c 1 3',
    'claim /run/svinit (ours, 0711)',
  ]);
});
