/** The sandbox that svinit runs in for `make start` and in tests, here with busybox as PID 1. */
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import t from 'tap';
import { type NamespaceOptions, namespaceCommand } from '../../scripts/namespace.ts';
import { stage } from '../../scripts/stage.ts';

mkdirSync('build/test', { recursive: true });
const directory = mkdtempSync('build/test/namespace-');
t.teardown(() => rmSync(directory, { recursive: true }));
const root = join(directory, 'root');
const busybox = readFileSync('build/busybox/busybox');
const folders = ['usr', 'usr/bin', 'dev', 'proc', 'sys', 'run', 'tmp', 'etc', 'mnt'];
stage(
  [
    ...folders.map((path) => ({ type: 'directory', path, mode: 0o755 }) as const),
    { type: 'file', path: 'usr/bin/busybox', mode: 0o755, content: busybox },
    { type: 'file', path: 'etc/here', mode: 0o644, content: Buffer.from('mine') },
  ],
  root,
);

const userNamespaces = !(await execa('unshare', ['-Ur', 'true'], { reject: false })).failed;

/**
 * Runs a script of busybox' shell as PID 1. Only inside a user namespace the root needs no setpriv.
 */
function run(script: string, more: Partial<NamespaceOptions> = {}) {
  const args = ['/usr/bin/busybox', 'sh', '-c', script];
  const [program = '', ...rest] = namespaceCommand({ root, args, userNamespace: true, ...more });
  return execa(program, rest, { reject: false, all: true });
}

t.test('namespaceCommand()', { skip: !userNamespaces && 'no user namespaces here' }, async (t) => {
  const bb = 'b=/usr/bin/busybox';
  t.match(await run('echo $$; exit 7'), { all: '1', exitCode: 7 }, 'is PID 1, its exit code ours');
  t.match(await run(`${bb}; $b ls / | $b tr '\\n' ' '`), {
    all: 'dev etc mnt proc run sys tmp usr ',
  });
  t.match(await run(`${bb}; $b cat /etc/here; $b touch /etc/x && echo ,ok`), { all: 'mine,ok' });
  t.notOk(existsSync(join(root, 'etc/x')), 'what it writes is gone with it');
  t.match(await run(`${bb}; $b ls -A /mnt`), { all: '', exitCode: 0 }, 'the host is out of sight');
  t.match(await run(`${bb}; $b touch /usr/x`), { all: /Read-only file system/ });
  t.match(await run(`${bb}; $b ls ${resolve('.')}`), {
    all: /No such file/,
    exitCode: 1,
  });
  t.match(
    await run(
      `${bb}; p=$($b ps); echo "$p" | $b grep -vc " ps$"; $b ls /sys/class/net; $b ls /dev/pts`,
    ),
    {
      all: /^2\nlo\nptmx$/,
    },
  );
  const bare = await run(`${bb}; $b ls -A /proc /sys /run; $b ls /dev`, { bare: true });
  t.same(
    String(bare.all)
      .split('\n')
      .filter((line) => line !== ''),
    [...['/proc:', '/run:', '/sys:'], ...['full', 'null', 'random', 'tty', 'urandom', 'zero']],
  );
  t.match(await run('echo $A-$HOME', { env: { A: 'b' } }), { all: 'b-' }, 'a clean environment');
});

t.test('all of it dies with the first process', { skip: !userNamespaces }, async (t) => {
  const machine = run('echo up; /usr/bin/busybox sleep 1000 & /usr/bin/busybox sleep 1000');
  await once(machine.stdout ?? t, 'data');
  machine.kill('SIGKILL');
  // The pipe ends when the last process that holds it is gone.
  t.match(await machine, { signal: 'SIGKILL', all: 'up' });
});

t.test('as root', { skip: process.getuid?.() !== 0 && 'only root may' }, async (t) => {
  const command = namespaceCommand({ root: '/r', userNamespace: false });
  t.ok(command.join(' ').includes('--bounding-set -sys_time,'), 'the clock is out of reach');
  t.notOk(command.includes('--user'));
});
