/**
 * Inputs that are bytes: random ones, mutations, smaller ones, and their files. A target gives the
 * words of its language, which mutations put in.
 */
import type { Random } from '../core/support/random.ts';
import { pieces } from './shrink.ts';
import type { CorpusFile, Form } from './target.ts';

/** Inputs never grow beyond this, so that mutations of mutations stay quick. */
export const BYTES_MAX: number = 160 * 1024;

export function bytesForm(words: readonly string[]): Form<Uint8Array> {
  const tokens = [...words, ...NASTY].map((word) => Buffer.from(word, 'latin1'));
  return {
    write: writeBytes,
    read: readBytes,
    mutate: (random, input) => mutateBytes(random, input, tokens),
    simpler: simplerBytes,
    size: (input) => input.length,
  };
}

/** Bytes of which each is one of `alphabet`; of any kind without it. */
export function randomBytes(random: Random, length: number, alphabet?: string): Uint8Array {
  const draw = (): number =>
    alphabet === undefined ? random.below(256) : alphabet.charCodeAt(random.below(alphabet.length));
  return Uint8Array.from({ length }, draw);
}

/** Mostly short, sometimes around a power of two, seldom the whole of `max`. */
export function randomLength(random: Random, max: number): number {
  const dice = random.next();
  if (dice < 0.6) return random.below(Math.min(max, 40));
  if (dice < 0.9) return random.below(Math.min(max, 1000));
  if (dice < 0.96) return Math.min(max, 2 ** random.below(17) + random.below(3) - 1);
  return random.below(max + 1);
}

/** A plain array, never a Buffer: `slice` of a Buffer is no copy. */
export function concat(parts: readonly Uint8Array[]): Uint8Array {
  return new Uint8Array(Buffer.concat(parts));
}

/** Bytes of the text, one for each of its characters. */
export const latin1 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'latin1'));
export const utf8 = (text: string): Uint8Array => new Uint8Array(Buffer.from(text, 'utf8'));

/** What has broken programs before, whatever they read. */
const NASTY: readonly string[] = [
  '\0',
  '\n',
  '\r\n',
  '\t',
  '\x7f',
  '\x1b[2J',
  '\xff',
  '\xc0\x80',
  '\xed\xa0\x80',
  '\xf4\x90\x80\x80',
  '\xe2\x80\xae',
  '\xe2\x80\xa8',
  '\xc2\x85',
  '\xc2\xa0',
  '\xef\xbb\xbf',
  '__proto__',
  'constructor',
  '../',
  '%s%n',
  '-1',
  '0',
  '4294967296',
  '1e999',
  '"',
  "'",
  '\\',
];

function mutateBytes(random: Random, input: Uint8Array, tokens: readonly Uint8Array[]): Uint8Array {
  let bytes = input;
  for (let changes = 1 + random.below(4); changes > 0; changes -= 1) {
    const from = random.below(bytes.length + 1);
    const to = Math.min(bytes.length, from + 1 + randomLength(random, 200));
    const put = (middle: Uint8Array, end = from): Uint8Array =>
      concat([bytes.subarray(0, from), middle, bytes.subarray(end)]);
    const dice = random.below(8);
    if (dice === 0) bytes = put(new Uint8Array(), to);
    else if (dice === 1) bytes = put(random.pick(tokens));
    else if (dice === 2) bytes = put(random.pick(tokens), to);
    else if (dice === 3) bytes = put(bytes.slice(from, to));
    else if (dice === 4) bytes = put(flipped(random, bytes.slice(from, from + 1)), from + 1);
    else if (dice === 5) bytes = put(randomBytes(random, 1), from + 1);
    else if (dice === 6) bytes = bytes.subarray(0, random.chance(0.3) ? from : bytes.length);
    else bytes = put(new Uint8Array(randomLength(random, 70_000)).fill(bytes[from] ?? 0x61));
  }
  return bytes.slice(0, BYTES_MAX);
}

function flipped(random: Random, bytes: Uint8Array): Uint8Array {
  return bytes.map((byte) => byte ^ (1 << random.below(8)));
}

/** Without some of the bytes; then with plain ones in their place. */
function* simplerBytes(input: Uint8Array): Iterable<Uint8Array> {
  for (const [from, to] of pieces(input.length)) {
    yield concat([input.subarray(0, from), input.subarray(to)]);
  }
  for (const [at, byte] of input.entries()) {
    if (byte === A) continue;
    const plainer = input.slice();
    plainer[at] = A;
    yield plainer;
  }
}

const A = 0x61;

function writeBytes(input: Uint8Array): CorpusFile {
  if (input.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a)) {
    return { extension: 'txt', text: Buffer.from(input).toString('latin1') };
  }
  const hex = Buffer.from(input).toString('hex');
  return { extension: 'hex', text: hex.replace(/.{1,64}/g, '$&\n') };
}

function readBytes({ extension, text }: CorpusFile): Uint8Array {
  if (extension === 'txt') return utf8(text);
  return new Uint8Array(Buffer.from(text.replace(/\s+/g, ''), 'hex'));
}
