/** Wait statuses. */
import t from 'tap';
import { decodeStatus, exitWords, shellCode, succeeded } from '../../src/core/exit.ts';

// Statuses as waitpid(2) gives them: code << 8, or the signal with 0x80 for a core.
const CASES: readonly (readonly [number, string, number, boolean])[] = [
  [0x0000, 'exit 0', 0, true],
  [0x0100, 'exit 1', 1, false],
  [0xff00, 'exit 255', 255, false],
  [0x000f, 'killed by TERM', 143, false],
  [0x0009, 'killed by KILL', 137, false],
  [0x008b, 'killed by SEGV (core dumped)', 139, false],
  [0x0022, 'killed by signal 34', 162, false],
];

t.test('a wait status becomes words, a code of the shell, and success or not', async (t) => {
  for (const [status, words, code, good] of CASES) {
    const exit = decodeStatus(status);
    t.equal(exitWords(exit), words);
    t.equal(shellCode(exit), code, words);
    t.equal(succeeded(exit), good, words);
  }
});

t.test('decodeStatus() finds every code and every signal', async (t) => {
  for (let code = 0; code < 256; code += 1) {
    t.same(decodeStatus(code << 8), { kind: 'code', code });
  }
  for (let signal = 1; signal < 127; signal += 1) {
    t.same(decodeStatus(signal), { kind: 'signal', signal, core: false });
    t.same(decodeStatus(signal | 0x80), { kind: 'signal', signal, core: true });
  }
});
