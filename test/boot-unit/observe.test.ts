/**
 * What is seen before a boot, on worlds of values.
 */
import t from 'tap';
import { commandLine, observe } from '../../src/boot/observe.ts';
import { MAGIC } from '../../src/sys/constants.ts';
import { device, directory, type Fault, file, link, type Node, World } from './world.ts';

const STATUS = (capabilities: string) => file(`Name:\tsvinit\nCapEff:\t${capabilities}\nx:\t0\n`);

const MACHINE: Readonly<Record<string, Node>> = {
  '/proc': directory(0o555),
  '/proc/self': link('1'),
  '/proc/self/status': STATUS('000001ffffffffff'),
  '/proc/self/mountinfo': file(
    '1 1 0:2 / / rw - rootfs rootfs rw\n2 1 0:3 / /proc rw - proc proc rw\n',
  ),
  '/proc/self/ns/pid': link('pid:[4026531836]'),
  '/proc/self/uid_map': file('         0          0 4294967295\n'),
  '/proc/filesystems': file('nodev\tsysfs\nnodev\tdevtmpfs\n\text4\n'),
  '/proc/cmdline': file('quiet\n'),
  '/dev': directory(),
  '/dev/null': device(1, 3, 0o666),
  '/dev/zero': device(1, 5, 0o600),
  '/dev/full': device(1, 5, 0o666),
  '/dev/tty': file(''),
  '/dev/fd': link('/proc/self/fd'),
  '/run': directory(),
};

type Asked = Parameters<typeof observe>[0];

function facts(changes: Record<string, Node> = {}, asked: Partial<Asked> = {}, fault?: Fault) {
  const { files } = new World({ ...MACHINE, ...changes }, fault);
  const pid1: Asked = {
    getpid: () => 1 as ReturnType<Asked['getpid']>,
    geteuid: () => 0,
    statfsMagic: () => MAGIC.proc,
  };
  return observe({ ...pid1, ...asked }, files);
}

const pid = (n: number): Partial<Asked> => ({ getpid: () => n as ReturnType<Asked['getpid']> });

t.test('observe() on a machine', async (t) => {
  const seen = facts();
  t.match(seen, { pid1: true, machine: true, canMount: true, canMknod: true, uid: 0, notices: [] });
  t.same(seen.mounts, [
    { target: '/', type: 'rootfs' },
    { target: '/proc', type: 'proc' },
  ]);
  t.same([...seen.filesystems], ['sysfs', 'devtmpfs', 'ext4']);
  t.same(
    [...seen.existing].sort(),
    ['/dev', '/dev/fd', '/dev/null', '/proc', '/run'],
    'a device counts with its numbers and its mode only',
  );
  t.equal(commandLine(seen, new World(MACHINE).files), 'quiet\n');
});

t.test('observe() in containers', async (t) => {
  const container = { '/proc/self/ns/pid': link('pid:[4026532500]') };
  const inside = facts(container);
  t.match(inside, { pid1: true, machine: false, canMount: true, canMknod: true });
  t.ok(inside.existing.has('/dev/zero'), 'the modes of its devices are not ours');
  t.equal(commandLine(inside, new World(MACHINE).files), '', 'the line is that of the host');
  // Docker's default set, which has CAP_MKNOD, and the same without it.
  const some = facts({ ...container, '/proc/self/status': STATUS('00000000a80425fb') });
  t.match(some, { canMount: false, canMknod: true });
  const few = facts({ ...container, '/proc/self/status': STATUS('00000000a00425fb') });
  t.match(few, { canMount: false, canMknod: false });
  const mount = facts({ ...container, '/proc/self/status': STATUS('0000000000200000') });
  t.match(mount, { canMount: true, canMknod: false });
  const mapped = facts({ ...container, '/proc/self/uid_map': file('0 1000 1\n') });
  t.match(mapped, { canMount: true, canMknod: false });
});

t.test('observe() as a plain process of a machine', async (t) => {
  t.match(facts({ '/proc/self': link('77') }, pid(77)), { pid1: false, machine: false });
});

t.test('observe() leaves mounts alone that may be the host’s', async (t) => {
  const seen = facts({ '/proc/self': link('4711'), '/proc/self/ns/pid': link('pid:[4]') });
  t.match(seen, { pid1: true, machine: false, canMount: false });
  t.same(seen.notices, ['Nothing is mounted: /proc belongs to another pid namespace']);
});

t.test('observe() without /proc asks for the magic of each place', async (t) => {
  const magics = new Map([
    ['/sys', MAGIC.sysfs],
    ['/run', MAGIC.tmpfs],
    ['/dev/shm', MAGIC.tmpfs],
  ]);
  const statfsMagic = (path: string) => magics.get(path) ?? MAGIC.ramfs;
  const own = { ...directory(), filesystem: 7 };
  const shm = { '/dev/shm': directory() };
  const seen = facts({ '/sys': own, '/run': own, ...shm }, { statfsMagic });
  t.same(
    seen.mounts,
    [
      { target: '/sys', type: 'sysfs' },
      { target: '/run', type: 'tmpfs' },
    ],
    'a tmpfs that is also the parent’s is not mounted there',
  );
  t.match(seen, { machine: false, canMount: true, notices: [] });
  const failing = () => {
    throw new Error('no');
  };
  t.match(facts({}, { statfsMagic: failing }), { mounts: [], canMount: true }, 'it is ours');
  const strange = { '/proc/self': link('4711') };
  t.match(facts(strange, { statfsMagic: failing }), { mounts: [], canMount: false }, 'who knows');
});

t.test('observe() tells which places could be ours', async (t) => {
  const state = (nodes: Record<string, Node>, fault?: Fault) =>
    facts(nodes, {}, fault).places.get('/tmp/svinit-0');
  const tmp = { '/tmp': directory(0o1777) };
  t.equal(state(tmp), 'free');
  t.equal(state({ '/tmp': directory(0o777) }), 'refused', 'others could replace it');
  t.equal(
    state(tmp, () => 'EROFS'),
    'refused',
  );
  t.equal(state({ ...tmp, '/tmp/svinit-0': directory(0o700) }), 'ours');
  t.equal(state({ ...tmp, '/tmp/svinit-0': directory(0o755) }), 'ours');
  t.equal(state({ ...tmp, '/tmp/svinit-0': directory(0o775) }), 'refused', 'others wrote to it');
  t.equal(state({ ...tmp, '/tmp/svinit-0': directory(0o700, 1000) }), 'refused');
  t.equal(state({ ...tmp, '/tmp/svinit-0': link('/etc') }), 'refused');
  t.equal(state({ '/tmp': file('') }), 'refused');
  t.equal(state({}), 'refused', 'nobody makes /tmp');
  t.equal(facts().places.get('/run/log/svinit'), 'free', 'where its parent is yet to be made');
});
