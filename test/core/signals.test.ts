/** Names and numbers of signals, against those of the system. */
import { constants } from 'node:os';
import t from 'tap';
import { SIGCONT, SIGKILL, SIGTERM, signalName, signalNumber } from '../../src/core/signals.ts';

t.test('signalNumber() and signalName() agree with the system', async (t) => {
  for (const [name, number] of Object.entries(constants.signals)) {
    t.equal(signalNumber(name), number, name);
    t.equal(signalNumber(signalName(number)), number, name);
  }
  t.same([SIGKILL, SIGTERM, SIGCONT], [9, 15, 18]);
});

t.test('signalNumber() takes each of the usual spellings', async (t) => {
  for (const text of ['TERM', 'SIGTERM', 'sigterm', 'term', '15']) {
    t.equal(signalNumber(text), 15, text);
  }
  t.equal(signalNumber('64'), 64);
  t.equal(signalName(40), 'signal 40');
});

t.test('signalNumber() refuses what is no signal', async (t) => {
  for (const text of ['', '0', '65', '-1', '1.5', '0x9', ' TERM', 'TERMS', 'SIG', '015x', '100']) {
    t.equal(signalNumber(text), null, JSON.stringify(text));
  }
});
