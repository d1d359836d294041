/**
 * Contract of src/sys/mounts.ts, and of what machine.ts and files.ts may do only as root. Must be
 * PID 1 of namespaces of its own, as `sys.test.ts` starts it; anywhere else it does nothing. It
 * loses sight of TMPDIR on the way: whoever made that removes it.
 */
import assert from 'node:assert/strict';
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { hostname, networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { MAGIC, O } from '../../src/sys/constants.ts';
import { SysError } from '../../src/sys/libc.ts';
import { openSystem } from '../../src/sys/open.ts';
import { done, point, skip } from './tap.ts';

const kernel = openSystem();

if (kernel.getpid() !== 1) {
  skip('mounts and machine', 'not in namespaces of its own');
  done();
}

const dir = mkdtempSync(join(tmpdir(), 'svinit-mounts-'));
const tmpfs = {
  source: 'tmpfs',
  target: dir,
  type: 'tmpfs',
  flags: [],
  data: 'mode=0700,size=64k',
};

await point('a tmpfs is mounted with its options, recognised, and unmounted', () => {
  kernel.mount({ ...tmpfs, flags: ['nosuid', 'noexec'] });
  assert.equal(kernel.statfsMagic(dir), MAGIC.tmpfs);
  assert.equal(statSync(dir).mode & 0o777, 0o700);
  const line = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .find((mount) => mount.startsWith(`tmpfs ${dir} `));
  assert.match(line ?? '', / tmpfs rw,nosuid,noexec,.*size=64k/);
  kernel.unmount(dir, []);
  assert.throws(() => kernel.unmount(dir, []), {
    message: `Cannot unmount ${dir}: umount2 failed with EINVAL`,
  });
});

await point('a mount in use is busy, and can be detached', () => {
  kernel.mount(tmpfs);
  const fd = kernel.open(join(dir, 'file'), O.CREAT | O.RDWR, 0o600);
  assert.throws(() => kernel.unmount(dir, []), { code: 'EBUSY' });
  kernel.unmount(dir, ['detach']);
  assert.deepEqual(readdirSync(dir), []);
  kernel.close(fd);
});

await point('a remount makes it read-only; a bind mount shows it elsewhere', () => {
  kernel.mount(tmpfs);
  for (const name of ['a', 'b']) mkdirSync(join(dir, name));
  writeFileSync(join(dir, 'a', 'file'), 'content');
  const bind = { source: join(dir, 'a'), target: join(dir, 'b'), type: '', data: '' };
  kernel.mount({ ...bind, flags: ['bind'] });
  assert.equal(readFileSync(join(dir, 'b', 'file'), 'utf8'), 'content');
  kernel.unmount(join(dir, 'b'), []);
  kernel.mount({ ...tmpfs, flags: ['remount', 'ro'] });
  assert.throws(() => writeFileSync(join(dir, 'a', 'file'), 'other'), { code: 'EROFS' });
  kernel.unmount(dir, []);
  assert.throws(() => kernel.mount({ ...tmpfs, type: 'nosuchfs' }), {
    message: `Cannot mount nosuchfs on ${dir}: mount failed with ENODEV`,
  });
});

await point('a device node is the device, or the refusal is named', () => {
  kernel.mount(tmpfs);
  const path = join(dir, 'null');
  try {
    kernel.mknod(path, 'char', 0o600, 1, 3);
    const { rdev, mode } = statSync(path);
    assert.deepEqual([rdev, mode], [0x103, 0o20600]);
    writeFileSync(path, 'swallowed');
  } catch (error) {
    // A user namespace may not make devices.
    if (!(error instanceof SysError && error.code === 'EPERM')) throw error;
  }
  kernel.unmount(dir, []);
});

await point('the machine gets its name, and loopback comes up', () => {
  kernel.sethostname('contract');
  assert.equal(hostname(), 'contract');
  assert.throws(() => kernel.sethostname('x'.repeat(65)), { code: 'EINVAL' });
  assert.equal(networkInterfaces()['lo'], undefined);
  kernel.interfaceUp('lo');
  assert.equal(networkInterfaces()['lo']?.[0]?.address, '127.0.0.1');
  assert.throws(() => kernel.interfaceUp('nosuch0'), { syscall: 'ioctl', code: 'ENODEV' });
});

await point('the kernel says what is wrong with a module', () => {
  kernel.mount(tmpfs);
  const path = join(dir, 'none.ko');
  writeFileSync(path, 'no module');
  const fd = kernel.open(path, O.RDONLY);
  assert.throws(
    () => kernel.loadModule(fd, 'none', 'a=1', false),
    (error) => {
      // A user namespace may load nothing, nor may a kernel without modules.
      const codes = ['ENOEXEC', 'EPERM', 'ENOSYS'];
      return error instanceof SysError && error.syscall === 'syscall' && codes.includes(error.code);
    },
  );
  kernel.close(fd);
  kernel.unmount(dir, []);
});

await point('the kernel says what is wrong with another kernel', () => {
  const path = join(dir, 'none.kernel');
  writeFileSync(path, 'no kernel');
  const fd = kernel.open(path, O.RDONLY);
  // Without CAP_SYS_BOOT in the first user namespace nothing is looked at.
  const codes = ['ENOEXEC', 'EPERM', 'ENOSYS'];
  const isRefusal = (error: unknown): boolean =>
    error instanceof SysError && error.syscall === 'syscall' && codes.includes(error.code);
  for (const initrd of [fd, null]) {
    assert.throws(() => kernel.loadKernel(fd, initrd, 'quiet'), isRefusal);
  }
  kernel.close(fd);
});

await point('sync comes back', () => {
  kernel.sync();
});

await point('the root is exchanged, and the old one let go', () => {
  kernel.mount(tmpfs);
  mkdirSync(join(dir, 'old'));
  mkdirSync(join(dir, 'inner'));
  kernel.pivotRoot(dir, join(dir, 'old'));
  process.chdir('/');
  assert.deepEqual(readdirSync('/').sort(), ['inner', 'old']);
  kernel.unmount('/old', ['detach']);
  assert.deepEqual(readdirSync('/old'), []);
  kernel.chroot('/inner');
  process.chdir('/');
  assert.deepEqual(readdirSync('/'), []);
  assert.throws(() => kernel.chroot('/nonexistent'), {
    message: 'Cannot make /nonexistent the root: chroot failed with ENOENT',
  });
});

done();
