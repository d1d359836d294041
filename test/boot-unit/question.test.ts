/**
 * Questions on a terminal: what an answer means, and a terminal that says nothing.
 */
import t from 'tap';
import { answerOf, choiceOn, questionOn } from '../../src/boot/question.ts';
import type { Fd } from '../../src/core/units.ts';

/** A terminal that says `lines`, each after a while; null: it has hung up. */
function terminal(lines: readonly (string | null)[]): {
  readonly kernel: Parameters<typeof questionOn>[0];
  readonly said: () => string;
} {
  const left = [...lines];
  let text = '';
  let isQuiet = true;
  const kernel = {
    open: () => 5 as Fd,
    close: () => {},
    read: (_: Fd, buffer: Uint8Array) => {
      isQuiet = !isQuiet;
      if (!isQuiet) return null;
      const line = left.shift();
      if (line === undefined) throw new RangeError('asked once too often');
      if (line === null) throw new Error('EIO');
      return new TextEncoder().encodeInto(line, buffer).written;
    },
    write: (_: Fd, bytes: Uint8Array) => {
      text += new TextDecoder().decode(bytes);
      return bytes.length;
    },
  };
  return { kernel, said: () => text };
}

t.test('answerOf() tells the four answers apart', async (t) => {
  t.same(answerOf(' \n'), { kind: 'accept' });
  t.same(answerOf(' skip'), { kind: 'skip' });
  t.same(answerOf('shell\n'), { kind: 'shell' });
  t.same(answerOf('LABEL=my disk\n'), { kind: 'value', text: 'LABEL=my disk' });
  t.same(answerOf('=skip'), { kind: 'value', text: 'skip' });
  t.same(answerOf('='), { kind: 'value', text: '' });
});

t.test('questionOn() shows what is proposed and takes a line', async (t) => {
  const { kernel, said } = terminal(['rescue\n']);
  const answer = await questionOn(kernel, '/dev/tty', 'The \u001btarget', 'default');
  t.same(answer, { kind: 'value', text: 'rescue' });
  t.match(said(), '[default]');
  t.notMatch(said(), '\u001b');
});

t.test('a terminal that has hung up takes what is proposed', async (t) => {
  t.same(await questionOn(terminal([null]).kernel, '/dev/tty', 'q', 'p'), { kind: 'accept' });
  t.same(await questionOn(terminal(['']).kernel, '/dev/tty', 'q', 'p'), { kind: 'accept' });
});

const told = ['it failed'];
const choices = [['r', 'try again'] as const, ['p', 'power off'] as const];

t.test('choiceOn() asks until it has one of its letters', async (t) => {
  const { kernel, said } = terminal([null, 'x\n', '', ' P \n']);
  t.equal(await choiceOn(kernel, '/dev/tty', { told, choices, limit: null }), 'p');
  t.equal(said().split('it failed').length - 1, 4);
});

t.test('choiceOn() gives up when nobody is there in time', async (t) => {
  const limit = { ms: 1, about: 'go on' };
  const silent = { ...terminal([]).kernel, read: () => null };
  t.equal(await choiceOn(silent, '/dev/tty', { told, choices, limit }), null);
  const gone = terminal(Array.from({ length: 100 }, () => null));
  t.equal(await choiceOn(gone.kernel, '/dev/tty', { told, choices, limit }), null);
});

t.test('choiceOn() has all the time there is for who has typed a line', async (t) => {
  let reads = 0;
  const kernel = {
    ...terminal([]).kernel,
    // Somebody, then nobody for as long as the limit and longer, then an answer.
    read: (_: Fd, buffer: Uint8Array) => {
      reads += 1;
      if (reads > 1 && reads < 9) return null;
      return new TextEncoder().encodeInto(reads === 1 ? 'x\n' : 'r\n', buffer).written;
    },
  };
  const limit = { ms: 100, about: 'go on' };
  t.equal(await choiceOn(kernel, '/dev/tty', { told, choices, limit }), 'r');
});
