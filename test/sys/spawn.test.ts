/** spawn(): which calls the child makes, in which order. */
import t from 'tap';
import type { Fd } from '../../src/core/units.ts';
import { type ChildCall, callsIn } from '../../src/sys/child.ts';
import { type FakeLibc, fakeLibc } from '../../src/sys/fake.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { getU64, viewOf } from '../../src/sys/memory.ts';
import type { FileAction, Program } from '../../src/sys/spawn.ts';
import { PROGRAM } from './verbs.ts';

type Spawned = { readonly libc: FakeLibc; readonly calls: readonly ChildCall[] };

function spawnWith(part: Partial<Program>): Spawned {
  const calls: ChildCall[] = [];
  const libc: FakeLibc = fakeLibc({
    bsearch: ([list]) => {
      calls.push(...callsIn(libc.memoryAt(Number(list))));
      return null;
    },
  });
  const kernel = openKernel(libc);
  kernel.reserveSources();
  kernel.spawn({ ...PROGRAM, cwd: null, ...part });
  return { libc, calls };
}

/** The calls about descriptors and directory as words: `dup3 40 3`. */
function filesOf({ libc, calls }: Spawned): string[] {
  return calls.flatMap(({ call, args: [a = 0, b = 0, c = 0, d = 0] }) => {
    if (call === 'chdir') return [`chdir ${libc.textAt(a)}`];
    if (call === 'close_range')
      return [`close ${a}-${b === 0xffffffff ? '' : b}${c ? ' alone' : ''}`];
    if (call === 'dup3') return [`dup ${a} ${b}`];
    if (call === 'fcntl') return [`keep ${a}`];
    if (call === 'close') return [`close ${a}`];
    if (call === 'open') return [`open ${libc.textAt(b)} ${c} ${d}`];
    return [];
  });
}

t.test('copies come first, then what is closed, then what is opened', async (t) => {
  const files: FileAction[] = [
    { fd: 0, open: '/dev/null', flags: 0, mode: 0 },
    { fd: 1, dup: 9 as Fd },
    { fd: 2, dup: 9 as Fd },
    { fd: 4, dup: 8 as Fd },
  ];
  const copies = ['close 10- alone', 'chdir /srv', 'dup 9 1', 'dup 9 2', 'dup 8 4'];
  const rest = ['close 0-0', 'close 3-3', 'close 5-9', 'open /dev/null 0 0'];
  t.same(filesOf(spawnWith({ files, cwd: '/srv' })), [...copies, ...rest]);
});

t.test('with nothing to keep, everything is closed', async (t) => {
  t.same(filesOf(spawnWith({ files: [] })), ['close 0- alone']);
});

t.test('what is opened gets the number that was asked for', async (t) => {
  const open = (fd: number): FileAction => ({ fd, open: `/f${fd}`, flags: 1, mode: 0 });
  const files = [open(2), open(0), { fd: 1, dup: 1 as Fd }, open(3)];
  const opened = ['open /f2 1 0', 'dup 0 2', 'close 0', 'open /f0 1 0', 'open /f3 1 0'];
  t.same(filesOf(spawnWith({ files })).slice(3), opened);
});

t.test('a source that another copy would overwrite gets a spare above all targets', async (t) => {
  const files = [
    { fd: 5, dup: 6 as Fd },
    { fd: 6, dup: 5 as Fd },
    { fd: 7, dup: 7 as Fd },
  ];
  const spawned = spawnWith({ files });
  t.same(filesOf(spawned).slice(1, 4), ['dup 8 5', 'dup 9 6', 'keep 7']);
  t.same(
    [8, 9].filter((fd) => spawned.libc.open.has(fd)),
    [],
    'the spares are closed here',
  );
});

t.test('a source with a high number is lent a low one', async (t) => {
  const files = [
    { fd: 3, dup: 900 as Fd },
    { fd: 4, dup: 20 as Fd },
  ];
  const spawned = spawnWith({ files });
  t.same(filesOf(spawned).slice(0, 3), ['close 21- alone', 'dup 11 3', 'dup 20 4']);
  const lent = spawned.libc.calls.filter(({ name }) => name === 'dup3').map(({ args }) => args);
  t.match(
    lent,
    [
      [900, 11],
      [3, 11],
    ],
    'and what was there before is there again',
  );
  const above = spawnWith({ files: [{ fd: 30, dup: 900 as Fd }] });
  t.same(filesOf(above).slice(0, 2), ['close 901- alone', 'dup 900 30'], 'above all targets');
});

t.test('what it is given besides', async (t) => {
  const { libc, calls } = spawnWith({});
  const argsOf = (name: string): readonly number[] =>
    calls.find(({ call }) => call === name)?.args ?? [];
  const [path = 0, argv = 0, envp = 0] = argsOf('execve');
  t.equal(libc.textAt(path), PROGRAM.path);
  t.same(libc.vectorAt(argv), PROGRAM.argv);
  t.same(libc.vectorAt(envp), PROGRAM.env);
  t.equal(calls.at(-1)?.call, 'execve', 'which comes last');
  t.equal(argsOf('umask')[0], 0o027);
  const limit = viewOf(libc.memoryAt(argsOf('prlimit')[2] ?? 0));
  t.same([getU64(limit, 0), getU64(limit, 8)], [100, 1000]);
  const names = (part: Partial<Program>): string[] => spawnWith(part).calls.map(({ call }) => call);
  t.ok(names({}).includes('setsid'));
  t.notOk(names({ session: false }).includes('setsid'));
  t.notOk(names({ nofile: null }).includes('prlimit'));
  const { umask: _, ...ours } = PROGRAM;
  t.equal(openKernel(libc).spawn(ours), 101);
});

t.test('nothing of ours is changed for it', async (t) => {
  const { libc } = spawnWith({ nofile: { soft: 10, hard: null } });
  const names = libc.calls.map(({ name }) => name);
  t.notOk(names.includes('umask'));
  t.ok(libc.calls.every(({ name, args }) => name !== 'prlimit' || args[2] === null));
});
