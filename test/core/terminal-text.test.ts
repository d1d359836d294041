/** What a program prints on a terminal, as lines of a log, and as something to show again. */
import t from 'tap';
import { LINE_BYTES_MAX, TerminalText, withoutQuestions } from '../../src/core/terminal-text.ts';

const linesOf = (...pieces: readonly string[]): string => {
  const text = new TerminalText();
  const parts = pieces.map((piece) => text.push(Buffer.from(piece, 'latin1')));
  return Buffer.concat([...parts, text.finish()]).toString('latin1');
};

const CASES: readonly (readonly [what: string, printed: string, lines: string])[] = [
  ['lines as a terminal ends them', 'one\r\ntwo\r\n', 'one\ntwo\n'],
  ['a line without an end', 'prompt> ', 'prompt> \n'],
  ['colours', '\x1b[1;31mred\x1b[0m\r\n', 'red\n'],
  ['a progress bar', ' 10%\r 50%\r100%\r\ndone\n', '100%\ndone\n'],
  ['a correction', 'teh\b\bhe\n', 'the\n'],
  ['a title', '\x1b]0;title\x07text\n\x1b]2;more\x1b\\text\n', 'text\ntext\n'],
  ['a device control string', '\x1bPq#0\x1b\\after\n', 'after\n'],
  ['a character set', '\x1b(Bplain\x1b=\n', 'plain\n'],
  ['a sequence in a sequence', '\x1b[12\x1b[3mx\n', 'x\n'],
  ['bells and other controls', 'a\x07\x00\x0e\x7fb\tc\n', 'ab\tc\n'],
  ['UTF-8, byte by byte', 'gr\xc3\xb6\xc3\x9fer\n', 'gr\xc3\xb6\xc3\x9fer\n'],
  ['nothing', '', ''],
];

for (const [what, printed, lines] of CASES) {
  t.test(`a log has ${what}`, async (t) => {
    t.equal(linesOf(printed), lines);
    t.equal(linesOf(...printed), lines, 'in pieces too');
  });
}

t.test('an endless line is cut, an endless sequence is forgotten at its end', async (t) => {
  const long = 'x'.repeat(LINE_BYTES_MAX);
  t.equal(linesOf(`${long}y\n`), `${long}\ny\n`);
  t.equal(linesOf(`\x1b]0;${'t'.repeat(100_000)}`, '\x07end\n'), 'end\n');
});

t.test('what asks a terminal is not shown again', async (t) => {
  const asks = ['\x1b[6n', '\x1b[?6n', '\x1b[5n', '\x1b[c', '\x1b[0c', '\x1b[>c', '\x1b[=c'];
  const more = ['\x1bZ', '\x05', '\x1b[?2026$p', '\x1b[>0q', '\x1b[14t', '\x1b[21t', '\x1b[18;2t'];
  const strings = ['\x1b]11;?\x07', '\x1b]4;1;?\x1b\\', '\x1bP$qm\x1b\\', '\x1bP+q544e\x1b\\'];
  for (const ask of [...asks, ...more, ...strings]) {
    const shown = withoutQuestions(Buffer.from(`a${ask}b`, 'latin1'));
    t.equal(Buffer.from(shown).toString('latin1'), 'ab', JSON.stringify(ask));
  }
  const kept = '\x1b[1;31mred\x1b[0m\x1b[2J\x1b[?25l\x1b]0;title\x07\x1b[8;24;80t\r\n\xff';
  t.equal(Buffer.from(withoutQuestions(Buffer.from(kept, 'latin1'))).toString('latin1'), kept);
});
