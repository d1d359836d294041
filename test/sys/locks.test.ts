/** Locks over a fake library: what is asked of it, and what its answers mean. */
import t from 'tap';
import type { Fd } from '../../src/core/units.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { fakeLibc } from '../../src/sys/fake.ts';
import { openLocks } from '../../src/sys/locks.ts';

const fd = 7 as Fd;

t.test('what is asked', async (t) => {
  const libc = fakeLibc();
  const locks = openLocks(libc);
  t.equal(locks.lockOpenFile(fd), true);
  t.equal(locks.flock(fd), true);
  const [lock, flock] = libc.calls;
  // F_OFD_SETLK of bits/fcntl-linux.h; LOCK_EX | LOCK_NB of sys/file.h.
  t.same([lock?.name, lock?.args.slice(0, 2)], ['fcntl', [7, 37]]);
  t.same([flock?.name, flock?.args], ['flock', [7, 6]]);
});

t.test('what is answered', async (t) => {
  for (const code of ['EAGAIN', 'EACCES']) {
    const answer = (): { errno: number } => ({ errno: errnoNumber(code) });
    const locks = openLocks(fakeLibc({ fcntl: answer, flock: answer }));
    t.equal(locks.lockOpenFile(fd), false, `${code}: somebody else has it`);
    t.equal(locks.flock(fd), false);
  }
  const answer = (): { errno: number } => ({ errno: errnoNumber('ENOLCK') });
  const locks = openLocks(fakeLibc({ fcntl: answer, flock: answer }));
  const message = 'Cannot lock descriptor 7: fcntl failed with ENOLCK';
  t.throws(() => locks.lockOpenFile(fd), { message });
  t.throws(() => locks.flock(fd), {
    message: 'Cannot flock descriptor 7: flock failed with ENOLCK',
  });
});
