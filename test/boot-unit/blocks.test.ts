/**
 * Reading devices: files stand for them, a FIFO that nobody writes to for one that never answers,
 * and a directory for one that gives errors.
 */
import { spawnSync } from 'node:child_process';
import { readdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type BlockDevice, blockOf, named } from '../../src/boot/blocks.ts';
import { namesOf, wordsOf } from '../../src/boot/known-device.ts';
import { type Probed, Probes, type Target } from '../../src/boot/probe.ts';
import type { Millis } from '../../src/core/units.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { type FakeLibc, failing, fakeLibc } from '../../src/sys/fake.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { openSystem } from '../../src/sys/open.ts';

const kernel = openSystem();
const MIB = 2 ** 20;
const UUID = '0a1b2c3d-4e5f-4071-8293-a4b5c6d7e8f9';

const target = (path: string, size: number): Target => ({ path, size, sector: 512, isDisk: true });

/** A file of `mib` with an XFS superblock. */
function xfs(path: string, mib: number): Target {
  const head = Buffer.alloc(512);
  head.write('XFSB');
  head.writeUInt32BE(4096, 4);
  Buffer.from(UUID.replaceAll('-', ''), 'hex').copy(head, 32);
  head.write('a label', 108);
  writeFileSync(path, head);
  truncateSync(path, mib * MIB);
  return target(path, mib * MIB);
}

/** What becomes of all of them. */
function probe(targets: readonly Target[], withinMs?: number): ReadonlyMap<string, Probed> {
  const probes = new Probes(kernel, withinMs);
  const results = new Map<string, Probed>();
  for (const one of targets) probes.begin(one);
  while (probes.busy) for (const one of probes.wait(-1).probed) results.set(one.path, one);
  probes.close();
  return results;
}

/** Children of this process that are still there, dead or alive. */
function children(): string {
  const ps = spawnSync('ps', ['--ppid', String(process.pid), '-o', 'comm='], { encoding: 'utf8' });
  return ps.stdout
    .split('\n')
    .filter((name) => name !== '' && name !== 'ps')
    .join(' ');
}

t.test('one that hangs and one that fails do not stop the others', async (t) => {
  const directory = t.testdir({ a: {} });
  const at = (name: string): string => join(directory, name);
  t.equal(spawnSync('mkfifo', [at('fifo')]).status, 0);
  const before = readdirSync('/proc/self/fd').length;
  const found = probe(
    [
      target(at('fifo'), MIB),
      target(at('a'), MIB),
      target(at('none'), MIB),
      xfs(at('small'), 1),
      xfs(at('large'), 3000),
      { ...xfs(at('short'), 1), size: 2 * MIB },
    ],
    1500,
  );
  const superblock = { type: 'xfs', uuid: UUID, label: 'a label' };
  for (const name of ['small', 'large', 'short']) {
    t.match(found.get(at(name)), { content: { superblock, table: null }, problem: null }, name);
  }
  t.same(found.get(at('fifo')), {
    path: at('fifo'),
    content: null,
    problem: 'no answer within 1.5 s',
    isSilent: true,
  });
  t.match(found.get(at('a')), { content: null, problem: /^dd: .*[Ii]s a directory/ });
  t.match(found.get(at('none')), { content: null, problem: /^dd: .*No such file/ });
  t.equal(readdirSync('/proc/self/fd').length, before, 'no descriptor is left');
});

t.test('who asks again reaps those from before', async (t) => {
  const file = xfs(join(t.testdir({}), 'file'), 1);
  for (let i = 0; i < 20; i++) probe([file]);
  const left = children()
    .split(' ')
    .filter((name) => name === 'dd').length;
  // Two read it each time; the last ones may be on their way out.
  t.ok(left < 20, `${left} of 40`);
});

t.test('what hung once is read again when it answers', async (t) => {
  const path = join(t.testdir({}), 'device');
  spawnSync('mkfifo', [path]);
  t.match(probe([target(path, MIB)], 50).get(path), { problem: 'no answer within 0.05 s' });
  rmSync(path);
  const file = xfs(path, 1);
  const ps = ['--ppid', String(process.pid), '-o', 'stat=,comm='];
  while (/^[^Z].* dd$/m.test(spawnSync('ps', ps, { encoding: 'utf8' }).stdout));
  t.match(probe([file]).get(path), { problem: null });
});

t.test('many at once', async (t) => {
  const directory = t.testdir({});
  const all = Array.from({ length: 40 }, (_, i) => xfs(join(directory, String(i)), 1));
  const found = probe(all);
  t.equal(found.size, 40);
  t.ok([...found.values()].every(({ content }) => content?.superblock?.uuid === UUID));
});

t.test('begun again, and forgotten', async (t) => {
  const directory = t.testdir({});
  const [one, two] = [xfs(join(directory, 'one'), 1), xfs(join(directory, 'two'), 1)];
  const probes = new Probes(kernel);
  for (const each of [one, two, one]) probes.begin(each);
  probes.forget(two.path);
  const told: string[] = [];
  while (probes.busy) told.push(...probes.wait(-1).probed.map(({ path }) => path));
  probes.close();
  t.same(told, [one.path], 'each is told once, and who is gone not at all');
});

