/** Contract of src/sys/process.ts, signals.ts and the clock of machine.ts. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import type { Pid } from '../../src/core/units.ts';
import { MAGIC, O, SIG } from '../../src/sys/constants.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { openLibc } from '../../src/sys/open.ts';
import { children, program, quiet, signalled } from './children.ts';
import { done, point } from './tap.ts';

const libc = openLibc();
const kernel = openKernel(libc);
const { ended, output } = children(kernel);

/** asm-generic/ioctls.h: unlock the other end of /dev/ptmx, and ask for its number. */
const TIOCSPTLCK = 0x40045431;
const TIOCGPTN = 0x80045430;

/** The core flag of a wait status: whether one is written is the machine's affair. */
const CORE = 0x80;

/** Its status as soon as it has ended. Nothing else runs meanwhile: the reaper would be faster. */
function peeked(pid: Pid): number {
  for (;;) {
    const got = kernel.peekAny();
    if (got?.pid === pid) return got.status;
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1);
  }
}

function leadsSession(): boolean {
  const stat = readFileSync('/proc/self/stat', 'utf8');
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[3]) === process.pid;
}

/** Whether bit `signal` is set in the mask that /proc shows for the main thread. */
function inMask(mask: 'SigBlk' | 'SigCgt' | 'SigIgn', signal: number): boolean {
  const status = readFileSync('/proc/thread-self/status', 'utf8');
  const bits = BigInt(`0x${new RegExp(`${mask}:\\s+(\\w+)`).exec(status)?.[1]}`);
  return ((bits >> BigInt(signal - 1)) & 1n) === 1n;
}

await point('the process knows itself', () => {
  assert.deepEqual(
    [kernel.getpid(), kernel.getppid(), kernel.getuid(), kernel.geteuid()],
    [process.pid, process.ppid, process.getuid?.(), process.geteuid?.()],
  );
  kernel.setName('svinit-contract');
  assert.equal(readFileSync('/proc/thread-self/comm', 'utf8'), 'svinit-contract\n');
  kernel.setName('a name of more than fifteen bytes');
  assert.equal(readFileSync('/proc/thread-self/comm', 'utf8'), 'a name of more \n');
});

await point('waitAny gives null with no child and with a living one', async () => {
  assert.equal(kernel.waitAny(), null);
  const [reader, writer] = kernel.pipe(0);
  const [, stdout, stderr] = quiet();
  assert.ok(stdout && stderr);
  const files = [{ fd: 0, dup: reader }, stdout, stderr];
  const cat = kernel.spawn(program(['/bin/cat'], { files }));
  assert.equal(kernel.waitAny(), null);
  assert.equal(kernel.kill(cat, 0), true);
  kernel.close(writer);
  assert.equal(await ended(cat), 0);
  kernel.close(reader);
});

await point('peekAny tells what waitpid tells, again and again, until the child is reaped', () => {
  for (const [script, wanted] of [
    ['exit 0', 0],
    ['exit 7', 0x700],
    ['exit 255', 0xff00],
    ['kill -KILL $$', SIG.SIGKILL],
    ['kill -SEGV $$', SIG.SIGSEGV],
  ] as const) {
    const pid = kernel.spawn(program(['/bin/sh', '-c', script]));
    const first = peeked(pid);
    assert.equal(first & ~CORE, wanted);
    assert.deepEqual(kernel.peekAny(), { pid, status: first });
    assert.equal(kernel.reap(pid), true);
    assert.equal(kernel.peekAny(), null);
    assert.equal(kernel.reap(pid), false);
  }
});

await point('kill says false for a process that is gone, true for one that was there', async () => {
  const gone = kernel.spawn(program(['/bin/true']));
  assert.equal(await ended(gone), 0);
  assert.equal(kernel.kill(gone, SIG.SIGTERM), false);
  const stays = kernel.spawn(program(['/bin/sleep', '1000']));
  assert.equal(kernel.kill(-stays as Pid, SIG.SIGTERM), true);
  assert.equal(await ended(stays), SIG.SIGTERM);
  assert.throws(() => kernel.kill(kernel.getpid(), 99), {
    message: `Cannot send signal 99 to ${process.pid}: kill failed with EINVAL`,
  });
});

await point('a subreaper gets the orphans of its children', async () => {
  kernel.setChildSubreaper();
  const [reader, writer] = kernel.pipe(0);
  const files = [...quiet(), { fd: 3, dup: reader }];
  const parent = program(['/bin/sh', '-c', 'cat <&3 >/dev/null & echo $!'], { files });
  const { text, status } = await output(parent);
  assert.equal(status, 0);
  kernel.close(writer);
  assert.equal(await ended(Number(text) as Pid), 0);
  kernel.close(reader);
});

await point('limits are read and written', () => {
  const before = kernel.getNofile(0);
  assert.ok(before.soft > 0 && before.hard >= before.soft);
  kernel.setNofile(0, { soft: before.soft - 1, hard: before.hard });
  assert.deepEqual(kernel.getNofile(0), { soft: before.soft - 1, hard: before.hard });
  kernel.setNofile(0, before);
  assert.deepEqual(kernel.getNofile(kernel.getpid()), before);
  assert.throws(() => kernel.setNofile(0, { soft: 10, hard: 5 }), { code: 'EINVAL' });
  const effective = /CapEff:\s+(\w+)/.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  assert.equal(kernel.mayRaiseLimits(), ((BigInt(`0x${effective}`) >> 24n) & 1n) === 1n);
});

