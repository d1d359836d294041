/** What definitions say of sockets and of descriptors that are left; addresses, as people write them. */
import t from 'tap';
import { parseStoreWords } from '../../src/core/fd-store.ts';
import { parseSocketAddress } from '../../src/core/socket-address.ts';
import { good, refusals, withJson } from './spec-texts.ts';

const json = (value: unknown) => withJson(JSON.stringify(value));
const inet = (bytes: readonly number[], port: number) => ({ family: 'inet', bytes, port });
const six = (...ends: readonly [number, number][]) => {
  const bytes = Array<number>(16).fill(0);
  for (const [at, byte] of ends) bytes[at] = byte;
  return bytes;
};

t.test('addresses', async (t) => {
  t.same(parseSocketAddress('80'), inet(six(), 80));
  t.same(parseSocketAddress('*:80'), inet(six(), 80));
  t.same(parseSocketAddress('127.0.0.1:8080'), inet([127, 0, 0, 1], 8080));
  t.same(parseSocketAddress('[::]:53'), inet(six(), 53));
  t.same(parseSocketAddress('[::1]:53'), inet(six([15, 1]), 53));
  t.same(parseSocketAddress('[fe80::]:1'), inet(six([0, 0xfe], [1, 0x80]), 1));
  t.same(parseSocketAddress('[1:2:3:4:5:6:7:8]:65535'), {
    ...inet([0, 1, 0, 2, 0, 3, 0, 4, 0, 5, 0, 6, 0, 7, 0, 8], 65_535),
  });
  const mapped = six([10, 255], [11, 255], [12, 10], [15, 1]);
  t.same(parseSocketAddress('[::ffff:10.0.0.1]:9'), inet(mapped, 9));
  t.same(parseSocketAddress('/run/a.sock'), { family: 'unix', path: '/run/a.sock' });
  t.same(parseSocketAddress('@bus'), { family: 'unix', path: '@bus' });
});

t.test('what is no address is told', async (t) => {
  const wrong: Readonly<Record<string, RegExp>> = {
    '': /no port/,
    http: /no port/,
    '0': /no port/,
    '127.0.0.1:65536': /no port/,
    '127.0.0.1:0x50': /no port/,
    'localhost:80': /no literal IPv4/,
    '127.0.0.01:80': /no literal IPv4/,
    '1.2.3:80': /no literal IPv4/,
    '256.0.0.1:80': /no literal IPv4/,
    '::1:80': /without \[ \]/,
    '[::1]': /no port/,
    '[1::2::3]:80': /no literal IPv6/,
    '[1:2:3:4:5:6:7]:80': /no literal IPv6/,
    '[1:2:3:4:5:6:7:8:9]:80': /no literal IPv6/,
    '[1:2:3:4::5:6:7:8]:80': /no literal IPv6/,
    '[fe80::1%eth0]:80': /no literal IPv6/,
    '[1.2.3.4::]:80': /no literal IPv6/,
    '/': /names no socket/,
    '/run/': /names no socket/,
    '@': /names no socket/,
    '/run/../etc/s': /'\.'/,
    [`/${'x'.repeat(107)}`]: /108 bytes/,
  };
  for (const [text, reason] of Object.entries(wrong)) {
    t.match(parseSocketAddress(text), reason, text);
  }
});

t.test('a definition with sockets', async (t) => {
  const { sockets, fdStoreMax, lazy } = good(
    json({
      sockets: [
        { listen: '80', name: 'http', freeBind: true },
        { listen: '/run/web', type: 'dgram', mode: '0600', user: 'www', group: '33' },
      ],
      fdStoreMax: 5,
      lazy: true,
    }),
  );
  const plain = { backlog: 4096, reusePort: false, v6only: false };
  t.same(sockets, [
    { listen: '80', type: 'stream', name: 'http', mode: 0o666, ...plain, freeBind: true },
    {
      ...{ listen: '/run/web', type: 'dgram', name: 'web', mode: 0o600 },
      ...{ user: 'www', group: '33', ...plain, freeBind: false },
    },
  ]);
  t.same([fdStoreMax, lazy], [5, true]);
  t.equal(good(json({ sockets: [], fdStoreMax: 0, lazy: false })).sockets, undefined);
});

