/**
 * The first life, on a fake kernel: what it makes of itself, and that no failure ends it.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { ignoredSignals, tameSignals } from '../../src/boot/signals.ts';
import { type Life, stage0 } from '../../src/boot/stage0.ts';
import { BOOTED } from '../../src/core/environment.ts';
import { MAGIC } from '../../src/sys/constants.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { type Answer, fakeLibc, type Script } from '../../src/sys/fake.ts';
import { type Kernel, openKernel } from '../../src/sys/kernel.ts';
import type { CName } from '../../src/sys/signatures.ts';

const errno = (name: string): Answer => ({ errno: errnoNumber(name) });

/** Runs the first life; `became` is what it exec'ed, `told` what it wrote anywhere. */
function live(script: Script = {}, changes: Partial<Life> = {}, magic: number = MAGIC.proc) {
  const libc = fakeLibc(script);
  const order: string[] = [];
  let told = '';
  let became: { path: string; argv: readonly string[]; env: readonly string[] } | null = null;
  const plain = openKernel(libc);
  const kernel: Kernel = {
    ...plain,
    statfsMagic: () => magic,
    write: (fd, bytes) => {
      told += new TextDecoder().decode(bytes);
      return plain.write(fd, bytes);
    },
    execve: (path, argv, env) => {
      became = { path, argv, env };
      return plain.execve(path, argv, env);
    },
  };
  const life: Life = {
    program: ['/sbin/init'],
    execPath: '/init',
    env: { TERM: 'linux', NODE_OPTIONS: '--require=/x' },
    cwd: '/app',
    files: {
      read: () => 'SigBlk:\t0000000000010000\nSigIgn:\t0000000000001001\n',
      readlink: (path) => (path === '/proc/self/ns/pid' ? 'pid:[4026531836]' : '/init'),
    },
    chdir: (path) => order.push(`chdir ${path}`),
    ...changes,
  };
  stage0(kernel, ['--quiet'], life);
  const calls = libc.calls.map(({ name, args }) => ({ name, args }));
  return { calls, names: calls.map(({ name }) => name), order, told, became: became as Became };
}

type Became = { path: string; argv: readonly string[]; env: readonly string[] } | null;

t.test('stage0() on a machine becomes itself with a clean environment', async (t) => {
  const { became, order } = live();
  t.equal(became?.path, '/init');
  t.same(became?.argv, ['/sbin/init', BOOTED, '--quiet']);
  t.ok(became?.env.includes('TERM=linux'));
  t.notOk(became?.env.some((word) => word.includes('--require')));
  t.same(order, ['chdir /']);
});

t.test('stage0() lets a machine have more descriptors than the kernel gives PID 1', async (t) => {
  const limits = ({ names }: ReturnType<typeof live>) => names.filter((name) => name === 'prlimit');
  t.equal(limits(live()).length, 2, 'one call asks, one raises');
  const refused = live({ prlimit: () => errno('EPERM') });
  t.equal(refused.became?.path, '/init', 'and lives with what it has');
});

t.test('stage0() resets what would outlive the exec', async (t) => {
  const { calls } = live();
  t.equal(calls.find(({ name }) => name === 'umask')?.args[0], 0o077);
  const reset = calls.filter(({ name }) => name === 'sigaction').map(({ args }) => args[0]);
  t.same(reset.slice(0, 2), [1, 13], 'ignored signals');
  const [mask] = calls.filter(({ name }) => name === 'pthread_sigmask');
  const blocked = [...((mask?.args[1] ?? [1]) as Uint8Array)].filter((byte) => byte !== 0);
  t.same(blocked, [], 'nothing stays blocked');
  const kept = calls.filter(({ name }) => name === 'fcntl').map(({ args }) => args);
  t.same(
    kept,
    [
      [0, 2, 0],
      [1, 2, 0],
      [2, 2, 0],
    ],
    'descriptors 0 to 2 are not closed by it',
  );
});

