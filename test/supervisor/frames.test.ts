/** Whatever is written to the socket is answered or ends the connection, and svinit goes on. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start } from './instance.ts';

/** JSON-RPC 2.0, section 5.1. */
const PARSE_ERROR = -32_700;
const INVALID_REQUEST = -32_600;
const METHOD_NOT_FOUND = -32_601;
const INVALID_PARAMS = -32_602;
/** svinit's own: -32000 and svctl's exit code. */
const NO_SUCH_SERVICE = -32_004;

const FRAME_BYTES_MAX = 65_536;

/**
 * What is written, and the code of the error that answers it. Null: it is a request that is served.
 * 'ends': the error's code, and the connection ends with it. 'closed': the same, but the client is
 * still writing then and may not get to see the error.
 */
type Case = readonly [
  name: string,
  bytes: string | Uint8Array,
  code: number | null,
  then?: 'ends' | 'closed',
];

const request = (method: unknown, params?: unknown): string =>
  `${JSON.stringify({ jsonrpc: '2.0', id: 7, method, params })}\n`;
const started = (names: unknown): string => request('start', { names });
const status = (name: string): string => request('status', { names: [name] });
const wait = (goal: string, timeoutMs = 1): string =>
  request('wait', { conditions: [{ name: 'a', goal }], timeoutMs });
const bytes = (...values: readonly number[]): Uint8Array => new Uint8Array(values);

/** A request that is exactly `length` bytes long without its newline. */
function padded(length: number): string {
  const empty = request('ls', { names: [''] }).length - 1;
  return request('ls', { names: ['x'.repeat(length - empty)] });
}

const nested = (open: string, close: string, depth: number): string =>
  `{"jsonrpc":"2.0","id":7,"method":"ls","params":${open.repeat(depth)}1${close.repeat(depth)}}\n`;

const FRAME = '"jsonrpc":"2.0","id":7,"method"';

