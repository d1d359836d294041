/**
 * The fault sweep: for every verb, for every call it makes, that one call fails. The verb must say
 * so with a SysError that names the call, or give its documented answer, and leave nothing behind.
 */
import t from 'tap';
import { answerFor, type ChildCall, callsIn } from '../../src/sys/child.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { BecameAnother, type FakeLibc, failing, fakeLibc } from '../../src/sys/fake.ts';
import { type Kernel, openKernel } from '../../src/sys/kernel.ts';
import { SysError } from '../../src/sys/libc.ts';
import { type ChildCallName, type CName, SIGNATURES } from '../../src/sys/signatures.ts';
import { USES } from './verbs.ts';

type Verb = keyof Kernel;
type Outcome = { readonly value: unknown } | { readonly error: unknown };

/**
 * Calls whose failure is no error of the verb: clean-up, a wait for nobody, a clock that stands,
 * memory that is kept.
 */
const TOLERATED: Readonly<Partial<Record<Verb, readonly string[]>>> = {
  giveBack: ['madvise 1'],
  moveTo: ['close 1'],
  monotonic: ['clock_gettime 1'],
  waitAny: ['waitpid 1'],
  peekAny: ['waitid 1'],
  reap: ['waitpid 1'],
  spawn: ['close 1', 'close 2'],
};

const VERBS = Object.keys(USES) as Verb[];

function use(verb: Verb, libc: FakeLibc): Outcome {
  try {
    return { value: USES[verb](openKernel(libc)) };
  } catch (error) {
    return error instanceof BecameAnother ? { value: 'became another' } : { error };
  }
}

/** The calls of a run in which nothing fails, each with its count: `prlimit 2`. */
function callsOf(libc: FakeLibc): { name: CName; k: number }[] {
  const counts = new Map<CName, number>();
  return libc.calls.map(({ name }) => {
    const k = (counts.get(name) ?? 0) + 1;
    counts.set(name, k);
    return { name, k };
  });
}

const countOf = (libc: FakeLibc, name: CName): number =>
  libc.calls.filter((call) => call.name === name).length;

for (const capable of [true, false]) {
  const script = capable ? {} : { capget: () => 0 };
  const where = capable ? 'a machine that lets us' : 'a container without CAP_SYS_RESOURCE';

  t.test(`F59 every verb, every call failing, on ${where}`, async (t) => {
    for (const verb of VERBS) {
      const quiet = fakeLibc(script);
      t.match(use(verb, quiet), { error: undefined }, `${verb}() when nothing fails`);
      for (const { name, k } of callsOf(quiet)) {
        const libc = failing(name, errnoNumber('EIO'), k, script);
        const outcome = use(verb, libc);
        const label = `${verb}() when ${name} ${k} fails`;
        const mayFail = SIGNATURES[name].fails !== 'never';
        if (!mayFail || TOLERATED[verb]?.includes(`${name} ${k}`)) {
          t.notOk('error' in outcome, label);
        } else {
          const error = 'error' in outcome ? outcome.error : null;
          const call = name === 'bsearch' ? 'clone' : name;
          t.ok(error instanceof SysError && error.syscall === call, label);
          t.equal(name === 'close' ? 0 : libc.open.size, 0, `${label}: no descriptor is left`);
        }
      }
    }
  });
}

t.test('spawn() tells which call of the child failed, and waits for its end', async (t) => {
  const seen: ChildCall[] = [];
  /** A machine on which the child fails at the call of that name. */
  const refusing = (call: ChildCallName | null): FakeLibc => {
    const libc: FakeLibc = fakeLibc({
      bsearch: ([list]) => {
        const bytes = libc.memoryAt(Number(list));
        if (call === null) seen.push(...callsIn(bytes));
        else answerFor(bytes, Number(list), { call, errno: errnoNumber('EIO') });
        return call === null ? null : 0;
      },
    });
    return libc;
  };
  use('spawn', refusing(null));
  t.ok(seen.length > 8);
  for (const call of new Set(seen.map((one) => one.call))) {
    const libc = refusing(call);
    const message = `Cannot start /bin/program: ${call} failed with EIO`;
    t.match(use('spawn', libc), { error: { syscall: call, message } }, call);
    t.ok(countOf(libc, 'waitpid') > 0, `${call}: what has ended is waited for`);
    t.equal(libc.open.size, 0, `${call}: no descriptor is left`);
  }
});

t.test('the umask is given back when bind fails', async (t) => {
  const libc = failing('bind', errnoNumber('EADDRINUSE'));
  use('listenUnix', libc);
  t.equal(openKernel(libc).umask(0), 0o022);
});

t.test('errors that are answers', async (t) => {
  const answers: [Verb, CName, string, unknown][] = [
    ['read', 'read', 'EAGAIN', null],
    ['read', 'read', 'EINTR', null],
    ['write', 'write', 'EAGAIN', null],
    ['write', 'write', 'EINTR', null],
    ['close', 'close', 'EINTR', undefined],
    ['kill', 'kill', 'ESRCH', false],
    ['accept', 'accept4', 'EAGAIN', null],
    ['accept', 'accept4', 'EINTR', null],
    ['accept', 'accept4', 'ECONNABORTED', null],
    ['epollWait', 'epoll_wait', 'EINTR', []],
    ['windowSize', 'ioctl', 'ENOTTY', null],
    ['waitAny', 'waitpid', 'ECHILD', null],
    ['peekAny', 'waitid', 'ECHILD', null],
    ['reap', 'waitpid', 'ECHILD', false],
    ['loadModule', 'syscall', 'EEXIST', false],
  ];
  for (const [verb, name, code, value] of answers) {
    t.same(use(verb, failing(name, errnoNumber(code))), { value }, `${verb}() on ${code}`);
  }
});
