/**
 * Lines that a client may send, most of them hostile: each is a request or a reason, never an
 * exception, and the reason names what is wrong.
 */
import t from 'tap';
import { checkParams, isMethod, isReadOnly, METHOD_NAMES } from '../../src/core/methods.ts';
import {
  type Decoded,
  decodeLine,
  EXIT,
  encodeError,
  encodeNotification,
  encodeRequest,
  encodeResult,
  FRAME_BYTES_MAX,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
  refusal,
} from '../../src/core/protocol.ts';
import { randomFrom } from './support/random.ts';

const frame = (method: unknown, params?: unknown, id: unknown = 1): string =>
  JSON.stringify({ jsonrpc: '2.0', id, method, params });
const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `s${i}`);
const start = (params: Record<string, unknown>): string => frame('start', params);

/** What is wrong, the line, the code, and what the message must say. */
const HOSTILE: readonly (readonly [string, string, number, RegExp])[] = [
  ['nothing', '', PARSE_ERROR, /not JSON/],
  ['blanks', '   ', PARSE_ERROR, /not JSON/],
  ['half a line', '{"jsonrpc":"2.0",', PARSE_ERROR, /not JSON/],
  ['NUL', '\0', PARSE_ERROR, /not JSON/],
  ['a number', '1', INVALID_REQUEST, /not a JSON object/],
  ['null', 'null', INVALID_REQUEST, /not a JSON object/],
  ['a batch', `[${frame('ls')}]`, INVALID_REQUEST, /batches are not served/],
  ['an empty object', '{}', INVALID_REQUEST, /jsonrpc is not "2.0"/],
  ['version 1', '{"jsonrpc":"1.0","id":1,"method":"ls"}', INVALID_REQUEST, /jsonrpc/],
  ['no method', '{"jsonrpc":"2.0","id":1}', INVALID_REQUEST, /method is not a string/],
  ['a method that is a list', frame(['ls']), INVALID_REQUEST, /method is not a string/],
  ['an id that is an object', frame('ls', {}, {}), INVALID_REQUEST, /id is neither/],
  ['an id that is true', frame('ls', {}, true), INVALID_REQUEST, /id is neither/],
  ['an endless id', '{"jsonrpc":"2.0","id":1e999,"method":"ls"}', INVALID_REQUEST, /id is neither/],
  ['a typo', frame('stats'), METHOD_NOT_FOUND, /no method "stats", did you mean 'status'\?/],
  ['no such method', frame('rm -rf /'), METHOD_NOT_FOUND, /^There is no method "rm -rf \/"$/],
  ['a method of objects', frame('__proto__'), METHOD_NOT_FOUND, /no method/],
  ['another one', frame('constructor'), METHOD_NOT_FOUND, /no method/],
  ['a very long method', frame('x'.repeat(60_000)), METHOD_NOT_FOUND, /^.{1,100}$/],
  ['params that are a list', frame('start', ['web']), INVALID_PARAMS, /start: names/],
  ['params that are text', frame('start', 'web'), INVALID_PARAMS, /start: params/],
  ['no names', start({ names: [] }), INVALID_PARAMS, /names/],
  ['an empty name', start({ names: [''] }), INVALID_PARAMS, /names\.0/],
  ['a name of 69', start({ names: ['x'.repeat(69)] }), INVALID_PARAMS, /names\.0/],
  ['a name that is null', start({ names: [null] }), INVALID_PARAMS, /names\.0/],
  ['1001 names', start({ names: names(1001) }), INVALID_PARAMS, /names/],
  ['an unknown key', start({ names: ['a'], now: true }), INVALID_PARAMS, /now/],
  ['a negative time', start({ names: ['a'], timeoutMs: -1 }), INVALID_PARAMS, /timeoutMs/],
  ['a year', start({ names: ['a'], timeoutMs: 3.2e10 }), INVALID_PARAMS, /timeoutMs/],
  ['text for a flag', start({ names: ['a'], wait: 'no' }), INVALID_PARAMS, /wait/],
  [
    'no such goal',
    frame('wait', { conditions: [{ name: 'a', goal: 'x' }] }),
    INVALID_PARAMS,
    /goal/,
  ],
  ['params where none are', frame('cancel', { force: true }), INVALID_PARAMS, /force/],
];

t.test('decodeLine() answers every hostile line with a reason', async (t) => {
  for (const [what, line, code, message] of HOSTILE) {
    const decoded = decodeLine(line);
    if (decoded.ok) t.fail(`${what} was taken for ${decoded.request.method}`);
    else t.match(decoded.error, { code, message, data: { exit: EXIT.usage } }, what);
  }
});