t.test('F38 stage0() mounts /proc only when it is not there', async (t) => {
  t.notOk(live().names.includes('mount'));
  const { calls } = live({}, {}, MAGIC.ramfs);
  t.same(calls.find(({ name }) => name === 'mount')?.args.slice(0, 3), ['proc', '/proc', 'proc']);
});

t.test('F37 stage0() opens closed descriptors on the console, else on /dev/null', async (t) => {
  const opened = (script: Script) =>
    live({ fcntl: (_, k) => (k === 2 ? errno('EBADF') : null), ...script })
      .calls.filter(({ name }) => name === 'open')
      .map(({ args }) => args[0]);
  t.same(opened({ execve: () => null }).slice(0, 1), ['/dev/console']);
  const none = opened({ open: (_, k) => (k === 1 ? errno('ENXIO') : null) });
  t.same(none.slice(0, 2), ['/dev/console', '/dev/null']);
});

t.test('stage0() in a container keeps what it was given', async (t) => {
  const readlink = (path: string) => (path === '/proc/self/ns/pid' ? 'pid:[4026532500]' : '/init');
  const { became } = live({}, { files: { read: () => null, readlink } });
  t.ok(became?.env.includes('SVINIT_ENV_NODE_OPTIONS=--require=/x'));
  t.ok(became?.env.includes('SVINIT_CWD=/app'));
});

t.test('stage0() as a plain process stays where it is, and keeps its variables', async (t) => {
  const { became, order, names } = live({ getpid: () => 77 }, {}, MAGIC.ramfs);
  t.same(order, []);
  t.notOk(names.includes('mount'));
  t.ok(became?.env.includes('SVINIT_ENV_TERM=linux'));
});

t.test(
  'stage0() goes on as it is when nothing was given that outlives the beginning',
  async (t) => {
    const adopted: { env: readonly string[]; path: string }[] = [];
    const status = (blocked: string, ignored: string) =>
      `SigBlk:\t${blocked}\nSigIgn:\t${ignored}\n`;
    const own = status('0000000000000200', '0000000001001000');
    const readlink = (path: string) =>
      path === '/proc/self/ns/pid' ? 'pid:[4026531836]' : '/real';
    const begin = (env: Life['env'], read: string | null) =>
      live(
        {},
        {
          env,
          files: { read: (path) => (path === '/proc/self/status' ? read : null), readlink },
          adopt: (env, path) => adopted.push({ env, path }),
        },
      );
    const clean = begin({ HOME: '/', TERM: 'linux' }, own);
    t.equal(clean.became, null, 'no exec');
    t.equal(adopted[0]?.path, '/real', 'the program as /proc knows it, which may be new');
    t.ok(adopted[0]?.env.includes('TERM=linux'));
    t.notOk(clean.names.includes('sigaction'), 'what the runtime ignores stays ignored');
    t.notOk(clean.names.includes('pthread_sigmask'), 'and blocked what it blocks');
    const raised = clean.calls.filter(({ name }) => name === 'prlimit')[1]?.args[2];
    const limit = new DataView((raised as Uint8Array).buffer, (raised as Uint8Array).byteOffset);
    t.equal(limit.getUint32(0, true), 512 * 1024, 'it may open at once as many as it is allowed');
    const least = { HOME: '/' };
    for (const [what, env, read] of [
      ['a variable nobody knows', { ...least, NODE_OPTIONS: '' }, own],
      ['a variable of the linker', { ...least, LD_PRELOAD: '/x' }, own],
      ['a blocked signal', least, status('0000000000004000', '0000000000001000')],
      ['an ignored signal', least, status('0000000000000000', '0000000000000001')],
      ['no word of signals', least, 'SigIgn:\t0000000000000000\n'],
      ['no status', least, null],
    ] as const) {
      t.equal(begin(env, read).became?.path, '/real', `${what}: exec`);
    }
    t.equal(adopted.length, 1);
  },
);