t.test('a descriptor beside them', async (t) => {
  const probes = new Probes(kernel);
  const [end, other] = kernel.pipe(0);
  probes.watch(end);
  kernel.write(other, Buffer.from('x'));
  t.same(probes.wait(-1), { probed: [], ready: [end] });
  kernel.read(end, new Uint8Array(1));
  t.same(probes.wait(0), { probed: [], ready: [] }, 'and nobody is waited for without need');
  for (const fd of [end, other]) kernel.close(fd);
  probes.close();
});

t.test('nothing left to read with', async (t) => {
  for (const name of ['pipe2', 'bsearch', 'epoll_ctl'] as const) {
    for (const k of [1, 2]) {
      const libc = failing(name, errnoNumber('EMFILE'), k);
      const probes = new Probes(openKernel(libc), 50);
      const before = libc.open.size;
      probes.begin(target('/dev/x', MIB));
      const { probed } = probes.wait(0);
      t.match(probed, [{ content: null, problem: /^Cannot .* failed with EMFILE$/ }], name);
      t.equal(libc.open.size, before, 'and nothing is left open');
    }
  }
  t.equal(new Probes(openKernel(fakeLibc())).busy, false);
});

t.test('whoever is late to hear an answer does not blame the device', async (t) => {
  const file = xfs(join(t.testdir({}), 'file'), 1);
  let lateMs = 0;
  const monotonic = (): Millis => (kernel.monotonic() + lateMs) as Millis;
  const probes = new Probes({ ...kernel, monotonic });
  probes.begin(file);
  lateMs = 60_000;
  const told: Probed[] = [];
  while (probes.busy) told.push(...probes.wait(-1).probed);
  probes.close();
  t.match(told, [{ problem: null, content: { superblock: { uuid: UUID } } }]);
});

t.test('what hangs is not asked again', async (t) => {
  const libc: FakeLibc = fakeLibc({
    epoll_wait: (_, k) => {
      libc.now += k === 1 ? 60 : 0;
      return 0;
    },
  });
  const probes = new Probes(openKernel(libc), 50);
  probes.begin(target('/dev/hangs', MIB));
  t.match(probes.wait(0).probed, [{ problem: 'no answer within 0.05 s' }]);
  probes.begin(target('/dev/hangs', MIB));
  probes.begin(target('/dev/other', MIB));
  t.match(probes.wait(0).probed, [
    { path: '/dev/hangs', problem: 'it still does not answer', isSilent: true },
  ]);
  probes.forget('/dev/other');
  libc.exit(100, 9);
  libc.exit(101, 9);
  probes.begin(target('/dev/hangs', MIB));
  t.same(probes.wait(0).probed, [], 'until whoever hung there has gone');
  probes.close();
  for (let pid = 102; pid < 107; pid++) libc.exit(pid, 9);
  new Probes(openKernel(libc)).wait(0);
});

const DISK: BlockDevice = {
  ...target('/dev/sda', MIB),
  ...{ name: 'sda', disk: 'sda', partition: null, start: 0, number: '8:0' },
};

t.test('names of a partition come from the table of its disk', async (t) => {
  const row = { number: 1, start: 4096, size: 512, uuid: 'P', label: 'first' };
  const table = { kind: 'gpt', isBackup: false, partitions: [row] } as const;
  const disk = { superblock: null, table };
  const part = { ...DISK, path: '/dev/sda1', name: 'sda1', partition: 1, start: 4096 };
  const nothing = { content: null, problem: null };
  t.match(blockOf(part, nothing, disk), { partuuid: 'P', partlabel: 'first', type: null });
  const moved = blockOf({ ...part, start: 8192 }, nothing, disk);
  t.match(moved, { partuuid: null }, 'not one of the same number that lies elsewhere');
  t.match(blockOf(part, nothing, null), { partuuid: null });
});

t.test('members of an array are not meant by its names', async (t) => {
  const superblock = {
    usage: 'member',
    type: 'linux_raid_member',
    uuid: UUID,
    label: 'x',
  } as const;
  const block = blockOf(DISK, { content: { superblock, table: null }, problem: null }, null);
  t.match(block, { type: 'linux_raid_member', uuid: UUID });
  t.match(named(block), { uuid: null, label: null });
});

t.test('words for the log', async (t) => {
  const known = (probed: Partial<Probed> | null) => ({
    ...{ device: DISK, ids: ['i'], ways: ['w'], told: '' },
    probed:
      probed === null
        ? null
        : { path: '/dev/sda', content: null, problem: null, isSilent: false, ...probed },
  });
  const superblock = { usage: 'swap', type: 'swap', uuid: UUID, label: null } as const;
  const table = { kind: 'dos', isBackup: false, partitions: [] } as const;
  t.equal(wordsOf(known(null), null), '');
  t.equal(wordsOf(known({ problem: 'no' }), null), 'Cannot read /dev/sda: no');
  t.equal(
    wordsOf(known({ content: { superblock, table: null } }), null),
    `sda: swap UUID="${UUID}"`,
  );
  t.match(wordsOf(known({ content: { superblock: null, table } }), null), /partitions \(dos\)/);
  t.equal(wordsOf(known({}), null), 'sda: nothing known');
  t.match(namesOf(known({}), null), { path: '/dev/sda', ids: ['i'], ways: ['w'], uuid: null });
});
