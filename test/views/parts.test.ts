/** The parts of svviews on a directory of the test's own, over the real kernel. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { decodeS6Status } from '../../src/core/s6-records.ts';
import type { Supervised } from '../../src/core/supervised.ts';
import { openKernel } from '../../src/sys/kernel.ts';
import { openLocks } from '../../src/sys/locks.ts';
import { openLibc } from '../../src/sys/open.ts';
import { ControlFifo } from '../../src/views/control.ts';
import { GAP_MS } from '../../src/views/fifodir.ts';
import type { ViewKernel } from '../../src/views/files.ts';
import { Loop } from '../../src/views/loop.ts';
import { S6View } from '../../src/views/s6-view.ts';
import { Ear } from './clients.ts';

const libc = openLibc();
const kernel = { ...openKernel(libc), ...openLocks(libc) };

const UP: Supervised = {
  ...{ state: 'run', pid: 7, changedAt: 1000, readyAt: 1000, stampedAt: 1000, ready: false },
  ...{ wantUp: true, failed: false, wstat: 0, paused: false, gotTerm: false },
};

/** A loop that runs until `isOver`, and in vain for a while at most. */
function runLoop(loop: Loop, isOver: () => boolean): Promise<void> {
  const endsAt = performance.now() + 20_000;
  return loop.run(
    () => isOver() || performance.now() > endsAt,
    () => 5,
  );
}

t.test('the status is there before the event is sent', async (t) => {
  const path = join(t.testdir({}), 'a');
  const seen: string[] = [];
  const watching: ViewKernel = {
    ...kernel,
    write: (fd, bytes) => {
      const status = decodeS6Status(readFileSync(join(path, 'supervise/status')));
      seen.push(`${Buffer.from(bytes)} ${status?.pid} ${status?.ready}`);
      return kernel.write(fd, bytes);
    },
  };
  const view = new S6View(watching, new Loop(kernel), path, (_, done) => done());
  const ear = new Ear(path);
  view.show(UP, ['s', 'u'], []);
  view.show({ ...UP, ready: true }, ['U'], []);
  t.same(seen, ['s 7 false', 'u 7 false', 'U 7 true']);
  t.equal(ear.heard, 'suU');
  ear.close();
  view.show({ ...UP, pid: 8 }, ['u'], []);
  t.same(seen.length, 3, 'whoever has gone away is not written to');
  view.close();
});

t.test('what comes after an end comes later, and in order', async (t) => {
  const path = join(t.testdir({}), 'a');
  const loop = new Loop(kernel);
  const view = new S6View(kernel, loop, path, (_, done) => done());
  const ear = new Ear(path);
  const began = performance.now();
  view.show({ ...UP, pid: 8 }, ['d', 'D', 'u', 'U'], []);
  t.equal(ear.heard, 'dD', 'the end is told at once');
  await runLoop(loop, () => ear.heard.length >= 4);
  t.equal(ear.heard, 'dDuU');
  t.ok(performance.now() - began >= GAP_MS, 'a client has had time to look');
  view.show(UP, ['d', 'OD'], []);
  view.close();
  t.equal(ear.heard, 'dDuUdODx', 'an end leaves nothing unsaid');
  ear.close();
});

t.test('modes, and what is in the way', async (t) => {
  const dir = t.testdir({});
  const view = new S6View(kernel, new Loop(kernel), join(dir, 'a'), (_, done) => done());
  const modes: [string, number][] = [
    ['', 0o755],
    ['event', 0o3730],
    ['supervise', 0o700],
    ['supervise/control', 0o600],
    ['supervise/lock', 0o644],
  ];
  for (const [name, mode] of modes) {
    t.equal(statSync(join(dir, 'a', name)).mode & 0o7777, mode, name);
  }
  const again = (name: string) => (): unknown =>
    new S6View(kernel, new Loop(kernel), join(dir, name), (_, done) => done());
  t.throws(again('a'), { code: 'EBUSY', message: /another supervisor is there/ });
  view.close();
  t.doesNotThrow(again('a'), 'nobody is there any more');
  mkdirSync(join(dir, 'service'));
  writeFileSync(join(dir, 'service/run'), '');
  t.throws(again('service'), { code: 'EBUSY', message: /it holds a service/ });
  symlinkSync('service', join(dir, 'link'));
  t.throws(again('link'), { code: 'EBUSY', message: /it is no directory/ });
  t.notOk(existsSync(join(dir, 'service/supervise')), 'nothing is made behind a link');
});

t.test('letters are acted on one after the other', async (t) => {
  const path = join(t.testdir({}), 'control');
  writeFileSync(path, 'what is no FIFO goes');
  const loop = new Loop(kernel);
  const acted: string[] = [];
  const waiting: (() => void)[] = [];
  const control = new ControlFifo(kernel, loop, path, (letter, done) => {
    acted.push(letter);
    if (letter === 'u') waiting.push(done);
    else done();
  });
  const fd = openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  writeSync(fd, 'ttcuud');
  await runLoop(loop, () => acted.length === 3);
  writeSync(fd, 'k');
  await runLoop(loop, () => true);
  t.equal(acted.join(''), 'tcu', 'twice the same is once; the rest waits');
  waiting.shift()?.();
  await runLoop(loop, () => acted.length === 5);
  t.equal(acted.join(''), 'tcudk');
  closeSync(fd);
  control.close();
  const refused = (): number => openSync(path, constants.O_WRONLY | constants.O_NONBLOCK);
  t.throws(refused, { code: 'ENXIO' }, 'nobody reads any more');
});

t.test('a FIFO that others left in a fifodir is removed, and nothing else', async (t) => {
  const path = join(t.testdir({ a: { event: {} } }), 'a');
  const stale = join(path, 'event', `ftrig1:@${'0'.repeat(24)}:zzzzzz`);
  execFileSync('mkfifo', [stale]);
  const file = join(path, 'event', 'ftrig1:notes');
  writeFileSync(file, 'theirs');
  const view = new S6View(kernel, new Loop(kernel), path, (_, done) => done());
  t.notOk(existsSync(stale));
  view.show(UP, ['s'], []);
  t.equal(readFileSync(file, 'utf8'), 'theirs');
  view.close();
});