await point('dispositions and the mask are set as asked', () => {
  process.on('SIGUSR2', () => {});
  assert.ok(inMask('SigCgt', SIG.SIGUSR2));
  kernel.sigDefault([SIG.SIGUSR2, SIG.SIGWINCH]);
  assert.ok(!inMask('SigCgt', SIG.SIGUSR2));
  kernel.sigIgnore([SIG.SIGUSR2]);
  assert.ok(inMask('SigIgn', SIG.SIGUSR2));
  kernel.sigDefault([SIG.SIGUSR2]);
  assert.ok(!inMask('SigIgn', SIG.SIGUSR2));
  kernel.sigBlock([SIG.SIGUSR2, 64]);
  assert.ok(inMask('SigBlk', SIG.SIGUSR2) && inMask('SigBlk', 64) && !inMask('SigBlk', 63));
  kernel.sigUnblock([SIG.SIGUSR2]);
  assert.ok(!inMask('SigBlk', SIG.SIGUSR2) && inMask('SigBlk', 64));
  kernel.sigSetMask([]);
  assert.ok(!inMask('SigBlk', 64));
  assert.throws(() => kernel.sigDefault([SIG.SIGKILL]), { code: 'EINVAL', syscall: 'sigaction' });
  assert.throws(() => kernel.sigBlock([0]), TypeError);
});

await point('a signal sent to oneself arrives', async () => {
  const rung = signalled('SIGHUP');
  assert.equal(kernel.kill(kernel.getpid(), SIG.SIGHUP), true);
  await rung;
});

await point('the clock only goes forward, and is the one of the machine', () => {
  let last = kernel.monotonic();
  for (let i = 0; i < 1000; i += 1) {
    const now = kernel.monotonic();
    assert.ok(now >= last);
    last = now;
  }
  const hrtime = Number(process.hrtime.bigint()) / 1e6;
  const now = kernel.monotonic();
  assert.ok(now >= hrtime, `${now} is before ${hrtime}, read earlier`);
});

await point('execve keeps the pid and hands over a state, and the clock goes on', async () => {
  const script = fileURLToPath(new URL('exec-self.ts', import.meta.url));
  const argv = [process.execPath, ...process.execArgv, script];
  const { text, status, pid } = await output(program(argv));
  const { before, after } = JSON.parse(text);
  assert.equal(status, 0);
  assert.deepEqual([before.pid, after.pid, after.env], [pid, pid, 'life']);
  assert.ok(after.at > before.at);
});

await point('an execve that cannot be leaves everything as it was', () => {
  const count = readdirSync('/proc/self/fd').length;
  assert.throws(() => kernel.execve('/nonexistent', ['x'], []), {
    message: 'Cannot become /nonexistent: execve failed with ENOENT',
  });
  assert.equal(readdirSync('/proc/self/fd').length, count);
});

await point('memory is given back, and what is in use goes on', () => {
  const text = (): number => {
    const maps = readFileSync('/proc/self/smaps', 'utf8');
    const found = [...maps.matchAll(/^\S+ r-xp .*\n(?:[A-Z](?!ss:).*\n)*Rss: +([0-9]+) kB$/gm)];
    return found.reduce((sum, [, kib]) => sum + Number(kib), 0);
  };
  const before = text();
  kernel.giveBack();
  const after = text();
  assert.ok(after < before * 0.9, `${after} of ${before} KiB of programs are still mapped`);
  assert.equal(kernel.getpid(), process.pid);
});

await point('filesystems are told apart by their magic', () => {
  assert.equal(kernel.statfsMagic('/proc'), MAGIC.proc);
  assert.throws(() => kernel.statfsMagic('/nonexistent'), { syscall: 'statfs', code: 'ENOENT' });
});

await point('a terminal opened in a new session becomes its controlling one', async () => {
  const master = kernel.open('/dev/ptmx', O.RDWR | O.NOCTTY);
  const number = new Uint8Array(4);
  assert.equal(libc.call('ioctl', master, TIOCSPTLCK, new Uint8Array(4)), 0);
  assert.equal(libc.call('ioctl', master, TIOCGPTN, number), 0);
  const open = `/dev/pts/${new DataView(number.buffer).getInt32(0, true)}`;
  const ttyOf = async (flags: number): Promise<number> => {
    const files = [{ fd: 0, open, flags, mode: 0 }, ...quiet().slice(1)];
    const { text } = await output(program(['/bin/cat', '/proc/self/stat'], { files }));
    return Number(text.slice(text.lastIndexOf(')') + 2).split(' ')[4]);
  };
  assert.notEqual(await ttyOf(O.RDWR), 0);
  assert.equal(await ttyOf(O.RDWR | O.NOCTTY), 0);
  const slave = kernel.open(open, O.RDWR | O.NOCTTY);
  assert.deepEqual(kernel.windowSize(slave), { rows: 0, columns: 0 });
  if (!leadsSession()) assert.throws(() => kernel.makeControllingTty(slave), { code: 'EPERM' });
  kernel.close(slave);
  kernel.close(master);
});

done();
