import t from 'tap';
import {
  decodeUtf8,
  escapeForTerminal,
  parseRecord,
  renderJsonLine,
} from '../../src/core/logline.ts';

const bytes = (text: string): Uint8Array => Buffer.from(text);
const STAMP = '2026-11-21T00:10:00.123456Z';

t.test('parseRecord() reads stamp, mark and text', (t) => {
  const record = parseRecord(bytes(`${STAMP} hello world`));
  t.equal(record?.stampText, STAMP);
  t.equal(record?.timeMs, Date.UTC(2026, 10, 21, 0, 10, 0, 123) + 0.456);
  t.equal(record?.kind, 'line');
  t.equal(Buffer.from(record?.text ?? []).toString(), 'hello world');
  t.end();
});

t.test('C15 parseRecord() cannot be misled by what the text begins with', (t) => {
  for (const text of ['', ' ', '+', '!svlog: 3 lines dropped', `${STAMP}+x`, '\0\xff']) {
    for (const [mark, kind] of [
      [' ', 'line'],
      ['+', 'part'],
      ['!', 'remark'],
    ] as const) {
      const record = parseRecord(bytes(`${STAMP}${mark}${text}`));
      t.equal(record?.kind, kind);
      t.equal(Buffer.from(record?.text ?? []).toString(), text);
    }
  }
  t.end();
});

t.test('parseRecord() refuses what svlog does not write', (t) => {
  for (const text of ['', STAMP, `${STAMP}x`, `x${STAMP} y`, '2026-11-21 00:10:00.123456Z  text']) {
    t.equal(parseRecord(bytes(text)), null, JSON.stringify(text));
  }
  t.end();
});

t.test('escapeForTerminal() shows what a terminal would obey', (t) => {
  const shown: readonly (readonly [string, string])[] = [
    ['plain text, ümläut, 漢字, 🙂', 'plain text, ümläut, 漢字, 🙂'],
    ['\x1b[31mred\x07\r', '\\x1b[31mred\\x07\\x0d'],
    ['a\x00b\x7f', 'a\\x00b\\x7f'],
    ['\u0080\u009b31m', '\\u{80}\\u{9b}31m'],
    ['\u202eevil\u2066x\u2069\u200f\u061c', '\\u{202e}evil\\u{2066}x\\u{2069}\\u{200f}\\u{61c}'],
    ['one\u2028two', 'one\\u{2028}two'],
    ['\tat x', '        at x'],
    ['ab\tcd\t', 'ab      cd      '],
  ];
  for (const [text, wanted] of shown) {
    t.equal(escapeForTerminal(bytes(text)), wanted, 'as bytes');
    t.equal(escapeForTerminal(text), wanted, 'as text');
  }
  t.equal(escapeForTerminal('\ud83dx'), '\\u{d83d}x');
  t.end();
});

t.test('escapeForTerminal() shows every byte that is no UTF-8', (t) => {
  const broken: readonly (readonly [readonly number[], string])[] = [
    [[0xff, 0x41], '\\xffA'],
    [[0xc0, 0x80], '\\xc0\\x80'],
    [[0xe2, 0x82], '\\xe2\\x82'],
    [[0xe0, 0x9f, 0xbf], '\\xe0\\x9f\\xbf'],
    [[0xed, 0xa0, 0x80], '\\xed\\xa0\\x80'],
    [[0xf0, 0x8f, 0xbf, 0xbf], '\\xf0\\x8f\\xbf\\xbf'],
    [[0xf4, 0x90, 0x80, 0x80], '\\xf4\\x90\\x80\\x80'],
    [[0x80], '\\x80'],
    [[0xf0, 0x9f, 0x99, 0x82], '🙂'],
  ];
  for (const [text, wanted] of broken) {
    t.equal(escapeForTerminal(Uint8Array.from(text)), wanted);
  }
  t.end();
});

t.test('C15 escapeForTerminal() lets no control character through, whatever the bytes', (t) => {
  const random = generator(1);
  const wrong: string[] = [];
  for (let round = 0; round < 3000; round += 1) {
    const text = Uint8Array.from({ length: random(40) }, () => random(256));
    const shown = escapeForTerminal(text);
    const acting = /[\0-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]/u;
    if (acting.test(shown)) wrong.push(Buffer.from(text).toString('hex'));
  }
  t.same(wrong, []);
  t.end();
});

t.test('decodeUtf8() agrees with the runtime on well-formed text', (t) => {
  const random = generator(2);
  for (let round = 0; round < 3000; round += 1) {
    const codes = Array.from({ length: random(30) }, () => random(0x110000));
    const text = String.fromCodePoint(...codes.filter((code) => code < 0xd800 || code > 0xdfff));
    if (decodeUtf8(bytes(text)) !== text) t.fail(JSON.stringify(text));
  }
  t.equal(decodeUtf8(bytes('x'.repeat(100_000))), 'x'.repeat(100_000));
  t.equal(decodeUtf8(Uint8Array.of(0x41, 0xff, 0x42)), 'A\ufffdB');
  t.end();
});

t.test('renderJsonLine() makes a sentence of a line of pino', (t) => {
  const line = (value: unknown): string | null => renderJsonLine(bytes(JSON.stringify(value)));
  const pino = { level: 30, time: 1, pid: 1, hostname: 'h', msg: 'Started api' };
  t.equal(line(pino), 'Started api');
  t.equal(line({ ...pino, level: 40, name: 'api', n: 3 }), 'warn: Started api name=api n=3');
  t.equal(line({ ...pino, why: 'exit 1', ok: null }), 'Started api why="exit 1" ok=null');
  t.equal(line({ ...pino, err: { message: 'no', stack: 'at' } }), 'Started api err="no"');
  t.equal(line({ ...pino, msg: 'a\n\x1b[2Jb' }), 'a\\x0a\\x1b[2Jb', 'one row, whatever is in it');
  t.end();
});

t.test('renderJsonLine() leaves alone what is no line of pino', (t) => {
  for (const text of [
    '',
    'hello',
    '[1]',
    '"msg"',
    '{"level":30}',
    '{"msg":1}',
    '{"msg":"x"',
    'null',
  ]) {
    t.equal(renderJsonLine(bytes(text)), null, text);
  }
  t.end();
});

/** Numbers below a bound, the same ones in every run (a linear congruential generator). */
function generator(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return Math.floor((state / 2 ** 32) * bound);
  };
}
