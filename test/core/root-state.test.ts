/**
 * What is noted of a root that is there, and the words that people add to the kernel command line.
 */
import t from 'tap';
import { parseCommandLine } from '../../src/core/cmdline.ts';
import { lineWith } from '../../src/core/kernel-words.ts';
import { decodeRootState, type RootState, stateLines } from '../../src/core/root-state.ts';

const STATE: RootState = {
  root: 'LABEL=a',
  device: '/dev/vda1',
  type: 'ext4',
  writable: true,
  overlay: 'no',
  etcOverlay: false,
  handover: 'stay',
};

t.test('a state is what was noted, or nothing', async (t) => {
  t.same(decodeRootState(JSON.stringify(STATE)), STATE);
  for (const text of ['', 'null', '[]', '{}', JSON.stringify({ ...STATE, device: 1 })]) {
    t.equal(decodeRootState(text), null, JSON.stringify(text));
  }
});

t.test('people are told what is kept where', async (t) => {
  t.same(stateLines(STATE), ['root=LABEL=a: /dev/vda1 (ext4), writable', 'its services run in it']);
  const other = { ...STATE, device: null, type: 'tmpfs', writable: false, etcOverlay: true };
  t.match(stateLines({ ...other, overlay: 'state', handover: 'classic' }), [
    /in memory \(tmpfs\), read-only/,
    /\/var stays in memory/,
    /\/etc stays in memory/,
    /handed to its init/,
  ]);
});

t.test('words that are added count as the last, and not for init', async (t) => {
  const line = lineWith('root=/dev/a "rootflags=x y" ro -- one "two words"', [
    'root=LABEL=my disk',
  ]);
  const { root, rootflags, rw, initArguments } = parseCommandLine(line);
  t.same([root, rootflags, rw], ['LABEL=my disk', 'x y', false]);
  t.same(initArguments, ['one', 'two words']);
  t.equal(lineWith('', []), '');
  t.equal(parseCommandLine(lineWith('ro', ['rw', 'root="/dev/b'])).root, '/dev/b');
});