t.test('decodeLine() repeats the id where there is one', async (t) => {
  t.equal(decodeLine(frame('nope', {}, 'abc')).id, 'abc');
  t.equal(decodeLine(frame('nope', {}, 0)).id, 0);
  t.equal(decodeLine(frame('nope', {}, null)).id, null);
  t.equal(decodeLine('{"jsonrpc":"2.0","method":"ls"}').id, null);
});

t.test('decodeLine() is not impressed by depth', async (t) => {
  const depth = Math.floor(FRAME_BYTES_MAX / 2);
  t.match(decodeLine('['.repeat(FRAME_BYTES_MAX)), { ok: false });
  t.match(decodeLine('['.repeat(depth) + ']'.repeat(depth)), { ok: false });
  const deep = `${'{"a":'.repeat(10_000)}1${'}'.repeat(10_000)}`;
  const line = `{"jsonrpc":"2.0","id":1,"method":"ls","params":${deep}}`;
  t.match(decodeLine(line), { ok: false, error: { code: INVALID_PARAMS } });
});

t.test('C7 decodeLine() is not fooled by __proto__', async (t) => {
  const line = '{"jsonrpc":"2.0","id":1,"method":"ls","params":{"__proto__":{"names":["a"]}}}';
  t.match(decodeLine(line), { ok: false, error: { code: INVALID_PARAMS, message: /__proto__/ } });
  const frameless = '{"__proto__":{"jsonrpc":"2.0","id":1,"method":"ls"}}';
  t.match(decodeLine(frameless), { ok: false, error: { code: INVALID_REQUEST } });
  t.equal(({} as Record<string, unknown>)['names'], undefined);
});

t.test('decodeLine() takes what is right, and fills in what was left out', async (t) => {
  t.same(requestOf(decodeLine(frame('ls'))), { method: 'ls', params: { names: [] } });
  t.same(requestOf(decodeLine(frame('start', { names: ['a'] }))), {
    method: 'start',
    params: { names: ['a'], wait: true, timeoutMs: null, once: false },
  });
  t.same(requestOf(decodeLine(frame('scan', {}))), { method: 'scan', params: { prune: false } });
  t.ok(decodeLine(start({ names: names(1000) })).ok, 'a thousand names');
});

t.test('C1 decodeLine() never throws, whatever is done to a good line', async (t) => {
  const line = frame('stop', { names: ['web', 'db'], cascade: true, timeoutMs: 5 });
  for (let seed = 1; seed <= 5000; seed += 1) {
    const random = randomFrom(seed);
    const at = random.below(line.length);
    const junk = random.pick(['', '"', '{', '\\', '\0', '\u{1f600}', '1e400', 'null', '-']);
    const mangled = line.slice(0, at) + junk + line.slice(at + random.below(4));
    const decoded = decodeLine(mangled);
    if (!decoded.ok && decoded.error.message === '') t.fail(`seed ${seed}: no reason`);
  }
  t.pass('5000 lines');
});

t.test('the methods are a table that agrees with itself', async (t) => {
  t.ok(METHOD_NAMES.every((name) => isMethod(name)));
  const looking = ['version', 'ls', 'status', 'wait', 'watch', 'examine', 'shutdown'];
  t.same(METHOD_NAMES.filter(isReadOnly), looking);
  t.match(checkParams('reboot', undefined), { ok: true });
});

t.test('encode…() make one line each, that JSON-RPC understands', async (t) => {
  const lines = [
    encodeRequest(1, 'ls', { names: ['a\nb'] }),
    encodeResult('x', { a: 1 }),
    encodeError(null, refusal(EXIT.timeout, 'Time is up', 'Wait longer')),
    encodeNotification('progress', {}),
  ];
  for (const line of lines) {
    t.equal(line.indexOf('\n'), line.length - 1);
    t.match(JSON.parse(line), { jsonrpc: '2.0' });
  }
  t.match(JSON.parse(lines[2] ?? ''), {
    id: null,
    error: { code: -32_005, message: 'Time is up', data: { exit: 5, hint: 'Wait longer' } },
  });
  t.notOk('id' in JSON.parse(lines[3] ?? ''), 'a notification has no id');
});

function requestOf(decoded: Decoded): unknown {
  return decoded.ok ? decoded.request : decoded.error.message;
}
