/** Contract of src/sys/locks.ts: what others see of a lock, and what ends it. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fd } from '../../src/core/units.ts';
import { O } from '../../src/sys/constants.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { openLocks } from '../../src/sys/locks.ts';
import { openLibc } from '../../src/sys/open.ts';
import { done, point } from './tap.ts';

const libc = openLibc();
const kernel = openKernel(libc);
const locks = openLocks(libc);
const dir = mkdtempSync(join(tmpdir(), 'svinit-locks-'));
const path = join(dir, 'lock');
const open = (): Fd => kernel.open(path, O.RDWR | O.CREAT, 0o600);

/** The kinds of lock that the kernel lists for the file: `OFDLCK`, `FLOCK`. */
const kinds = (): string[] => {
  const { ino } = statSync(path);
  const lines = readFileSync('/proc/locks', 'utf8').split('\n');
  const ours = lines.filter((line) => line.includes(`:${ino} `));
  return ours.map((line) => line.trim().split(/\s+/).slice(1).join(' ')).sort();
};

await point('both locks of one descriptor are there side by side, over the whole file', () => {
  const fd = open();
  assert.equal(locks.lockOpenFile(fd), true);
  assert.equal(locks.flock(fd), true);
  const [first, second] = kinds();
  assert.match(first ?? '', /^FLOCK ADVISORY WRITE .* 0 EOF$/);
  assert.match(second ?? '', /^OFDLCK ADVISORY WRITE -1 .* 0 EOF$/);
  kernel.close(fd);
  assert.deepEqual(kinds(), []);
});

await point('another descriptor of the same file gets neither, and closing it ends neither', () => {
  const [mine, other] = [open(), open()];
  assert.equal(locks.lockOpenFile(mine), true);
  assert.equal(locks.flock(mine), true);
  assert.equal(locks.lockOpenFile(other), false);
  assert.equal(locks.flock(other), false);
  kernel.close(other);
  // A lock of fcntl(2) that is the process's would be gone with any descriptor of the file.
  readFileSync(path);
  assert.equal(kinds().length, 2);
  assert.equal(locks.lockOpenFile(mine), true, 'what is ours is ours again');
  kernel.close(mine);
});

await point('another process is kept out', () => {
  const fd = open();
  assert.equal(locks.flock(fd), true);
  const tries = (): number | null => spawnSync('flock', ['-n', path, 'true']).status;
  assert.equal(tries(), 1);
  kernel.close(fd);
  assert.equal(tries(), 0);
});

await point('a descriptor that is not open for writing is refused, and named', () => {
  const fd = kernel.open(path, O.RDONLY);
  const message = `Cannot lock descriptor ${fd}: fcntl failed with EBADF`;
  assert.throws(() => locks.lockOpenFile(fd), { name: 'SysError', code: 'EBADF', message });
  kernel.close(fd);
  assert.throws(() => locks.flock(fd), { code: 'EBADF' });
});

rmSync(dir, { recursive: true });
done();
