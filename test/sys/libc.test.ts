/** check(), SysError and the names of errors. */
import { constants } from 'node:os';
import t from 'tap';
import { errnoName, errnoNumber } from '../../src/sys/errno.ts';
import { failing, fakeLibc } from '../../src/sys/fake.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { check, checkUnless, orUndo, SysError } from '../../src/sys/libc.ts';

const tmpfs = { source: 'tmpfs', target: '/x', type: 'tmpfs', flags: [], data: '' };

t.test('SysError says what was tried, by which call, and why it failed', async (t) => {
  const kernel = openKernel(failing('mount', errnoNumber('EPERM')));
  t.throws(() => kernel.mount(tmpfs), {
    name: 'SysError',
    message: 'Cannot mount tmpfs on /x: mount failed with EPERM',
    syscall: 'mount',
    code: 'EPERM',
    errno: 1,
  });
  t.doesNotThrow(() => kernel.mount(tmpfs), 'only the first call fails');
});

t.test('check() takes each signature at its word', async (t) => {
  t.equal(check(fakeLibc({ getpid: () => -1 }), 'x', 'getpid'), -1, 'cannot fail');
  t.equal(check(fakeLibc({ setsid: () => -2 }), 'x', 'setsid'), -2, 'only -1 is a failure');
  t.throws(
    () => check(fakeLibc({ pthread_sigmask: () => 12 }), 'x', 'pthread_sigmask', 0, null, null),
    {
      code: 'ENOMEM',
    },
  );
});

t.test('checkUnless() gives null for an answer and throws the rest', async (t) => {
  const attempt = (code: string) =>
    checkUnless(['ESRCH'], failing('kill', errnoNumber(code)), 'signal', 'kill', 7, 15);
  t.equal(attempt('ESRCH'), null);
  t.throws(() => attempt('EPERM'), { message: 'Cannot signal: kill failed with EPERM' });
});

t.test('orUndo() undoes only what failed', async (t) => {
  const undone: string[] = [];
  t.equal(
    orUndo(
      () => 5,
      () => undone.push('fine'),
    ),
    5,
  );
  const failure = new SysError('mount', 5, 'x');
  const act = () => {
    throw failure;
  };
  t.throws(() => orUndo(act, () => undone.push('failed')), failure);
  t.same(undone, ['failed']);
});

t.test('errno names are those of the machine', async (t) => {
  const aliases = ['EWOULDBLOCK', 'ENOTSUP'];
  for (const [name, number] of Object.entries(constants.errno)) {
    if (aliases.includes(name)) continue;
    t.equal(errnoName(number), name);
    t.equal(errnoNumber(name), number);
  }
  t.equal(errnoName(0), 'errno 0');
  t.equal(errnoName(41), 'errno 41');
  t.equal(errnoName(4000), 'errno 4000');
  t.throws(() => errnoNumber('-'), TypeError);
});
