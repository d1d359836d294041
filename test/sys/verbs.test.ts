/** What the verbs hand to C: flags, numbers and layouts that no test can see from outside. */
import t from 'tap';
import type { Fd } from '../../src/core/units.ts';
import { fakeLibc } from '../../src/sys/fake.ts';
import { type Kernel, openKernel } from '../../src/sys/kernel.ts';
import type { CValue } from '../../src/sys/libc.ts';

/** The arguments of each call that `act` makes, buffers as hex. */
function asked(act: (kernel: Kernel) => unknown): unknown[][] {
  const libc = fakeLibc();
  act(openKernel(libc));
  const plain = (value: CValue) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('hex') : value;
  return libc.calls.map(({ name, args }) => [name, ...args.map(plain)]);
}

t.test('mount flags are the bits of linux/mount.h, all of them together', async (t) => {
  const flags = ['ro', 'nosuid', 'nodev', 'noexec', 'rec', 'private'] as const;
  const mount = { source: 'none', target: '/x', type: '', flags, data: 'mode=0700' };
  t.same(
    asked((k) => k.mount(mount)),
    [['mount', 'none', '/x', '', 0x4400f, 'mode=0700']],
  );
  t.same(
    asked((k) => k.unmount('/x', ['detach', 'nofollow'])),
    [['umount2', '/x', 10]],
  );
});

t.test('device numbers are those of sys/sysmacros.h', async (t) => {
  t.same(
    asked((k) => k.mknod('/n', 'char', 0o666, 1, 3)),
    [['mknod', '/n', 0o20666, 0x103]],
  );
  const large = asked((k) => k.mknod('/n', 'block', 0o600, 259, 300_000));
  t.same(large, [['mknod', '/n', 0o60600, 0x493103e0]]);
});

t.test('reboot numbers are those of sys/reboot.h, signed', async (t) => {
  const number = (act: (kernel: Kernel) => unknown) => Number(asked(act)[0]?.[1]) >>> 0;
  t.equal(
    number((k) => k.reboot('restart')),
    0x01234567,
  );
  t.equal(
    number((k) => k.reboot('halt')),
    0xcdef0123,
  );
  t.equal(
    number((k) => k.reboot('poweroff')),
    0x4321fedc,
  );
  t.equal(
    number((k) => k.reboot('kexec')),
    0x45584543,
  );
  t.equal(
    number((k) => k.setCtrlAltDel(true)),
    0x89abcdef,
  );
  t.equal(
    number((k) => k.setCtrlAltDel(false)),
    0,
  );
});

t.test('interfaceUp() keeps the flags there were', async (t) => {
  const libc = fakeLibc({
    ioctl: ([, , ifreq], k) => {
      if (k === 1 && ifreq instanceof Uint8Array) ifreq[17] = 0x10;
      return 0;
    },
  });
  openKernel(libc).interfaceUp('lo');
  const ifreq = libc.calls.findLast(({ name }) => name === 'ioctl')?.args[2];
  t.ok(ifreq instanceof Uint8Array);
  t.same(ifreq instanceof Uint8Array && [...ifreq.subarray(0, 18)], [
    ...[0x6c, 0x6f, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
    ...[1, 0x10],
  ]);
  t.equal(libc.open.size, 0);
  t.throws(() => openKernel(libc).interfaceUp('a-name-of-16-byt'), { code: 'ENODEV' });
});

t.test('loadModule() is finit_module, with its number on this CPU', async (t) => {
  const number = process.arch === 'arm64' ? 273 : 313;
  t.same(
    asked((k) => k.loadModule(9 as Fd, 'loop', 'max_loop=8', false)),
    [['syscall', number, 9, 'max_loop=8', 0, null, 0]],
  );
  t.same(
    asked((k) => k.loadModule(9 as Fd, 'loop', '', true)),
    [['syscall', number, 9, '', 4, null, 0]],
  );
});

t.test('loadKernel() is kexec_file_load, with its number on this CPU', async (t) => {
  const number = process.arch === 'arm64' ? 294 : 320;
  t.same(
    asked((k) => k.loadKernel(9 as Fd, 8 as Fd, 'root=/dev/vdä')),
    [['syscall', number, 9, 8, 15, 'root=/dev/vdä', 0]],
    'the length is that of the bytes, NUL included',
  );
  t.same(
    asked((k) => k.loadKernel(9 as Fd, null, '')),
    [['syscall', number, 9, 0, 1, '', 4]],
  );
  t.same(
    asked((k) => k.unloadKernel()),
    [['syscall', number, 0, 0, 0, null, 1]],
  );
});

t.test('memfd() writes on where a short write stopped', async (t) => {
  const libc = fakeLibc({ write: (_args, k) => (k === 1 ? 4 : null) });
  const fd = openKernel(libc).memfd('state', Uint8Array.from([1, 2, 3, 4, 5, 6]));
  t.same([...libc.written(fd)], [5, 6]);
  t.equal(libc.calls.at(-1)?.args[2], 15, 'all four seals');
});

t.test('memfdRead() grows up to the bound and stops there', async (t) => {
  const kernel = openKernel(fakeLibc());
  const content = new Uint8Array(600_000).map((_, i) => i);
  const fd = kernel.memfd('state', content);
  t.same(kernel.memfdRead(fd, 1e7), content);
  t.same(kernel.memfdRead(fd, 300_000), content.subarray(0, 300_000));
  t.equal(kernel.memfdRead(fd, 0).length, 0);
});

t.test('monotonic() is milliseconds with fractions', async (t) => {
  const libc = fakeLibc();
  libc.now = 12_345.25;
  t.equal(openKernel(libc).monotonic(), 12_345.25);
});

t.test('setAsync() keeps the flags of the file', async (t) => {
  const libc = fakeLibc({ fcntl: ([, command]) => (command === 3 ? 0o2002 : 0) });
  openKernel(libc).setAsync(7 as Fd, openKernel(libc).getpid());
  t.same(
    libc.calls.filter(({ name }) => name === 'fcntl').map(({ args }) => args),
    [
      [7, 3, 0],
      [7, 8, 1],
      [7, 4, 0o26002],
    ],
  );
});

t.test('the fake refuses a call with the wrong number of values', async (t) => {
  t.throws(() => fakeLibc().call('mount', 'x'), TypeError);
});
