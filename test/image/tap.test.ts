/** Counting test points: what a test run says at its end must be true. */
import t from 'tap';
import { type FileResult, LeafCounter } from '../../scripts/tap.ts';

/** What the counter says of TAP that arrives in pieces of `size` characters. */
function count(tap: string, size: number): readonly FileResult[] {
  const files: FileResult[] = [];
  const counter = new LeafCounter((file) => files.push(file));
  for (let at = 0; at < tap.length; at += size) counter.write(tap.slice(at, at + size));
  counter.end();
  return files;
}

const FILES = `TAP version 14
# Subtest: a.test.ts
    # Subtest: adds
        ok 1 - one
        not ok 2 - two
          ---
          diff: |
            not ok 1 - said in a text
          ...
        # Subtest: inner
            ok 1 - not here # SKIP
            not ok 2 - later # TODO
            1..2
        ok 3 - inner # time=3ms
        1..3
    not ok 1 - adds # time=5ms
    ok 2 - whole test # SKIP no reason
    1..2
not ok 1 - a.test.ts # time=62ms
# Subtest: exits.test.ts
    ok 1 - fine
    1..1
not ok 2 - exits.test.ts # time=4ms
  ---
  exitCode: 3
  ...
# Subtest: skipped.test.ts
    1..0 # SKIP not on this machine
ok 3 - skipped.test.ts # SKIP not on this machine
1..3
`;

t.test('LeafCounter counts leaves', async (t) => {
  for (const size of [FILES.length, 7]) {
    const [adds, exits, skipped] = count(FILES, size);
    t.same(
      adds?.tally,
      { passed: 1, failed: 1, skipped: 3 },
      'the lines that close subtests are none',
    );
    t.match(adds?.failures, [{ path: ['a.test.ts', 'adds', 'two'] }]);
    t.match(adds?.failures[0]?.detail, /^diff: not ok 1 - said in a text/, 'in full');
    t.match(adds, { name: 'a.test.ts', ok: false, timeMs: 62 });
    t.same(exits?.tally, { passed: 1, failed: 1, skipped: 0 }, 'unless that line alone failed');
    t.same(exits?.failures, [{ path: ['exits.test.ts'], detail: 'exitCode: 3' }]);
    t.same(skipped?.tally, { passed: 0, failed: 0, skipped: 1 }, 'a file that skips all');
  }
});
