import { join } from 'node:path';
import t from 'tap';
import { BACKLOG_BYTES_MAX } from '../../src/log/backlog.ts';
import { LogFile } from '../../src/log/file.ts';
import { fakeContext, numbered, numbers, texts } from './disk.ts';
import { storedIn } from './parts.ts';

t.test('LogFile keeps what a full disk refuses, and stores it when there is room', (t) => {
  const dir = join(t.testdir({}), 'web');
  const context = fakeContext();
  const log = new LogFile('web', dir, context);
  context.room = 250;
  for (let n = 0; n < 100; n += 1) log.append(numbered(n));
  t.same(context.failing, ['web: write failed with ENOSPC']);
  t.same(numbers(storedIn(dir)), [0, 1], 'no torn record in the file');
  t.equal(log.retry(), false);
  context.room = 1050;
  t.equal(log.retry(), false, 'still too little');
  t.equal(log.unstored, 88);
  t.same(numbers(storedIn(dir)).length, 12);
  context.room = Number.POSITIVE_INFINITY;
  log.append(numbered(100));
  t.equal(numbers(storedIn(dir)).length, 12, 'order: the new ones wait for the old ones');
  t.equal(log.retry(), true);
  log.append(numbered(101));
  t.same(
    numbers(storedIn(dir)),
    Array.from({ length: 102 }, (_, n) => n),
  );
  t.end();
});

t.test('LogFile keeps a copy: the caller fills its buffer again', (t) => {
  const dir = join(t.testdir({}), 'web');
  const context = fakeContext();
  const log = new LogFile('web', dir, context);
  context.room = 0;
  const buffer = Buffer.from(numbered(0));
  for (let n = 0; n < 3; n += 1) {
    buffer.set(numbered(n));
    log.append(buffer);
  }
  context.room = Number.POSITIVE_INFINITY;
  t.equal(log.retry(), true);
  t.same(numbers(storedIn(dir)), [0, 1, 2]);
  t.end();
});

t.test('F39 LogFile counts what does not fit into memory, and says so in its place', (t) => {
  const dir = join(t.testdir({}), 'web');
  const context = fakeContext();
  const log = new LogFile('web', dir, context);
  context.room = 0;
  const kept = Math.floor(BACKLOG_BYTES_MAX / 100);
  for (let n = 0; n < 10_000; n += 10) {
    log.append(Buffer.concat(Array.from({ length: 10 }, (_, i) => numbered(n + i))));
  }
  t.equal(log.unstored, 10_000);
  context.room = 20_000;
  t.equal(log.retry(), false);
  log.append(numbered(10_000));
  context.room = Number.POSITIVE_INFINITY;
  t.equal(log.retry(), true);
  log.append(numbered(10_001));
  const stored = texts(storedIn(dir));
  t.equal(stored.length, kept + 3);
  t.equal(stored[kept], `!svlog: ${10_000 - kept} lines dropped: write failed with ENOSPC`);
  t.equal(Number.parseInt(stored[kept - 1] ?? '', 10), kept - 1);
  t.equal(Number.parseInt(stored[kept + 1] ?? '', 10), 10_000);
  t.equal(log.unstored, 0);
  t.end();
});

t.test('LogFile tells of dropped lines when nothing comes after them', (t) => {
  const dir = join(t.testdir({}), 'web');
  const context = fakeContext({ left: 250 });
  const log = new LogFile('web', dir, context);
  Object.assign(context, { room: 0, errno: 30 });
  for (let n = 0; n < 3; n += 1) log.append(numbered(n));
  context.room = Number.POSITIVE_INFINITY;
  t.equal(log.retry(), true);
  t.same(texts(storedIn(dir)).at(-1), '!svlog: 1 line dropped: write failed with EROFS');
  t.end();
});

t.test('C21 LogFile shares one budget of memory with all other logs', (t) => {
  const dir = t.testdir({});
  const budget = { left: 1000 };
  const context = fakeContext(budget);
  context.room = 0;
  const logs = ['a', 'b', 'c'].map((name) => new LogFile(name, join(dir, name), context));
  for (let n = 0; n < 100; n += 1) for (const log of logs) log.append(numbered(n));
  t.ok(budget.left >= 0 && budget.left < 100, `${budget.left} left`);
  t.equal(context.failing.length, 3);
  context.room = Number.POSITIVE_INFINITY;
  for (const log of logs) t.equal(log.retry(), true);
  t.equal(budget.left, 1000);
  for (const name of ['a', 'b', 'c']) {
    const stored = texts(storedIn(join(dir, name)));
    const dropped = Number(/(\d+) lines dropped/.exec(stored.at(-1) ?? '')?.[1]);
    t.equal(stored.length - 1 + dropped, 100);
  }
  t.end();
});

t.test('F39 LogFile survives any limit of the disk without a torn or doubled record', (t) => {
  const wrong: string[] = [];
  for (let room = 0; room < 420; room += 7) {
    const dir = join(t.testdir({}), 'web');
    const context = fakeContext();
    const log = new LogFile('web', dir, context);
    context.room = room;
    for (let n = 0; n < 4; n += 1) log.append(numbered(n, 100 + n));
    context.room = Number.POSITIVE_INFINITY;
    log.retry();
    log.append(numbered(4));
    const got = numbers(storedIn(dir));
    if (got.join() !== '0,1,2,3,4') wrong.push(`with ${room} bytes: ${got}`);
    log.close();
  }
  t.same(wrong, []);
  t.end();
});