// biome-ignore format: read it as a table
const CASES: readonly Case[] = [
  ['an unknown method', request('reboott'), METHOD_NOT_FOUND],
  ['a method of every object', request('constructor'), METHOD_NOT_FOUND],
  ['a method __proto__', request('__proto__'), METHOD_NOT_FOUND],
  ['a huge method', request('a'.repeat(60_000)), METHOD_NOT_FOUND],
  ['a method that is no string', request(['ls']), INVALID_REQUEST],
  ['params too many', request('version', { more: 1 }), INVALID_PARAMS],
  ['params missing', request('start'), INVALID_PARAMS],
  ['params of a wrong type', started('a'), INVALID_PARAMS],
  ['params as an array', request('start', ['a']), INVALID_PARAMS],
  ['an empty name', started(['']), INVALID_PARAMS],
  ['a long name', started(['a'.repeat(69)]), INVALID_PARAMS],
  ['too many names', started(Array(1001).fill('a')), INVALID_PARAMS],
  ['a negative timeout', wait('up', -1), INVALID_PARAMS],
  ['an unknown goal', wait('__proto__'), INVALID_PARAMS],
  ['a name __proto__', status('__proto__'), NO_SUCH_SERVICE],
  ['a name that climbs', status('../../etc'), NO_SUCH_SERVICE],
  ['a pattern of stars', status(`${'*'.repeat(63)}x`), NO_SUCH_SERVICE],
  ['__proto__ in params', `{${FRAME}:"stop","params":{"__proto__":{}}}\n`, INVALID_PARAMS],
  ['__proto__ in the frame', `{"__proto__":{${FRAME}:"version"}}\n`, INVALID_REQUEST],
  ['another JSON-RPC', '{"jsonrpc":"1.0","id":7,"method":"version"}\n', INVALID_REQUEST],
  ['an id that is an object', '{"jsonrpc":"2.0","id":{},"method":"ls"}\n', INVALID_REQUEST],
  ['a batch', `[{${FRAME}:"version"}]\n`, INVALID_REQUEST],
  ['an empty object', '{}\n', INVALID_REQUEST],
  ['null', 'null\n', INVALID_REQUEST],
  ['a number', '1e999\n', INVALID_REQUEST],
  ['half an object', '{"jsonrpc":"2.0",\n', PARSE_ERROR],
  ['a request of HTTP', 'GET / HTTP/1.1\n', PARSE_ERROR],
  ['blanks', ' \t \n', PARSE_ERROR],
  ['NULs', bytes(0, 0, 0, 10), PARSE_ERROR],
  ['bytes that are no UTF-8', bytes(0x22, 0xff, 0xc0, 0x22, 10), PARSE_ERROR, 'ends'],
  ['half of a surrogate pair', bytes(0xed, 0xa0, 0x80, 10), PARSE_ERROR, 'ends'],
  ['arrays in arrays', nested('[', ']', 30_000), null],
  ['objects in objects', nested('{"a":', '}', 9_000), INVALID_PARAMS],
  ['empty lines, then a request', `\n\n\n${request('version')}`, null],
  ['a line as long as may be', padded(FRAME_BYTES_MAX), INVALID_PARAMS],
  ['a line one byte longer', padded(FRAME_BYTES_MAX + 1), INVALID_REQUEST, 'ends'],
  ['as many bytes and no end', 'x'.repeat(FRAME_BYTES_MAX + 1), INVALID_REQUEST, 'ends'],
  ['a mebibyte and no end', 'x'.repeat(2 ** 20), INVALID_REQUEST, 'closed'],
  ['a mebibyte of NULs', new Uint8Array(2 ** 20), INVALID_REQUEST, 'closed'],
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F16 C1 C7 bad frames`, async (t) => {
    const services = { a: longrun('a'), b: longrun('b') };
    const svinit = await start(t, { runtime, services });
    const before = await health(svinit);
    for (const one of CASES) {
      await t.test(one[0], async (t) => {
        await tryCase(t, svinit, one);
        await expectHealth(t, svinit, before);
      });
    }
    const after = [...(await svinit.services()).values()];
    t.match(
      after.map(({ state, restarts }) => ({ state, restarts })),
      Array(3).fill({ state: 'up', restarts: 0 }),
      'no service noticed',
    );
    t.equal(after.length, 3);
  });

  t.test(`${runtime}: many requests in one piece, and one in many`, async (t) => {
    const svinit = await start(t, { runtime });
    const peer = await svinit.dial();
    const ids = Array.from({ length: 100 }, (_, i) => i);
    peer.write(
      ids.map((id) => `${JSON.stringify({ jsonrpc: '2.0', id, method: 'version' })}\n`).join(''),
    );
    for (const id of ids) t.equal((await peer.reply())?.id, id);
    // Each byte by itself: a character of two bytes comes in two pieces.
    for (const byte of Buffer.from(request('status', { names: ['ü'] }))) {
      peer.write(bytes(byte));
      await new Promise((resolve) => setImmediate(resolve));
    }
    t.match(await peer.reply(), { id: 7, error: { message: /ü/ } });
    await peer.close();
  });
}

/** What of tap's `t` is needed. */
type Test = {
  match(found: unknown, wanted: object, ...[message]: [] | [string]): unknown;
  equal(found: unknown, wanted: unknown, ...[message]: [] | [string]): unknown;
  ok(found: unknown, ...[message]: [] | [string]): unknown;
};

async function tryCase(t: Test, svinit: Instance, [, frame, code, then]: Case): Promise<void> {
  const peer = await svinit.dial();
  peer.write(frame);
  const reply = await peer.reply();
  if (code === null) t.ok(reply, 'it is answered');
  else if (then !== 'closed' || reply !== null) {
    t.match(reply?.error ?? reply, { code, message: /./, data: { exit: Number } });
  }
  if (then === undefined) {
    t.match(await peer.ask('version'), { result: { image: 1 } }, 'the connection goes on');
    await peer.close();
  } else {
    await peer.closed();
    t.equal(await peer.reply(), null, 'the connection is closed');
  }
}
