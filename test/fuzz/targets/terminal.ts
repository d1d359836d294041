/**
 * Text on its way to a terminal: nothing that comes out can act on one, escaping it again changes
 * nothing, and what was harmless is as it was.
 */
import {
  decodeUtf8,
  escapeForTerminal,
  parseRecord,
  renderJsonLine,
} from '../../../src/core/logline.ts';
import { printable } from '../../../src/core/names.ts';
import { bytesForm, concat, randomBytes, randomLength, utf8 } from '../bytes.ts';
import { insist, measured, shown, type Target } from '../target.ts';

/**
 * C0, DEL, C1; Bidi_Control and line separators of Unicode (PropList.txt); halves of surrogate
 * pairs, which are no text.
 */
const ACTS = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ud800-\udfff]/u;

/** `\u{10ffff}` for a character of one unit would be the longest; a tab is at most eight blanks. */
const GROWTH_MAX = 10;

const WORDS: readonly string[] = [
  ...['\x1b[31m', '\x1b]0;x\x07', '\x9b2J', '\xc2\x9b', '\r', '\t', '\b', '\x7f', '\\x1b', '\\u{'],
  ...['\xd8\x9c', '\xe2\x80\x8e', '\xe2\x80\xa8', '\xe2\x80\xae', '\xe2\x81\xa6', '\xe2\x81\xa9'],
  ...['\xef\xbb\xbf', '\xf0\x9f\x98\x80', '\xf4\x8f\xbf\xbf', '\xf4\x90\x80\x80', '\xc0\xaf'],
  ...['\xe0\x80\xaf', '\xed\xa0\x80', '\xf8\x88\x80\x80\x80', '\xe2\x80', '\xf0\x9f', '\x80'],
  ...['{"level":30,"msg":"a"}', '"msg":', '"level":50', '"error":{"message":', '\\u202e', '\\n'],
];

export const terminal: Target<Uint8Array> = {
  name: 'terminal',
  form: bytesForm(WORDS),
  rounds: 10_000,
  generate: (random) => {
    const word = (): Uint8Array => Buffer.from(random.pick(WORDS), 'latin1');
    const part = (): Uint8Array =>
      random.chance(0.6) ? word() : randomBytes(random, randomLength(random, 3000));
    if (random.chance(0.3)) return jsonLine(random.pick(WORDS), random.pick(WORDS));
    return concat(Array.from({ length: random.below(20) }, part));
  },
  run: (bytes) => {
    const escaped = measured(() => escapeForTerminal(bytes));
    insistHarmless(escaped, 'bytes');
    insist(escaped.length <= GROWTH_MAX * bytes.length, () => `${escaped.length} characters`);
    const again = escapeForTerminal(escaped);
    insist(again === escaped, () => `escaped again: ${shown(again)}, not ${shown(escaped)}`);
    insist(escapeForTerminal(utf8(escaped)) === escaped, () => 'escaped again as bytes');

    const text = decodeUtf8(bytes);
    checkText(bytes, text, escaped);
    insistHarmless(escapeForTerminal(Buffer.from(bytes).toString('utf16le')), 'any units');
    insistHarmless(printable(text), 'printable()');
    const line = measured(() => renderJsonLine(bytes));
    if (line !== null) insistHarmless(line, 'a JSON line');
    const record = parseRecord(bytes);
    insist(record === null || record.text.length === bytes.length - 28, () => 'text of a record');
  },
};

function jsonLine(key: string, value: string): Uint8Array {
  const inner = JSON.stringify(Buffer.from(value, 'latin1').toString('utf8'));
  return utf8(`{"level":40,"time":1,"msg":${inner},${JSON.stringify(key)}:${inner}}`);
}

function checkText(bytes: Uint8Array, text: string, escaped: string): void {
  let wanted: string | null = null;
  try {
    wanted = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    insist(text.includes('\ufffd'), () => 'bytes that are no UTF-8 became text');
  }
  if (wanted === null) return;
  insist(text === wanted, () => `decoded as ${shown(text)}, not ${shown(wanted)}`);
  const asText = escapeForTerminal(wanted);
  insist(asText === escaped, () => `as text ${shown(asText)}, as bytes ${shown(escaped)}`);
  if (!ACTS.test(wanted)) insist(escaped === wanted, () => 'what is harmless has changed');
}

function insistHarmless(text: string, what: string): void {
  const found = ACTS.exec(text);
  insist(found === null, () => `${what}: ${shown(found?.[0])} comes through`);
}
