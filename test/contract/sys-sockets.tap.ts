/** Contract of src/sys/sockets.ts. */
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { O } from '../../src/sys/constants.ts';
import { openSystem } from '../../src/sys/open.ts';
import { signalled } from './children.ts';
import { done, point } from './tap.ts';

const kernel = openSystem();
const dir = mkdtempSync(join(tmpdir(), 'svinit-sock-'));
const path = join(dir, 'control');
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);
const modeOf = (file: string): number => statSync(file).mode & 0o7777;

await point('a socket file has exactly the mode asked for, whatever the umask', () => {
  for (const [umask, mode] of [
    [0o022, 0o600],
    [0o077, 0o666],
    [0, 0o620],
  ] as const) {
    const before = kernel.umask(umask);
    const stream = join(dir, `stream-${mode}`);
    const dgram = join(dir, `dgram-${mode}`);
    const fds = [kernel.listenUnix(stream, mode, 1), kernel.listenUnixDgram(dgram, mode)];
    assert.deepEqual([modeOf(stream), modeOf(dgram)], [mode, mode]);
    assert.deepEqual(
      fds.map((fd) => kernel.fstatKind(fd)),
      ['socket', 'socket'],
    );
    assert.equal(kernel.umask(before), umask);
    for (const fd of fds) kernel.close(fd);
  }
});

await point('accept gives null, then a connection whose peer is known', () => {
  const listener = kernel.listenUnix(path, 0o600, 8);
  assert.equal(kernel.accept(listener), null);
  const client = kernel.connectUnix(path, 'stream');
  const served = kernel.accept(listener);
  assert.ok(served !== null);
  assert.equal(kernel.accept(listener), null);
  const gid = process.getegid?.();
  assert.deepEqual(kernel.peerCredentials(served), {
    pid: kernel.getpid(),
    uid: kernel.geteuid(),
    gid,
  });
  for (const fd of [listener, client, served]) kernel.close(fd);
  rmSync(path);
});

await point('both ways, until each side says that it is done', () => {
  const listener = kernel.listenUnix(path, 0o600, 8);
  const client = kernel.connectUnix(path, 'stream');
  const served = kernel.accept(listener);
  assert.ok(served !== null);
  const buffer = new Uint8Array(16);
  assert.equal(kernel.write(client, bytes('ask')), 3);
  kernel.shutdownWrite(client);
  assert.equal(kernel.read(served, buffer), 3);
  assert.equal(kernel.read(served, buffer), 0);
  assert.equal(kernel.read(client, buffer), null);
  assert.equal(kernel.write(served, bytes('answer')), 6);
  assert.equal(kernel.read(client, buffer), 6);
  assert.throws(() => kernel.write(client, bytes('more')), { code: 'EPIPE' });
  for (const fd of [listener, client, served]) kernel.close(fd);
  rmSync(path);
});

await point('a connection raises SIGIO on a listener set to signal', async () => {
  const listener = kernel.listenUnix(path, 0o600, 8);
  kernel.setAsync(listener, kernel.getpid());
  const rung = signalled('SIGIO');
  const client = kernel.connectUnix(path, 'stream');
  await rung;
  const served = kernel.accept(listener);
  assert.ok(served !== null);
  for (const fd of [listener, client, served]) kernel.close(fd);
  rmSync(path);
});

await point('datagrams arrive one by one', () => {
  const receiver = kernel.listenUnixDgram(path, 0o600);
  const sender = kernel.connectUnix(path, 'dgram');
  for (const text of ['READY=1', 'STOPPING=1']) kernel.write(sender, bytes(text));
  const buffer = new Uint8Array(64);
  assert.equal(kernel.read(receiver, buffer), 7);
  assert.equal(kernel.read(receiver, buffer), 10);
  assert.equal(kernel.read(receiver, buffer), null);
  kernel.close(receiver);
  kernel.close(sender);
  rmSync(path);
});

await point('an address in use, gone or too long is named as such', () => {
  const listener = kernel.listenUnix(path, 0o600, 8);
  assert.throws(() => kernel.listenUnix(path, 0o600, 8), {
    message: `Cannot listen on ${path}: bind failed with EADDRINUSE`,
  });
  kernel.close(listener);
  assert.throws(() => kernel.connectUnix(path, 'stream'), { code: 'ECONNREFUSED' });
  rmSync(path);
  assert.throws(() => kernel.connectUnix(path, 'stream'), { code: 'ENOENT' });
  const long = `/tmp/${'ü'.repeat(60)}`;
  assert.throws(() => kernel.listenUnix(long, 0o600, 8), {
    code: 'ENAMETOOLONG',
    message: /125 b/,
  });
  const longest = join(dir, 'x'.repeat(107 - dir.length - 1));
  kernel.close(kernel.listenUnix(longest, 0o600, 8));
  assert.ok(statSync(longest).isSocket());
});

