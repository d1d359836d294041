/** Contract of src/sys/descriptors.ts and files.ts against the kernel this runs on. */
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, readlinkSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Fd } from '../../src/core/units.ts';
import { EPOLL, IN, O } from '../../src/sys/constants.ts';
import { SysError } from '../../src/sys/libc.ts';
import { openSystem } from '../../src/sys/open.ts';
import { signalled } from './children.ts';
import { done, point } from './tap.ts';

const kernel = openSystem();
const dir = mkdtempSync(join(tmpdir(), 'svinit-sys-'));
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const text = (buffer: Uint8Array, length: number | null): string =>
  new TextDecoder().decode(buffer.subarray(0, length ?? 0));

/** The flags the kernel shows for a descriptor: the only place close-on-exec can be seen. */
const fdinfoFlags = (fd: Fd): number =>
  Number.parseInt(
    /flags:\s+(\d+)/.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'utf8'))?.[1] ?? '',
    8,
  );

function codeOf(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (error instanceof SysError) return error.code;
    throw error;
  }
  return 'no error';
}

await point('a nonblocking pipe gives null, then bytes, then 0 at the end', () => {
  const [reader, writer] = kernel.pipe(O.NONBLOCK);
  const buffer = new Uint8Array(16);
  assert.equal(kernel.read(reader, buffer), null);
  assert.equal(kernel.write(writer, bytes('hello')), 5);
  assert.equal(text(buffer, kernel.read(reader, buffer)), 'hello');
  kernel.close(writer);
  assert.equal(kernel.read(reader, buffer), 0);
  kernel.close(reader);
});

await point('a full pipe gives null and takes more once it was read', () => {
  const [reader, writer] = kernel.pipe(O.NONBLOCK);
  const page = new Uint8Array(4096);
  let written = 0;
  for (let n = kernel.write(writer, page); n !== null; n = kernel.write(writer, page)) written += n;
  assert.ok(written >= 4096);
  assert.equal(kernel.read(reader, page), 4096);
  assert.equal(kernel.write(writer, page), 4096);
  kernel.close(reader);
  kernel.close(writer);
});

await point('a view into a larger buffer is read into and written from where it begins', () => {
  const [reader, writer] = kernel.pipe(O.NONBLOCK);
  assert.equal(kernel.write(writer, bytes('xxhello').subarray(2)), 5);
  const whole = new Uint8Array(8);
  assert.equal(kernel.read(reader, whole.subarray(3)), 5);
  assert.deepEqual([...whole.subarray(0, 3)], [0, 0, 0]);
  assert.equal(text(whole.subarray(3), 5), 'hello');
  kernel.close(reader);
  kernel.close(writer);
});

await point('closing twice says EBADF and what it was', () => {
  const [reader, writer] = kernel.pipe(0);
  kernel.close(reader);
  kernel.close(writer);
  assert.throws(() => kernel.close(reader), {
    name: 'SysError',
    code: 'EBADF',
    syscall: 'close',
    message: `Cannot close descriptor ${reader}: close failed with EBADF`,
  });
});

await point('descriptors are close-on-exec until told otherwise', () => {
  const file = kernel.open('/dev/null', O.RDONLY);
  const copy = kernel.dup(file, 60);
  const [reader, writer] = kernel.pipe(0);
  const all = [file, copy, reader, writer, kernel.epollCreate(), kernel.inotifyInit()];
  assert.ok(copy >= 60);
  for (const fd of all) assert.ok(fdinfoFlags(fd) & O.CLOEXEC, `descriptor ${fd}`);
  kernel.setCloexec(file, false);
  assert.equal(fdinfoFlags(file) & O.CLOEXEC, 0);
  kernel.setCloexec(file, true);
  assert.ok(fdinfoFlags(file) & O.CLOEXEC);
  for (const fd of all) kernel.close(fd);
});

await point('getFlags tells the flags of the open file', () => {
  const file = kernel.open(join(dir, 'new'), O.WRONLY | O.CREAT | O.APPEND, 0o640);
  assert.equal(kernel.getFlags(file) & (O.WRONLY | O.APPEND | O.NONBLOCK), O.WRONLY | O.APPEND);
  assert.equal(statSync(join(dir, 'new')).mode & 0o777, 0o640);
  kernel.close(file);
});

await point('open of what is not there says so', () => {
  assert.throws(() => kernel.open('/nonexistent/file', O.RDONLY), {
    message: 'Cannot open /nonexistent/file: open failed with ENOENT',
  });
  assert.equal(
    codeOf(() => kernel.open('/dev/null', O.RDONLY | O.DIRECTORY)),
    'ENOTDIR',
  );
  assert.equal(
    codeOf(() => kernel.open('/proc/self/exe', O.RDONLY | O.NOFOLLOW)),
    'ELOOP',
  );
});

await point('a FIFO held open for both directions never ends and never breaks', () => {
  const path = join(dir, 'fifo');
  kernel.mkfifo(path, 0o600);
  const holder = kernel.open(path, O.RDWR | O.NONBLOCK);
  const buffer = new Uint8Array(16);
  for (const line of ['one', 'two']) {
    const writer = kernel.open(path, O.WRONLY | O.NONBLOCK);
    kernel.write(writer, bytes(line));
    kernel.close(writer);
    const reader = kernel.open(path, O.RDONLY | O.NONBLOCK);
    assert.equal(text(buffer, kernel.read(reader, buffer)), line);
    assert.equal(kernel.read(reader, buffer), null);
    kernel.close(reader);
  }
  assert.equal(kernel.fstatKind(holder), 'fifo');
  assert.equal(
    codeOf(() => kernel.mkfifo(path, 0o600)),
    'EEXIST',
  );
  kernel.close(holder);
});

