/**
 * Control frames: bytes to lines to requests. However the bytes are cut, the lines are the same;
 * whatever a line says, it is a request or an error with a code, and answers with the id it had.
 */
import { METHOD_NAMES } from '../../../src/core/methods.ts';
import {
  type Decoded,
  decodeLine,
  encodeError,
  encodeRequest,
  FRAME_BYTES_MAX,
  INVALID_PARAMS,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  PARSE_ERROR,
} from '../../../src/core/protocol.ts';
import { type Line, LineReader } from '../../../src/supervisor/lines.ts';
import { type Random, randomFrom } from '../../core/support/random.ts';
import { bytesForm, concat, latin1, randomBytes, randomLength, utf8 } from '../bytes.ts';
import { nearlyRequest, REQUEST_WORDS, randomRequest } from '../requests.ts';
import { insist, insistSame, measured, shown, type Target } from '../target.ts';

const NAMES: readonly string[] = ['a', 'web', 'dé', '*', 'a?', 'x'.repeat(64)];
/** The words of an error that people read; what a client sent is not given back to it in full. */
const MESSAGE_CHARS_MAX = 400;
const CODES: ReadonlySet<number> = new Set([
  PARSE_ERROR,
  INVALID_REQUEST,
  METHOD_NOT_FOUND,
  INVALID_PARAMS,
]);

export const frames: Target<Uint8Array> = {
  name: 'frames',
  form: bytesForm([...REQUEST_WORDS, '{', '}', '[', ']', ',', ':', '"id":', '\\u0000', '\\ud800']),
  rounds: 1500,
  generate: (random) => concat(Array.from({ length: 1 + random.below(6) }, () => line(random))),
  run: (bytes) => {
    const wanted = referenceLines(bytes);
    for (const cuts of cutsOf(bytes)) {
      insistSame(linesOf(bytes, cuts), wanted, `the lines when cut at ${shown(cuts)}`);
    }
    for (const one of wanted) if (typeof one !== 'string') checkLine(one.text);
  },
};

function line(random: Random): Uint8Array {
  const id = random.pick([1, 0, -1, 1.5, 2 ** 53, 'a', '', '\ud800', 'ü', null]);
  const end = random.pick(['\n', '\n', '\n', '\n', '\r\n', '\n\n', '']);
  const dice = random.next();
  if (dice < 0.3) return utf8(JSON.stringify(randomRequest(random, id, NAMES)) + end);
  if (dice < 0.7) return utf8(JSON.stringify(nearlyRequest(random, id, NAMES)) + end);
  if (dice < 0.8) return concat([randomBytes(random, randomLength(random, 3000)), latin1(end)]);
  if (dice < 0.9) {
    const depth = randomLength(random, FRAME_BYTES_MAX);
    return latin1(random.pick(['[', '{"a":', '"', '\\', '{"id":1,', '[1,']).repeat(depth) + end);
  }
  const length = FRAME_BYTES_MAX + random.below(3) - 1;
  return latin1('x'.repeat(random.chance(0.3) ? length : random.below(200)) + end);
}

/** No cut, every cut, and some: where the bytes are few, each single one. */
function* cutsOf(bytes: Uint8Array): Iterable<readonly number[]> {
  yield [];
  if (bytes.length <= 4096) yield Array.from(bytes.keys()).slice(1);
  const random = randomFrom(bytes.length);
  for (let times = 3; times > 0; times -= 1) {
    const cuts = Array.from({ length: 1 + random.below(8) }, () => random.below(bytes.length + 1));
    yield cuts.sort((a, b) => a - b);
  }
  if (bytes.length <= 100) for (const at of bytes.keys()) yield [at];
}

function linesOf(bytes: Uint8Array, cuts: readonly number[]): Line[] {
  const reader = new LineReader(FRAME_BYTES_MAX);
  const lines: Line[] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    // A Buffer, as sockets give it, that is used again.
    const piece = Buffer.from(bytes.slice(from, to));
    lines.push(...measured(() => reader.push(piece)));
    piece.fill(0x21);
    from = to;
    const end = lines.indexOf('too long');
    if (end >= 0) return lines.slice(0, end + 1);
  }
  const last = bytes.lastIndexOf(0x0a);
  insist(reader.isEmpty() === (last + 1 === bytes.length), () => 'isEmpty() is wrong at the end');
  return lines;
}

function referenceLines(bytes: Uint8Array): Line[] {
  const decoder = new TextDecoder('utf-8', { fatal: true });
  const lines: Line[] = [];
  const text = Buffer.from(bytes).toString('latin1');
  const pieces = text.split('\n');
  for (const [i, piece] of pieces.entries()) {
    if (piece.length > FRAME_BYTES_MAX) return [...lines, 'too long'];
    if (i === pieces.length - 1) break;
    try {
      lines.push({ text: decoder.decode(latin1(piece)) });
    } catch {
      lines.push('not UTF-8');
    }
  }
  return lines;
}

function checkLine(text: string): void {
  const decoded = measured(() => decodeLine(text));
  insistSame(decoded.id, idOf(text), `the id of ${shown(text)}`);
  if (decoded.ok) checkRequest(decoded);
  else {
    const { code, message } = decoded.error;
    insist(CODES.has(code), () => `code ${code}`);
    insist(message !== '', () => 'an error without a message');
    insist(message.length <= MESSAGE_CHARS_MAX, () => `an error of ${message.length} characters`);
    const answer = encodeError(decoded.id, decoded.error);
    insist(answer.indexOf('\n') === answer.length - 1, () => 'the answer is not one line');
    insistSame(JSON.parse(answer).id, decoded.id, 'the id in the answer');
  }
}

/** The id that JSON-RPC has us answer with, read the plain way. */
function idOf(text: string): unknown {
  try {
    const { id } = JSON.parse(text) ?? {};
    const isArray = Array.isArray(JSON.parse(text));
    const good = typeof id === 'string' || (typeof id === 'number' && Number.isFinite(id));
    return good && !isArray ? id : null;
  } catch {
    return null;
  }
}

function checkRequest({ id, request }: Extract<Decoded, { ok: true }>): void {
  insist(METHOD_NAMES.includes(request.method), () => `method ${shown(request.method)}`);
  insistPlain(request.params);
  const again = decodeLine(encodeRequest(id, request.method, request.params).trimEnd());
  insist(again.ok, () => `what was accepted is refused: ${shown(request)}`);
  insistSame(again, { ok: true, id, request }, 'the request, said again');
}

/** Objects and arrays as they come from JSON, and nothing that poses as one. */
function insistPlain(value: unknown): void {
  if (typeof value !== 'object' || value === null) return;
  const prototype: unknown = Object.getPrototypeOf(value);
  const plain = prototype === null || prototype === Object.prototype;
  insist(plain || prototype === Array.prototype, () => 'params with a prototype of their own');
  for (const inner of Object.values(value)) insistPlain(inner);
}
