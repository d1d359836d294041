/**
 * What `root=` and its companions lead to: where the root is, what is mounted on what, and what may
 * be written where.
 */
import t from 'tap';
import { BOOT_DEFAULTS, type BootOptions } from '../../src/core/boot-options.ts';
import { parseCommandLine } from '../../src/core/cmdline.ts';
import { handoverOf, planRoot, type RootStep, rootSource } from '../../src/core/root.ts';
import { rootPlaces } from '../../src/core/root-places.ts';

const PLACES = rootPlaces('/run/svinit');
const { tree, lower, upper } = PLACES;
const EXT4 = { path: '/dev/vda1', type: 'ext4', readOnly: false };

/** One line a step, for people. */
function lines(words: string, device: Parameters<typeof planRoot>[1] = EXT4): readonly string[] {
  return planRoot(parseCommandLine(words), device, PLACES).steps.map(line);
}

function line(step: RootStep): string {
  switch (step.do) {
    case 'mkdir':
      return `mkdir ${short(step.path)}`;
    case 'bind':
      return `bind ${short(step.source)} ${short(step.target)}`;
    case 'skeleton':
      return `skeleton ${short(step.from)} ${short(step.to)}`;
    case 'mount': {
      const { types, source, target, options } = step;
      return `${types.join('|')} ${source} ${short(target)} ${short(options.join(','))}`;
    }
  }
}

const short = (text: string): string => text.replaceAll('/run/svinit/roots/', '');

t.test('root= says where the root is', async (t) => {
  const source = (root: string | null) => rootSource({ root });
  for (const none of [null, '', 'none', 'rdinit']) t.same(source(none), { kind: 'none' });
  t.same(source('tmpfs'), { kind: 'tmpfs' });
  for (const spec of ['/dev/vda1', 'UUID=a-b', 'LABEL=x', 'PARTUUID=1', 'PARTLABEL=y']) {
    t.same(source(spec), { kind: 'device', spec });
  }
  t.match(source('nbd:host'), { kind: 'unknown', reason: /root=nbd:host is not supported/ });
});

t.test('init= means to hand over, unless it is said otherwise', async (t) => {
  const of = (words: string): string => handoverOf(parseCommandLine(words));
  t.equal(of(''), 'stay');
  t.equal(of('init=/sbin/init'), 'classic');
  t.equal(of('init=/sbin/init svinit.handover=stay'), 'stay');
  t.equal(of('svinit.handover=classic'), 'classic');
});

t.test('a disk is mounted as it is, and not to be written', async (t) => {
  t.same(lines(''), ['mkdir os', 'ext4 /dev/vda1 os ro']);
  t.same(lines('rw rootflags=noatime,discard'), [
    'mkdir os',
    'ext4 /dev/vda1 os noatime,discard,rw',
  ]);
  t.same(lines('rootflags=rw'), ['mkdir os', 'ext4 /dev/vda1 os ro'], 'rw itself says so');
  t.same(lines('rootfstype=xfs,btrfs')[1], 'xfs|btrfs /dev/vda1 os ro');
  const unknown = { ...EXT4, type: null };
  t.same(lines('', unknown)[1], ' /dev/vda1 os ro', 'and nobody knows what it is');
});

t.test('an overlay keeps the disk as it was', async (t) => {
  const store = 'os.upper/root';
  t.same(lines('rw svinit.overlay=overlay'), [
    'mkdir os.lower',
    'ext4 /dev/vda1 os.lower ro',
    'mkdir os.upper',
    'tmpfs tmpfs os.upper mode=0700',
    'mkdir os',
    `mkdir ${store}`,
    `mkdir ${store}/upper`,
    `mkdir ${store}/work`,
    `overlay overlay os lowerdir=os.lower,upperdir=${store}/upper,workdir=${store}/work`,
  ]);
  t.same(
    lines('rw systemd.volatile=yes'),
    [
      'mkdir os.lower',
      'ext4 /dev/vda1 os.lower ro',
      'mkdir os',
      'tmpfs tmpfs os mode=0755',
      'skeleton os.lower os',
      'mkdir os/usr',
      'bind os.lower/usr os/usr',
    ],
    'or all but /usr is new',
  );
});

t.test('parts of the root can be in memory', async (t) => {
  const [disk, ...parts] = lines('rw svinit.overlay=state svinit.etc_overlay').slice(1);
  t.equal(disk, 'ext4 /dev/vda1 os rw');
  t.same(
    parts.filter((text) => text.startsWith('overlay')),
    ['var', 'etc'].map((part) => {
      const store = `os.upper/${part}`;
      const options = `lowerdir=os/${part},upperdir=${store}/upper,workdir=${store}/work`;
      return `overlay overlay os/${part} ${options}`;
    }),
  );
  t.equal(parts.filter((text) => text.startsWith('tmpfs')).length, 1, 'of one tmpfs');
  const whole = lines('svinit.overlay=overlay svinit.etc_overlay');
  t.equal(whole.filter((text) => text.startsWith('overlay')).length, 1, 'where not all of it is');
});

t.test('what cannot be written is written in memory when it shall be', async (t) => {
  const plan = (words: string, device: object) =>
    planRoot(parseCommandLine(words), { ...EXT4, ...device }, PLACES);
  for (const device of [{ type: 'squashfs' }, { readOnly: true }]) {
    const { steps, notices, writable, modules } = plan('rw', device);
    t.ok(steps.some((step) => step.do === 'mount' && step.types[0] === 'overlay'));
    t.match(notices, [/stays in memory/]);
    t.ok(writable);
    t.ok(modules.includes('overlay'));
  }
  const partly = plan('rw svinit.overlay=state', { readOnly: true });
  t.equal(partly.steps.map(line)[1], 'ext4 /dev/vda1 os ro', 'or as much of it as was asked for');
  t.notOk(partly.writable);
  const readOnly = plan('', { type: 'squashfs' });
  t.same(readOnly.steps.map(line), ['mkdir os', 'squashfs /dev/vda1 os ro']);
  t.notOk(readOnly.writable);
  t.same(readOnly.notices, []);
});

t.test('whatever is asked, nothing is mounted to be written that shall not be', async (t) => {
  const options: BootOptions[] = [true, false].flatMap((rw) =>
    (['no', 'state', 'overlay', 'yes'] as const).flatMap((overlay) =>
      [true, false].map((etcOverlay) => ({ ...BOOT_DEFAULTS, rw, overlay, etcOverlay })),
    ),
  );
  for (const one of options) {
    const { steps } = planRoot(one, EXT4, PLACES);
    const disk = steps.find((step) => step.do === 'mount' && step.source === EXT4.path);
    const isWritten = disk?.do === 'mount' && disk.options.includes('rw');
    const mayBe = one.rw && (one.overlay === 'no' || one.overlay === 'state');
    t.equal(isWritten, mayBe, JSON.stringify([one.rw, one.overlay, one.etcOverlay]));
  }
  const targets = planRoot(BOOT_DEFAULTS, null, PLACES).steps;
  const points = ['dev', 'proc', 'sys', 'run', 'tmp'].map((name) => `mkdir os/${name}`);
  const empty = ['mkdir os', 'tmpfs tmpfs os mode=0755', ...points];
  t.same(targets.map(line), empty, 'root=tmpfs has nothing but places to mount on');
  t.same([tree, lower, upper].map(short), ['os', 'os.lower', 'os.upper']);
});