t.test('stage0() execs the runtime it knows when /proc does not tell', async (t) => {
  const files = { read: () => null, readlink: () => null };
  t.equal(live({}, { files }).became?.path, '/init');
});

t.test('stage0() goes on when exec fails, and says why', async (t) => {
  const { told, calls } = live({ execve: () => errno('ENOMEM') });
  t.equal(told, '<3>svinit: Cannot become /init: execve failed with ENOMEM\n');
  const restored = calls.filter(({ name }) => name === 'sigaction').slice(2);
  t.same(
    restored.map(({ args }) => args[0]),
    [1, 13],
    'and ignores again what it ignored',
  );
});

t.test('sweep: no failure of any call ends the first life', async (t) => {
  const names: readonly CName[] = ['mount', 'fcntl', 'open', 'sigaction', 'pthread_sigmask'];
  for (const name of [...names, 'write', 'close', 'umask', 'execve'] as const) {
    for (const code of ['EPERM', 'EINVAL', 'EBADF', 'EIO', 'ENOMEM']) {
      const script: Script = { [name]: () => errno(code) };
      const all: Script = { ...script, execve: () => errno('E2BIG') };
      t.doesNotThrow(() => live(script, {}, MAGIC.ramfs), `${name} with ${code}`);
      t.doesNotThrow(() => live(all, {}, MAGIC.ramfs), `${name} with ${code}, and no exec`);
      const { became } = live(script, {}, MAGIC.ramfs);
      t.same(
        became?.argv,
        ['/sbin/init', BOOTED, '--quiet'],
        `${name} with ${code}: exec is tried`,
      );
    }
  }
});

t.test('ignoredSignals() reads /proc/PID/status', async (t) => {
  t.same(ignoredSignals('SigIgn:\t8000000000000001\n'), [1, 64]);
  t.same(ignoredSignals('SigCgt:\tff\n'), []);
  t.same(ignoredSignals(null), []);
});

t.test('tameSignals() makes crash signals harmless, Ctrl-Alt-Del too on a machine', async (t) => {
  const tame = (machine: boolean, script: Script = {}) => {
    const libc = fakeLibc(script);
    const failed = tameSignals(openKernel(libc), machine);
    const reset = libc.calls.filter(({ name }) => name === 'sigaction').map(({ args }) => args[0]);
    return { failed, reset, reboot: libc.calls.find(({ name }) => name === 'reboot')?.args };
  };
  const crashes = [4, 5, 6, 7, 8, 11, 31];
  t.same(tame(true), { failed: [], reset: crashes, reboot: [0] });
  t.same(tame(false), { failed: [], reset: crashes, reboot: undefined });
  const { failed, reset } = tame(true, {
    sigaction: (_, k) => (k === 2 ? errno('EINVAL') : null),
    reboot: () => errno('EPERM'),
  });
  t.same(reset, crashes, 'one failure does not keep the others');
  t.same(failed, [
    'Cannot reset signal 5: sigaction failed with EINVAL',
    'Cannot set Ctrl-Alt-Del: reboot failed with EPERM',
  ]);
});

t.test('the maps that Bun starts with, without /proc, hold any stack of both CPUs', async (t) => {
  const maps = readFileSync('initramfs/proc/self/maps', 'utf8');
  const [, from = '', to = ''] = /^([0-9a-f]+)-([0-9a-f]+) rw-p .*\[stack\]\n$/.exec(maps) ?? [];
  t.equal(Number.parseInt(from, 16), 0);
  // TASK_SIZE: x86-64 keeps the last page to itself.
  for (const [cpu, end] of [
    ['x86-64', 2 ** 47 - 4096],
    ['arm64', 2 ** 48],
  ] as const) {
    t.ok(Number.parseInt(to, 16) >= end - 1, cpu);
  }
});
