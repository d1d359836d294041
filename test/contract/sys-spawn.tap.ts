/** Contract of src/sys/spawn.ts: what a started program finds, and what it does not. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Fd } from '../../src/core/units.ts';
import { O, SIG } from '../../src/sys/constants.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { SysError } from '../../src/sys/libc.ts';
import { openSystem } from '../../src/sys/open.ts';
import type { Program } from '../../src/sys/spawn.ts';
import { children, program, quiet, readAll } from './children.ts';
import { done, point } from './tap.ts';

const kernel = openSystem();
const { ended, output } = children(kernel);
const dir = realpathSync(mkdtempSync(join(tmpdir(), 'svinit-spawn-')));
const sh = (script: string, part: Partial<Program> = {}): Program =>
  program(['/bin/sh', '-c', script], part);
const descriptorCount = (): number => readdirSync('/proc/self/fd').length;

/** Lines of /proc/PID/status, by their label. */
function statusLines(text: string): Map<string, string> {
  return new Map(text.split('\n').map((line) => line.split(':\t', 2) as [string, string]));
}

/** Number and target of the descriptors `ls` was started with, without the one it opened itself. */
function listed(text: string): Map<number, string> {
  const found = [...text.matchAll(/ (\d+) -> (.*)/g)].map(([, fd, target]): [number, string] => [
    Number(fd),
    target ?? '',
  ]);
  return new Map(found.filter(([, target]) => !/^\/proc\/\d+\/fd$/.test(target)));
}

function file(name: string, content: string, mode: number): string {
  const path = join(dir, name);
  writeFileSync(path, content);
  chmodSync(path, mode);
  return path;
}

function refusal(part: Program): string {
  try {
    kernel.spawn(part);
  } catch (error) {
    if (error instanceof SysError) return `${error.syscall} ${error.code}`;
    throw error;
  }
  return 'started';
}

await point('an exec that cannot be is told at once, by its name', () => {
  assert.throws(() => kernel.spawn(program(['/nonexistent/run'])), {
    message: 'Cannot start /nonexistent/run: execve failed with ENOENT',
  });
  const plain = file('plain', '#!/bin/sh\n', 0o644);
  const noShebang = file('no-shebang', 'echo hello\n', 0o755);
  const badShebang = file('bad-shebang', '#!/nonexistent/sh\n', 0o755);
  assert.equal(refusal(program([plain])), 'execve EACCES');
  assert.equal(refusal(program([noShebang])), 'execve ENOEXEC');
  assert.equal(refusal(program([badShebang])), 'execve ENOENT');
  assert.equal(refusal(program([dir])), 'execve EACCES');
  assert.equal(refusal(sh('true', { cwd: '/nonexistent' })), 'chdir ENOENT');
  assert.equal(refusal(program(['/bin/true', 'x'.repeat(200_000)])), 'execve E2BIG');
  const missing = { fd: 0, open: '/nonexistent/in', flags: O.RDONLY, mode: 0 };
  assert.equal(refusal(sh('true', { files: [missing] })), 'open ENOENT');
});

await point('a program that could not start leaves no child behind', () => {
  assert.equal(refusal(program(['/nonexistent/run'])), 'execve ENOENT');
  assert.equal(kernel.waitAny(), null);
});

await point('exit codes and deadly signals arrive as wait statuses', async () => {
  assert.equal(await ended(kernel.spawn(sh('exit 3'))), 3 << 8);
  assert.equal(await ended(kernel.spawn(sh('kill -KILL $$'))), SIG.SIGKILL);
});

await point('C10 the program has the descriptors it was given and no other', async () => {
  const leaks = [30, 31, 70].map((min) => kernel.dup(0 as Fd, min));
  const [reader, writer] = kernel.pipe(0);
  for (const fd of [...leaks, reader]) kernel.setCloexec(fd, false);
  const files = [...quiet(), { fd: 9, dup: writer }];
  const { text } = await output(program(['/bin/ls', '-l', '/proc/self/fd'], { files }));
  const found = listed(text);
  assert.deepEqual([...found.keys()], [0, 1, 2, 9]);
  assert.equal(found.get(0), '/dev/null');
  assert.equal(found.get(9), readlinkSync(`/proc/self/fd/${writer}`));
  for (const fd of [...leaks, reader, writer]) kernel.close(fd);
});

