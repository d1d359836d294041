import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { chownSync, lchownSync, mkdirSync, rmSync, symlinkSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { type Client, connect, READ_ONLY } from '../../src/cli/client.ts';
import { EXIT, Failure } from '../../src/cli/failure.ts';
import { doors } from '../../src/cli/sockets.ts';
import { isReadOnly, METHOD_NAMES } from '../../src/core/methods.ts';
import { EXIT as WIRE_EXIT } from '../../src/core/protocol.ts';
import { type Fake, fake, listing, svctl, type Test, temporaryDirectory, view } from './fake.ts';

async function clientOf(t: Test, { run }: Fake): Promise<Client> {
  const client = await connect({ run });
  t.teardown(() => client.close());
  return client;
}

/** What `promise` was refused with. */
async function failureOf(promise: Promise<unknown>): Promise<Failure> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof Failure) return error;
    throw error;
  }
  throw new TypeError('It did not fail');
}

const VERSION = { version: '1', runtime: 'r', pid: 1, uptimeMs: 1, target: 'd', image: 1 };

t.test('the tables copied from core are the same as there', async (t) => {
  t.strictSame(EXIT, { ...WIRE_EXIT });
  t.strictSame(Object.keys(READ_ONLY).sort(), [...METHOD_NAMES].sort());
  for (const method of METHOD_NAMES) t.equal(READ_ONLY[method], isReadOnly(method), method);
});

t.test('request() puts a reply together wherever the stream cut it', async (t) => {
  const reply = Buffer.from(
    `${JSON.stringify({ jsonrpc: '2.0', id: 1, result: listing(view('wéb→')) })}\n`,
  );
  // One byte at a time, so that characters are cut too; each is sent when the last has arrived.
  const server = await fake(t, (_, answer) => {
    const send = (at: number): void => {
      if (at >= reply.length) return;
      answer.raw(reply.subarray(at, at + 1));
      setImmediate(() => send(at + 1));
    };
    send(0);
  });
  const client = await clientOf(t, server);
  const { services } = await client.request('ls', { names: [] });
  t.equal(services[0]?.name, 'wéb→');
});

t.test('several requests are answered in any order, in one piece', async (t) => {
  const ids: number[] = [];
  const server = await fake(t, ({ id }, answer) => {
    ids.push(id);
    if (ids.length < 3) return;
    const lines = ids.map(
      (one) => `${JSON.stringify({ jsonrpc: '2.0', id: one, result: { ...VERSION, pid: one } })}\n`,
    );
    answer.raw(lines.reverse().join(''));
  });
  const client = await clientOf(t, server);
  const ask = (): Promise<{ pid: number }> => client.request('version', {});
  const pids = await Promise.all([ask(), ask(), ask()]);
  t.strictSame(
    pids.map(({ pid }) => pid),
    ids,
  );
  t.strictSame(
    server.asked.map(({ connection }) => connection),
    [1, 1, 1],
  );
});

t.test('answers and progress of nobody are passed over', async (t) => {
  const server = await fake(t, (_, answer) => {
    answer.raw('{"jsonrpc":"2.0","id":99,"result":{}}\n');
    answer.raw('{"jsonrpc":"2.0","method":"progress","params":{"id":99,"name":"x"}}\n');
    answer.raw('{"jsonrpc":"2.0","method":"event","params":null}\n');
    answer.progress('db', 'starting', '');
    answer.result(VERSION);
  });
  const client = await clientOf(t, server);
  const heard: string[] = [];
  const onProgress = ({ name }: { name: string }): void => void heard.push(name);
  t.equal((await client.request('version', {}, { onProgress })).pid, 1);
  t.strictSame(heard, ['db']);
});

t.test('a connection closed without an answer is made again, once', async (t) => {
  await t.test('and the second answer counts', async (t) => {
    const server = await fake(t, ({ connection }, answer) => {
      if (connection === 1) answer.close();
      else answer.result(VERSION);
    });
    const client = await clientOf(t, server);
    const both = await Promise.all([client.request('version', {}), client.request('version', {})]);
    t.equal(both.length, 2);
    t.ok(
      server.asked.every(({ connection }) => connection <= 2),
      'both share the new connection',
    );
  });
  await t.test('in the middle of a reply', async (t) => {
    const server = await fake(t, ({ connection }, answer) => {
      if (connection > 1) return answer.result(VERSION);
      answer.raw('{"jsonrpc":"2.0","id":1,"res');
      answer.close();
    });
    const client = await clientOf(t, server);
    t.equal((await client.request('version', {})).pid, 1);
  });
  await t.test('and not a third time', async (t) => {
    const server = await fake(t, (_, answer) => answer.close());
    const client = await clientOf(t, server);
    const failure = await failureOf(client.request('version', {}));
    t.match(failure, { exit: EXIT.unreachable, message: /closed it|closed the connection/ });
    t.equal(server.asked.length, 2);
  });
});

t.test('what a death of svinit lost is asked again, and svctl ends with its answer', async (t) => {
  // The first connection stays open, as that of an image that goes on after a death does.
  const server = await fake(t, ({ connection }, answer) => {
    if (connection > 1) return answer.result(VERSION);
    answer.raw('{"jsonrpc":"2.0","method":"revived","params":{"image":2,"pending":[]}}\n');
  });
  const { exit } = await svctl(['version', '--json'], { env: { SVINIT_RUN: server.run } });
  t.equal(exit, 0);
  t.strictSame(
    server.asked.map(({ connection }) => connection),
    [1, 2],
  );
});

