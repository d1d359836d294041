/** Whose a process is, told by what its descriptors are. */
import t from 'tap';
import { fifoAt, inputOf, readerOf } from '../../src/supervisor/fifos.ts';
import { serviceOf } from '../../src/supervisor/survey.ts';
import { good } from '../core/spec-texts.ts';

const paths = { fifos: '/run/svinit/log', pipes: '/run/svinit/pipes' };
const plain = good({ run: '#!/bin/sh' });
const specs = [
  { ...plain, name: 'web', output: 'web/log' },
  { ...plain, name: 'web/log', input: 'web/log' },
  { ...plain, name: 'a', output: 'end' },
  { ...plain, name: 'b', output: 'end' },
  { ...plain, name: 'end', input: 'end' },
];
const whose = (fd: string, target: string): string | null =>
  serviceOf({ paths, console: null }, specs, target, fd);

t.test('a FIFO of the logger is that of who prints into it', async (t) => {
  t.equal(whose('1', '/run/svinit/log/web'), 'web');
  t.equal(whose('2', '/run/svinit/log/web,log'), 'web/log');
  t.equal(whose('1', '/run/svinit/logs/web'), null);
});

t.test('a pipe tells who reads it, and who alone writes to it', async (t) => {
  t.equal(whose('0', '/run/svinit/pipes/web,log'), 'web/log');
  t.equal(whose('0', '/run/svinit/pipes/end'), 'end');
  t.equal(whose('1', '/run/svinit/pipes/web,log'), null, 'stderr may tell more');
  t.equal(whose('2', '/run/svinit/pipes/web,log'), 'web', 'it prints all into the pipe');
  t.equal(whose('2', '/run/svinit/pipes/end'), null, 'one of two');
});

t.test('FIFOs have names', async (t) => {
  t.equal(fifoAt(paths, '/run/svinit/pipes/web,log'), inputOf('web/log'));
  t.equal(readerOf(inputOf('web/log')), 'web/log');
  t.equal(readerOf('web'), null);
  t.equal(fifoAt(paths, '/dev/null'), null);
});