await point('setAsync: a byte in a pipe raises SIGIO', async () => {
  const [reader, writer] = kernel.pipe(0);
  kernel.setAsync(reader, kernel.getpid());
  assert.ok(kernel.getFlags(reader) & O.NONBLOCK);
  const rung = signalled('SIGIO');
  kernel.write(writer, bytes('!'));
  await rung;
  assert.equal(kernel.read(reader, new Uint8Array(4)), 1);
  kernel.close(reader);
  kernel.close(writer);
});

await point('setAsync: a change seen by inotify raises SIGIO', async () => {
  const inotify = kernel.inotifyInit();
  kernel.setAsync(inotify, kernel.getpid());
  assert.ok(kernel.inotifyAdd(inotify, dir, IN.CREATE) > 0);
  const rung = signalled('SIGIO');
  writeFileSync(join(dir, 'bell'), '');
  await rung;
  kernel.close(inotify);
});

await point('epoll tells which descriptor is ready, and forgets one on request', () => {
  const epoll = kernel.epollCreate();
  const pipes = [kernel.pipe(O.NONBLOCK), kernel.pipe(O.NONBLOCK), kernel.pipe(O.NONBLOCK)];
  for (const [reader] of pipes) kernel.epollAdd(epoll, reader, EPOLL.IN);
  assert.deepEqual(kernel.epollWait(epoll, 0, 8), []);
  for (const [, writer] of pipes) kernel.write(writer, bytes('!'));
  const ready = kernel.epollWait(epoll, -1, 8).sort((a, b) => a.fd - b.fd);
  const readers = pipes.map(([reader]) => reader).sort((a, b) => a - b);
  assert.deepEqual(
    ready,
    readers.map((fd) => ({ fd, events: EPOLL.IN })),
  );
  assert.equal(kernel.epollWait(epoll, -1, 2).length, 2);
  for (const [reader] of pipes) kernel.epollRemove(epoll, reader);
  assert.deepEqual(kernel.epollWait(epoll, 0, 8), []);
  for (const fd of [epoll, ...pipes.flat()]) kernel.close(fd);
});

await point('inotify wakes epoll, and its events carry the number of the watch', () => {
  const epoll = kernel.epollCreate();
  const inotify = kernel.inotifyInit();
  const watch = kernel.inotifyAdd(inotify, dir, IN.CREATE);
  kernel.epollAdd(epoll, inotify, EPOLL.IN);
  writeFileSync(join(dir, 'born'), '');
  assert.equal(kernel.epollWait(epoll, -1, 1)[0]?.fd, inotify);
  const buffer = new Uint8Array(4096);
  assert.ok(Number(kernel.read(inotify, buffer)) > 16);
  const event = new DataView(buffer.buffer);
  assert.deepEqual([event.getInt32(0, true), event.getUint32(4, true)], [watch, IN.CREATE]);
  assert.equal(kernel.read(inotify, buffer), null);
  kernel.close(inotify);
  kernel.close(epoll);
});

await point('fstatKind and windowSize know what a descriptor is, and is not', () => {
  const kinds = ['/dev/null', dir, join(dir, 'new')].map((path) => {
    const fd = kernel.open(path, O.RDONLY);
    const seen = [kernel.fstatKind(fd), kernel.windowSize(fd)];
    kernel.close(fd);
    return seen;
  });
  assert.deepEqual(kinds, [
    ['char', null],
    ['directory', null],
    ['file', null],
  ]);
  const epoll = kernel.epollCreate();
  assert.equal(kernel.fstatKind(epoll), null);
  kernel.close(epoll);
});

await point('C3 a memfd holds what it was given and cannot change', () => {
  const content = crypto.getRandomValues(new Uint8Array(60_000));
  const parts = Array.from({ length: 10 }, () => content);
  const fd = kernel.memfd('state', Buffer.concat(parts));
  assert.match(readlinkSync(`/proc/self/fd/${fd}`), /memfd:state/);
  assert.ok(fdinfoFlags(fd) & O.CLOEXEC);
  assert.equal(
    codeOf(() => kernel.write(fd, bytes('x'))),
    'EPERM',
  );
  const again = `/proc/self/fd/${fd}`;
  assert.equal(
    codeOf(() => kernel.open(again, O.WRONLY | O.TRUNC)),
    'EPERM',
  );
  assert.deepEqual(Buffer.from(kernel.memfdRead(fd, 1e6)), Buffer.concat(parts));
  assert.equal(kernel.memfdRead(fd, 1e6).length, 600_000);
  assert.equal(kernel.memfdRead(fd, 10).length, 10);
  kernel.close(fd);
});

await point('text with a NUL is refused before the kernel sees half of it', () => {
  assert.throws(() => kernel.open('/dev/null\0.txt', O.RDONLY), TypeError);
});

rmSync(dir, { recursive: true });
done();
