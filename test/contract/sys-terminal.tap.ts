/**
 * Contract of src/sys/terminal.ts: a pseudo-terminal carries bytes, has a size and a mode, and
 * becomes the controlling terminal of the session that opens it.
 */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { Fd } from '../../src/core/units.ts';
import { O } from '../../src/sys/constants.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { SysError } from '../../src/sys/libc.ts';
import { openLibc } from '../../src/sys/open.ts';
import { openTerminals, rawMode } from '../../src/sys/terminal.ts';
import { done, point } from './tap.ts';

const libc = openLibc();
const kernel = openKernel(libc);
const terminals = openTerminals(libc);

/** What is there to be read, or null when there is nothing. */
function read(fd: Fd): string | null {
  const buffer = new Uint8Array(256);
  const count = kernel.read(fd, buffer);
  return count === null ? null : Buffer.from(buffer.subarray(0, count)).toString();
}

await point('bytes pass both ways, through the mode of the terminal', () => {
  const { master, path } = terminals.openPty();
  assert.match(path, /^\/dev\/pts\/\d+$/);
  assert.equal(read(master), null, 'nothing yet');
  const slave = kernel.open(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
  kernel.write(slave, Buffer.from('one\n'));
  assert.equal(read(master), 'one\r\n');
  kernel.write(master, Buffer.from('two\r'));
  assert.equal(read(slave), 'two\n');
  assert.equal(read(master), 'two\r\n', 'the echo');

  const before = terminals.terminalMode(slave);
  terminals.setTerminalMode(slave, rawMode(before));
  kernel.write(slave, Buffer.from('one\n'));
  assert.equal(read(master), 'one\n', 'as it is');
  kernel.write(master, Buffer.from('\x03\r\x13'));
  assert.equal(read(slave), '\x03\r\x13', 'each byte at once');
  assert.equal(read(master), null, 'no echo');
  terminals.setTerminalMode(slave, before);
  assert.deepEqual(terminals.terminalMode(slave), before);
  kernel.close(slave);
  assert.throws(
    () => read(master),
    (error) => error instanceof SysError && error.code === 'EIO',
  );
  kernel.close(master);
});

await point('it can be opened again after the last one who had it open', () => {
  const { master, path } = terminals.openPty();
  for (const word of ['first', 'second']) {
    const slave = kernel.open(path, O.RDWR | O.NOCTTY);
    kernel.write(slave, Buffer.from(word));
    kernel.close(slave);
    assert.equal(read(master), word);
    assert.throws(() => read(master), /EIO/);
  }
  kernel.close(master);
});

await point('output that was stopped is started again', async () => {
  const { master, path } = terminals.openPty();
  const slave = kernel.open(path, O.RDWR | O.NOCTTY | O.NONBLOCK);
  kernel.write(master, Uint8Array.of(0x13));
  // The kernel passes on what was typed when it finds the time.
  while (kernel.write(slave, Buffer.from('x')) !== null) {
    read(master);
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  assert.equal(kernel.write(slave, Buffer.from('y')), null, 'ctrl-S stops it');
  terminals.startOutput(slave);
  assert.equal(kernel.write(slave, Buffer.from('y')), 1);
  assert.match(read(master) ?? '', /y$/);
  kernel.close(slave);
  kernel.close(master);
});

await point('its size is what was set', () => {
  const { master, path } = terminals.openPty();
  const slave = kernel.open(path, O.RDWR | O.NOCTTY);
  assert.deepEqual(kernel.windowSize(slave), { rows: 0, columns: 0 });
  terminals.setWindowSize(master, { rows: 50, columns: 132 });
  assert.deepEqual(kernel.windowSize(slave), { rows: 50, columns: 132 });
  kernel.close(slave);
  kernel.close(master);
});

await point('a session that opens it has it, and its group is in the foreground', async () => {
  const { master, path } = terminals.openPty();
  assert.equal(terminals.foregroundGroup(master), null);
  const pid = kernel.spawn({
    path: '/bin/sh',
    argv: ['sh', '-c', 'echo begun; exec cat'],
    env: ['PATH=/usr/bin:/bin'],
    cwd: '/',
    files: [0, 1, 2].map((fd) => ({ fd, open: path, flags: O.RDWR, mode: 0 })),
    session: true,
    nofile: null,
  });
  let said = '';
  while (!said.includes('begun')) {
    await new Promise((resolve) => setTimeout(resolve, 5));
    said += read(master) ?? '';
  }
  assert.equal(terminals.foregroundGroup(master), pid);
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  assert.notEqual(stat.slice(stat.lastIndexOf(')')).split(' ')[5], '0', 'a controlling terminal');
  // The line discipline makes a signal of it.
  kernel.write(master, Uint8Array.of(0x03));
  let waited = kernel.waitAny();
  for (; waited === null; waited = kernel.waitAny()) {
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  assert.deepEqual(waited, { pid, status: 2 });
  kernel.close(master);
});

await point('what is no terminal has no mode', () => {
  const [reader, writer] = kernel.pipe(0);
  assert.throws(() => terminals.terminalMode(reader), /terminal \d+: ioctl failed with ENOTTY/);
  assert.equal(terminals.foregroundGroup(reader), null);
  for (const fd of [reader, writer]) kernel.close(fd);
});

done();