await point('announcements of devices are listened to without waiting', () => {
  const fd = kernel.listenUevents();
  assert.equal(kernel.fstatKind(fd), 'socket');
  const message = kernel.receiveUevent(fd, new Uint8Array(new ArrayBuffer(16384)));
  // A device of this machine may have come just now.
  assert.ok(message === null || new TextDecoder().decode(message as Uint8Array).includes('@/'));
  kernel.close(fd);
});

await point('a message tells who sent it, and brings descriptors along', () => {
  const socket = kernel.listenUnixDgram(path, 0o600);
  kernel.passCredentials(socket);
  const client = kernel.connectUnix(path, 'dgram');
  const [end, passed] = kernel.pipe(O.NONBLOCK);
  const buffer = new Uint8Array(new ArrayBuffer(8));
  assert.equal(kernel.receiveMessage(socket, buffer), null);
  kernel.sendMessage(client, bytes('READY=1'), []);
  kernel.sendMessage(client, bytes('longer than that'), [passed, end]);
  kernel.close(passed);
  const first = kernel.receiveMessage(socket, buffer);
  const sender = { pid: kernel.getpid(), uid: kernel.geteuid() };
  assert.equal(new TextDecoder().decode(first?.bytes), 'READY=1');
  assert.deepEqual([first?.sender, first?.fds, first?.isCut], [sender, [], false]);
  const second = kernel.receiveMessage(socket, buffer);
  assert.equal(new TextDecoder().decode(second?.bytes), 'longer t');
  assert.deepEqual([second?.sender, second?.fds.length, second?.isCut], [sender, 2, true]);
  const one = new Uint8Array(new ArrayBuffer(1));
  assert.equal(kernel.read(end, one), null, 'the other end lives on in the message');
  for (const fd of second?.fds ?? []) kernel.close(fd);
  assert.equal(kernel.read(end, one), 0);
  kernel.close(socket);
  const gone = { name: 'SysError', code: 'ECONNREFUSED' };
  assert.throws(() => kernel.sendMessage(client, bytes('x'), []), gone);
  for (const fd of [client, end]) kernel.close(fd);
  rmSync(path);
});

await point(
  'a socket for a service listens where it is told, blocks, and is named in errors',
  () => {
    const plain = { type: 'stream', backlog: 1, mode: 0o640 } as const;
    const options = { ...plain, reusePort: false, freeBind: true, v6only: false };
    const door = join(dir, 'door');
    // Any port of 127/8 that is not taken: nothing here is reached over it.
    const inet = { family: 'inet', bytes: [127, 1, 2, 3], port: 39_157 } as const;
    const stream = kernel.listenAt({ family: 'unix', path: door }, options);
    assert.equal(modeOf(door), 0o640);
    const fds = [
      stream,
      kernel.listenAt(
        { family: 'unix', path: '@svinit-contract' },
        { ...options, type: 'seqpacket' },
      ),
      kernel.listenAt(inet, options),
      kernel.listenAt(inet, { ...options, type: 'dgram' }),
    ];
    for (const fd of fds) {
      assert.equal(kernel.fstatKind(fd), 'socket');
      assert.equal(kernel.getFlags(fd) & O.NONBLOCK, 0);
    }
    assert.throws(() => kernel.listenAt(inet, options), {
      message: 'Cannot listen on 127.1.2.3:39157: bind failed with EADDRINUSE',
    });
    assert.throws(() => kernel.listenAt({ family: 'unix', path: join(dir, 'no/door') }, options), {
      message: `Cannot listen on ${join(dir, 'no/door')}: bind failed with ENOENT`,
    });
    const client = kernel.connectUnix(door, 'stream');
    kernel.setAsync(stream, kernel.getpid());
    assert.notEqual(kernel.getFlags(stream) & O.ASYNC, 0);
    kernel.setBlocking(stream);
    assert.equal(kernel.getFlags(stream) & (O.NONBLOCK | O.ASYNC), 0);
    for (const fd of [...fds, client]) kernel.close(fd);
  },
);

rmSync(dir, { recursive: true });
done();
