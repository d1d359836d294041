/** The key that leaves a terminal. */
import t from 'tap';
import { KeyWatch, parseDetachKey } from '../../src/cli/detach-key.ts';

t.test('keys are named as people name them', async (t) => {
  const cases: readonly (readonly [string, readonly number[] | null])[] = [
    ['ctrl-]', [0x1d]],
    ['^]', [0x1d]],
    ['ctrl-a', [1]],
    ['^A', [1]],
    ['^@', [0]],
    ['ctrl-p,ctrl-q', [0x10, 0x11]],
    ['^b,d', [2, 0x64]],
    ['~', [0x7e]],
    ['none', []],
    ['nonsense', null],
    ['', null],
    ['ctrl-', null],
    ['ctrl-1', null],
    ['ctrl-a,', null],
    ['é', null],
  ];
  for (const [text, bytes] of cases) {
    t.strictSame(parseDetachKey(text), bytes === null ? null : Uint8Array.from(bytes), text);
  }
});

/** What was passed on, and `!` where the key was found. */
function typed(key: string, ...pieces: readonly string[]): string {
  const watch = new KeyWatch(parseDetachKey(key) ?? new Uint8Array());
  let passed = '';
  for (const piece of pieces) {
    const { pass, isHit } = watch.push(Buffer.from(piece));
    passed += Buffer.from(pass).toString();
    if (isHit) return `${passed}!`;
  }
  return passed;
}

t.test('what is typed before the key is passed on', async (t) => {
  t.equal(typed('^]', 'ab\x1dcd'), 'ab!');
});

t.test('a key of two is one only when both come', async (t) => {
  t.equal(typed('^p,^q', 'a\x10', '\x11b'), 'a!', 'in two pieces');
  t.equal(typed('^p,^q', 'a\x10', 'b\x11'), 'a\x10b\x11');
  t.equal(typed('^p,^q', '\x10\x10', '\x11'), '\x10!', 'the first twice');
});

t.test('without a key everything passes', async (t) => {
  t.equal(typed('none', '\x1d\x10\x11'), '\x1d\x10\x11');
});
