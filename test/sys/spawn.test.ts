/** spawn(): which file actions, in which order, and what happens to the limits. */
import t from 'tap';
import type { Fd } from '../../src/core/units.ts';
import { type FakeLibc, fakeLibc } from '../../src/sys/fake.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import type { FileAction } from '../../src/sys/spawn.ts';
import { PROGRAM } from './verbs.ts';

const PREFIX = 'posix_spawn_file_actions_';

/** The file actions as words: `dup2 40 3`. */
function actionsOf(libc: FakeLibc): string[] {
  return libc.calls
    .filter(({ name }) => name.startsWith(`${PREFIX}add`))
    .map(({ name, args }) => [name.slice(PREFIX.length + 3), ...args.slice(1)].join(' '));
}

function limitsSet(libc: FakeLibc): string[] {
  return libc.calls
    .filter(({ name, args }) => name === 'prlimit' && args[2] !== null)
    .map(({ args }) => `${args[0]}`);
}

const spawnWith = (files: FileAction[], cwd: string | null = null): FakeLibc => {
  const libc = fakeLibc();
  openKernel(libc).spawn({ ...PROGRAM, files, cwd });
  return libc;
};

t.test('copies come first, then what is closed, then what is opened', async (t) => {
  const files: FileAction[] = [
    { fd: 0, open: '/dev/null', flags: 0, mode: 0 },
    { fd: 1, dup: 9 as Fd },
    { fd: 2, dup: 9 as Fd },
    { fd: 4, dup: 8 as Fd },
  ];
  const libc = spawnWith(files, '/srv');
  const copies = ['chdir_np /srv', 'dup2 9 1', 'dup2 9 2', 'dup2 8 4'];
  const closed = ['close 0', 'close 3', 'closefrom_np 5'];
  t.same(actionsOf(libc), [...copies, ...closed, 'open 0 /dev/null 0 0']);
});

t.test('with nothing to keep, everything is closed', async (t) => {
  t.same(actionsOf(spawnWith([])), ['closefrom_np 0']);
});

t.test('a source that another copy would overwrite gets a spare above all targets', async (t) => {
  const files = [
    { fd: 5, dup: 6 as Fd },
    { fd: 6, dup: 5 as Fd },
    { fd: 7, dup: 7 as Fd },
  ];
  const libc = spawnWith(files);
  t.same(actionsOf(libc).slice(0, 3), ['dup2 8 5', 'dup2 9 6', 'dup2 7 7']);
  t.equal(libc.open.size, 0, 'the spares are closed here');
});

t.test('attributes are made once for each C library', async (t) => {
  const libc = fakeLibc();
  const kernel = openKernel(libc);
  const first = kernel.spawn(PROGRAM);
  const second = kernel.spawn({ ...PROGRAM, session: false });
  t.same([first, second], [100, 101]);
  const made = libc.calls.filter(({ name }) => name === 'posix_spawnattr_init');
  const flags = libc.calls.filter(({ name }) => name === 'posix_spawnattr_setflags');
  t.equal(made.length, 2);
  t.same(
    flags.map(({ args }) => args[1]),
    [0x8c, 0x0c],
    'SETSID only where it was asked for',
  );
});

t.test('path, arguments and environment reach posix_spawn', async (t) => {
  const seen: unknown[] = [];
  const libc: FakeLibc = fakeLibc({
    posix_spawn: ([, path, , , argv, envp]) => {
      seen.push(
        libc.textAt(Number(path)),
        libc.vectorAt(Number(argv)),
        libc.vectorAt(Number(envp)),
      );
      return null;
    },
  });
  openKernel(libc).spawn(PROGRAM);
  t.same(seen, [PROGRAM.path, PROGRAM.argv, PROGRAM.env]);
});

t.test('a hard limit we could not raise again is set on the child instead', async (t) => {
  const capable = fakeLibc();
  openKernel(capable).spawn(PROGRAM);
  t.same(limitsSet(capable), ['0', '0'], 'ours, and back');
  const container = fakeLibc({ capget: () => 0 });
  openKernel(container).spawn(PROGRAM);
  t.same(limitsSet(container), ['0', '0', '100'], 'our soft one, and back, then the child');
  const same = fakeLibc({ capget: () => 0 });
  openKernel(same).spawn({ ...PROGRAM, nofile: { soft: 100, hard: null } });
  t.same(limitsSet(same), ['0', '0'], 'a hard limit like ours needs nothing more');
});