t.test('what cannot be is refused, with its line', async (t) => {
  const one = (socket: unknown) => refusals(json({ sockets: [socket] }));
  t.same(refusals(json({ sockets: {} })), [
    'service.json:1: sockets: expected an array of sockets, found an object',
  ]);
  t.match(one({}), [/listen/]);
  t.match(one('80'), [/sockets\.0: /]);
  t.same(one({ listen: 'localhost:80' }), [
    "service.json:1: sockets.0.listen: 'localhost:80' is no literal IPv4 address",
  ]);
  t.same(one({ listen: '80', lisen: 1 }), [
    "service.json:1: unknown key 'sockets.0.lisen', did you mean 'listen'?",
  ]);
  t.match(one({ listen: '80', type: 'raw' }), [/expected stream, dgram or seqpacket, found 'raw'/]);
  t.match(one({ listen: '80', name: 'a:b' }), [/without a blank or ':'/]);
  t.match(one({ listen: '80', backlog: 0 }), [/a whole number from 1 to 65535, found 0/]);
  t.match(one({ listen: '/a', mode: '999' }), [/octal digits such as "0660", found '999'/]);
  t.match(one({ listen: '80', mode: '0600' }), [/'mode' is for a socket that is a file/]);
  t.match(one({ listen: '@a', user: 'x' }), [/'user' is for a socket that is a file/]);
  t.match(one({ listen: '/a', user: 'a b' }), [/the name or number of a user/]);
  t.match(one({ listen: '/a', reusePort: true }), [/'reusePort' is for an internet address/]);
  t.match(one({ listen: '1.2.3.4:5', v6only: true }), [/'v6only' is for an IPv6 address/]);
  t.match(one({ listen: '80', type: 'seqpacket' }), [/seqpacket is for paths and names/]);
  t.match(one({ listen: '80', type: 'dgram', backlog: 1 }), [/a dgram socket has no backlog/]);
  t.match(refusals(json({ sockets: [{ listen: '80' }, { listen: '80' }] })), [
    /'80' is there twice/,
  ]);
  t.match(refusals(json({ sockets: Array(65).fill({ listen: '80' }) })), [/at most 64/]);
  t.match(refusals(json({ lazy: true })), [/'lazy' needs 'sockets'/]);
  t.match(refusals(json({ lazy: true, essential: true, sockets: [{ listen: '80' }] })), [
    /exclude/,
  ]);
  t.match(refusals(json({ fdStoreMax: 513 })), [/a whole number from 0 to 512, found 513/]);
  const fd = { ready: { fd: 4 }, sockets: [{ listen: '80' }], fdStoreMax: 1 };
  t.match(refusals(json(fd)), [/notification-fd is 4, and 3 to 4 are those of sockets/]);
  t.ok(good(json({ ...fd, fdStoreMax: 0 })), 'the first that is free');
  const oneshot = { type: 'oneshot\n', up: '#!/bin/sh\n' };
  const files = { ...oneshot, 'service.json': JSON.stringify({ sockets: [{ listen: '80' }] }) };
  t.match(refusals(files), [/a oneshot has no 'sockets'/]);
});

t.test('words about descriptors', async (t) => {
  t.equal(parseStoreWords('READY=1'), null);
  t.same(parseStoreWords('FDSTORE=1'), { do: 'store', name: 'stored', isPolled: true });
  t.same(parseStoreWords('FDSTORE=1\nFDNAME=a b\nFDPOLL=0'), {
    ...{ do: 'store', name: 'a b', isPolled: false },
  });
  for (const name of ['a:b', 'a\tb', 'x'.repeat(256), '']) {
    t.match(parseStoreWords(`FDNAME=${name}\nFDSTORE=1`), { name: 'stored' }, name);
  }
  t.same(parseStoreWords('FDSTOREREMOVE=1\nFDNAME=a'), { do: 'remove', name: 'a' });
  t.equal(parseStoreWords('FDSTOREREMOVE=1'), null, 'nobody knows which');
  t.equal(parseStoreWords('FDSTORE=yes'), null);
});