await point('the same where close_range(2) is unknown, or forbidden', () => {
  const filtered = fileURLToPath(new URL('spawn-filtered.ts', import.meta.url));
  for (const code of ['ENOSYS', 'EPERM']) {
    const args = [...process.execArgv, filtered, String(errnoNumber(code))];
    const { stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
    assert.equal(stdout, '1\n9\n'.repeat(2), stderr);
  }
});

await point(
  'a copy of a descriptor with a high number is that, and nothing is left of it',
  async () => {
    const counts: number[] = [];
    kernel.reserveSources();
    for (let i = 0; i < 3; i += 1) {
      const [reader, low] = kernel.pipe(0);
      const [writer, leak] = [kernel.dup(low, 500), kernel.dup(low, 400)];
      kernel.close(low);
      kernel.setCloexec(leak, false);
      const files = [...quiet(), { fd: 9, dup: writer }, { fd: 7, dup: writer }];
      const { text } = await output(program(['/bin/ls', '-l', '/proc/self/fd'], { files }));
      const found = listed(text);
      assert.deepEqual([...found.keys()], [0, 1, 2, 7, 9]);
      assert.equal(found.get(9), readlinkSync(`/proc/self/fd/${writer}`));
      for (const fd of [writer, leak]) kernel.close(fd);
      assert.equal(readAll(kernel, reader), '', 'nobody is left who could write');
      kernel.close(reader);
      counts.push(descriptorCount());
    }
    assert.equal(counts[2], counts[0]);
  },
);

await point('descriptors that trade places, and one that stays, come out as asked', async () => {
  const pipes = [kernel.pipe(0), kernel.pipe(0), kernel.pipe(0)];
  const [a, b, c] = pipes.map(([reader]) => kernel.dup(reader, 40)) as [Fd, Fd, Fd];
  const is = (fd: Fd): string => readlinkSync(`/proc/self/fd/${fd}`);
  const files = [
    ...quiet(),
    { fd: a, dup: b },
    { fd: b, dup: a },
    { fd: c, dup: c },
    { fd: c + 1, dup: a },
  ];
  const before = descriptorCount();
  const { text } = await output(program(['/bin/ls', '-l', '/proc/self/fd'], { files }));
  const found = listed(text);
  assert.deepEqual([...found.keys()], [0, 1, 2, a, b, c, c + 1]);
  assert.deepEqual(
    [a, b, c, c + 1].map((fd) => found.get(fd)),
    [is(b), is(a), is(c), is(a)],
  );
  assert.equal(descriptorCount(), before);
  for (const fd of [...pipes.flat(), a, b, c]) kernel.close(fd);
});

await point('signals are neither blocked nor ignored in the program', async () => {
  kernel.sigBlock([SIG.SIGUSR1, SIG.SIGTERM, 40]);
  kernel.sigIgnore([SIG.SIGPIPE, SIG.SIGHUP, SIG.SIGCONT]);
  const { text } = await output(program(['/bin/cat', '/proc/self/status']));
  kernel.sigSetMask([]);
  kernel.sigDefault([SIG.SIGHUP, SIG.SIGCONT]);
  const lines = statusLines(text);
  const none = '0'.repeat(16);
  assert.deepEqual(
    ['SigBlk', 'SigIgn', 'SigCgt'].map((k) => lines.get(k)),
    [none, none, none],
  );
});

await point('a session of its own, or ours', async () => {
  const stat = program(['/bin/cat', '/proc/self/stat']);
  const own = await output(stat);
  const shared = await output({ ...stat, session: false });
  const fields = (text: string): string[] => text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [, parent, group, session] = fields(own.text).map(Number);
  assert.deepEqual([parent, group, session], [kernel.getpid(), own.pid, own.pid]);
  const ours = fields(readFileSync('/proc/self/stat', 'utf8'));
  assert.equal(fields(shared.text)[3], ours[3]);
});

await point('directory, arguments and environment are exactly those given', async () => {
  const relative = file('run', '#!/bin/sh\npwd\nfor a in "$@"; do echo "[$a]"; done\n', 0o755);
  const argv = ['./run', 'two words', '', 'größe', '*'];
  const ran = await output({ ...program(argv), cwd: dir });
  assert.ok(relative.startsWith(dir));
  assert.equal(ran.text, `${dir}\n[two words]\n[]\n[größe]\n[*]\n`);
  const env = ['PATH=/bin', 'EMPTY=', 'Ünï=日本 "x"', 'TWO=a\nb'];
  const environ = await output(program(['/bin/cat', '/proc/self/environ'], { env }));
  assert.equal(environ.text, env.map((pair) => `${pair}\0`).join(''));
  const bare = await output(program(['/bin/cat', '/proc/self/environ']));
  assert.equal(bare.text, '');
});

await point('limits and umask are the ones given, and ours stay as they were', async () => {
  const limits = kernel.getNofile(0);
  const ours = kernel.umask(0o077);
  const script = 'ulimit -Sn; ulimit -Hn; umask';
  const hard = Math.min(limits.hard, 512);
  const given = sh(script, { nofile: { soft: 128, hard: null }, umask: 0o027 });
  assert.equal((await output(given)).text, `128\n${limits.hard}\n0027\n`);
  assert.equal((await output(sh(script))).text, `${limits.soft}\n${limits.hard}\n0077\n`);
  const soft = Math.min(hard, 128);
  const lower = sh(`sleep 0; ${script}`, { nofile: { soft, hard } });
  assert.equal((await output(lower)).text, `${soft}\n${hard}\n0077\n`);
  assert.deepEqual(kernel.getNofile(0), limits);
  assert.equal(kernel.umask(ours), 0o077);
});

await point('a limit the kernel refuses is an error, and nothing starts', () => {
  const limits = kernel.getNofile(0);
  assert.equal(refusal(sh('true', { nofile: { soft: 200, hard: 100 } })), 'prlimit EINVAL');
  assert.deepEqual(kernel.getNofile(0), limits);
  assert.equal(kernel.waitAny(), null);
});

await point('files are opened in the child with the flags and mode given', async () => {
  const path = join(dir, 'out');
  const [stdin, , stderr] = quiet();
  assert.ok(stdin && stderr);
  const flags = O.WRONLY | O.CREAT | O.APPEND;
  const files = [stdin, { fd: 1, open: path, flags, mode: 0o640 }, stderr];
  for (const word of ['one', 'two']) {
    assert.equal(await ended(kernel.spawn(sh(`echo ${word}`, { files, umask: 0 }))), 0);
  }
  assert.equal(readFileSync(path, 'utf8'), 'one\ntwo\n');
});

await point('two actions for one descriptor are refused', () => {
  const [reader, writer] = kernel.pipe(0);
  const files = [...quiet(), { fd: 1, dup: writer }];
  assert.throws(() => kernel.spawn(sh('true', { files })), TypeError);
  kernel.close(writer);
  assert.equal(readAll(kernel, reader), '');
  kernel.close(reader);
});

await point('200 spawns, a third of them failing, leave the descriptors as they were', async () => {
  const env = Array.from({ length: 50 }, (_, i) => `KEY${i}=${'value '.repeat(i)}`);
  const long = `[ $(printf %s "$KEY49" | wc -c) = 294 ]`;
  const before = descriptorCount();
  for (let i = 0; i < 200; i += 1) {
    if (i % 3 === 0) assert.equal(refusal(program(['/nonexistent'], { env })), 'execve ENOENT');
    else assert.equal(await ended(kernel.spawn(program(['/bin/sh', '-ec', long], { env }))), 0);
  }
  assert.equal(descriptorCount(), before);
});

rmSync(dir, { recursive: true });
done();