t.test('an error of svinit keeps its exit code, message and hint', async (t) => {
  const server = await fake(t, (_, answer) => answer.error(4, 'No such', 'Did you mean web?'));
  const client = await clientOf(t, server);
  const failure = await failureOf(client.request('status', { names: ['x'] }));
  t.match(failure, { exit: 4, message: 'No such', hint: 'Did you mean web?', code: -32_004 });
});

t.test('errors that are not quite as they should be still end the request', async (t) => {
  const frames: readonly (readonly [string, number])[] = [
    ['{"jsonrpc":"2.0","id":1,"error":{"message":5}}', EXIT.failed],
    ['{"jsonrpc":"2.0","id":1,"error":{"message":"m","data":{"exit":0}}}', EXIT.failed],
    ['{"jsonrpc":"2.0","id":null,"error":{"message":"too many","data":{"exit":1}}}', EXIT.failed],
    ['{"jsonrpc":"2.0","id":1}', EXIT.unreachable],
    ['{"jsonrpc":"2.0","id":1,"result":7}', EXIT.failed],
    ['{"jsonrpc":"2.0","id":1,"result":{"services":{}}}', EXIT.failed],
    ['HTTP/1.1 400 Bad Request', EXIT.unreachable],
    ['7', EXIT.unreachable],
    ['', EXIT.unreachable],
  ];
  for (const [frame, exit] of frames) {
    await t.test(JSON.stringify(frame), async (t) => {
      const server = await fake(t, (_, answer) => answer.raw(`${frame}\n`));
      const client = await clientOf(t, server);
      t.equal((await failureOf(client.request('status', { names: ['x'] }))).exit, exit);
    });
  }
});

t.test('a server that never answers is given up', async (t) => {
  const server = await fake(t, () => {});
  const client = await clientOf(t, server);
  const failure = await failureOf(client.request('version', {}, { withinMs: 20 }));
  t.match(failure, {
    exit: EXIT.timeout,
    message: 'Cannot version: svinit did not answer within 20 ms',
  });
});

t.test('doors() trusts a directory that others may create only when it is ours', async (t) => {
  // Nobody has this uid, so nobody's svinit can be in the way.
  const uid = 3_999_999_999;
  const paths = (): string[] => doors({ socket: null, run: null, uid }).map(({ path }) => path);
  const usual = ['/run/svinit/control', '/run/svinit/status'];
  const directory = `/tmp/svinit-${uid}`;
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  t.strictSame(paths(), usual, 'it is not there');
  mkdirSync(directory);
  t.strictSame(paths(), usual, 'it is of another user');
  if (process.getuid?.() === 0) {
    chownSync(directory, uid, 0);
    t.strictSame(paths(), [...usual, `${directory}/control`, `${directory}/status`]);
  }
  rmSync(directory, { recursive: true });
  symlinkSync('/tmp', directory);
  if (process.getuid?.() === 0) lchownSync(directory, uid, 0);
  t.strictSame(paths(), usual, 'it is no directory');
  t.strictSame(doors({ socket: '/x', run: '/y', uid }), [{ path: '/x', readOnly: false }]);
});

t.test('the status socket serves questions when there is no control socket', async (t) => {
  const server = await fake(t, (_, answer) => answer.result(VERSION), 'status');
  const client = await clientOf(t, server);
  t.ok(client.readOnly);
  t.equal((await client.request('version', {})).pid, 1);
  const failure = await failureOf(client.request('reexec', { binary: null }));
  t.match(failure, { exit: EXIT.unreachable, message: /control: connect failed with ENOENT/ });
  t.equal(server.asked.length, 1, 'it is not even asked');
});

t.test('a permission problem is told before anything else', async (t) => {
  const run = join(temporaryDirectory(t), 'closed');
  mkdirSync(run, { mode: 0 });
  // Root may connect everywhere, so root's test is run as nobody.
  const uid = process.getuid?.() === 0 ? 65_534 : undefined;
  const ran = await svctl(['start', 'web'], { env: { SVINIT_RUN: run }, uid });
  t.match(ran, { exit: EXIT.permission, out: '' });
  t.match(ran.err, /^svctl: Cannot reach svinit at .*control: connect failed with EACCES\n/);
});

t.test('a socket that comes back a little later is found again', async (t) => {
  const run = temporaryDirectory(t);
  const path = join(run, 'control');
  const first = createServer((socket) => {
    socket.on('error', () => {});
    socket.on('data', () => {
      // Closing a server removes its path.
      first.close();
      socket.destroy();
    });
  });
  await new Promise<void>((resolve) => first.listen(path, resolve));
  const client = await connect({ run });
  t.teardown(() => client.close());

  const second = createServer((socket) => {
    socket.on('data', () => socket.write(`${JSON.stringify({ id: 1, result: VERSION })}\n`));
    t.teardown(() => socket.destroy());
  });
  t.teardown(() => second.close());
  let looked = 0;
  const onSocket = (message: unknown): void => {
    const { socket } = message as { socket: Socket };
    socket.once('error', () => {
      looked += 1;
      second.listen(path);
      unsubscribe('net.client.socket', onSocket);
    });
  };
  subscribe('net.client.socket', onSocket);
  t.equal((await client.request('version', {})).pid, 1);
  t.equal(looked, 1, 'it was not there at first');
});
