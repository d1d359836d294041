import { mkdirSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { archive, listArchives } from '../../src/log/archive.ts';
import { LogFile, ROTATE_BYTES } from '../../src/log/file.ts';
import { fakeContext, numbered, numbers, record, texts } from './disk.ts';
import { generator, storedIn } from './parts.ts';

t.test('LogFile makes its directory with the first record', (t) => {
  const dir = join(t.testdir({}), 'a', 'web');
  const log = new LogFile('web', dir, fakeContext());
  t.throws(() => statSync(dir));
  log.append(record('hello'));
  t.same(texts(storedIn(dir)), ['hello']);
  t.end();
});

t.test('LogFile rotates at its size, loses nothing and keeps records whole', (t) => {
  const dir = join(t.testdir({}), 'web');
  const log = new LogFile('web', dir, fakeContext());
  const random = generator(6);
  const count = Math.floor((3.5 * ROTATE_BYTES) / 100);
  for (let n = 0; n < count; ) {
    const batch = Math.min(1 + random(2000), count - n);
    log.append(Buffer.concat(Array.from({ length: batch }, (_, i) => numbered(n + i))));
    n += batch;
  }
  t.equal(listArchives(dir).length, 3);
  for (const name of listArchives(dir)) {
    t.match(name, /^@4[0-9a-f]{23}\.s$/);
    const { size } = statSync(join(dir, name));
    t.ok(size >= ROTATE_BYTES && size < ROTATE_BYTES + 100, `${name} has ${size} bytes`);
    t.ok(numbers(readFileSync(join(dir, name))).length > 0);
  }
  t.same(
    numbers(storedIn(dir)),
    Array.from({ length: count }, (_, n) => n),
  );
  t.end();
});

t.test('C21 LogFile keeps the newest archives only', (t) => {
  const dir = join(t.testdir({}), 'web');
  const log = new LogFile('web', dir, fakeContext());
  for (let n = 0; n < 6; n += 1) {
    log.append(numbered(n));
    log.rotate();
  }
  t.same(numbers(storedIn(dir)), [3, 4, 5]);
  log.rotate();
  t.same(numbers(storedIn(dir)), [3, 4, 5], 'an empty log is no archive');
  t.end();
});

t.test('archive() sorts what is new behind what is old, even when the clock is set back', (t) => {
  const dir = t.testdir({});
  for (const [i, at] of [5000, 4000, 6000, 4000, 4000].entries()) {
    writeFileSync(join(dir, 'current'), `${i}`);
    archive(dir, at);
  }
  t.same(
    listArchives(dir).map((name) => readFileSync(join(dir, name), 'utf8')),
    ['2', '3', '4'],
  );
  t.end();
});

t.test('LogFile goes on where its predecessor stopped, rotating at the whole size', (t) => {
  const dir = join(t.testdir({}), 'web');
  mkdirSync(dir);
  const before = Buffer.concat(Array.from({ length: 10_400 }, (_, n) => numbered(n)));
  writeFileSync(join(dir, 'current'), before);
  const log = new LogFile('web', dir, fakeContext());
  log.append(Buffer.concat(Array.from({ length: 200 }, (_, n) => numbered(10_400 + n))));
  t.equal(listArchives(dir).length, 1);
  t.ok(statSync(join(dir, listArchives(dir)[0] ?? '')).size < ROTATE_BYTES + 100);
  t.equal(numbers(storedIn(dir)).length, 10_600);
  t.end();
});

t.test('LogFile ends a line that its predecessor could not', (t) => {
  const dir = join(t.testdir({}), 'web');
  mkdirSync(dir);
  writeFileSync(join(dir, 'current'), Buffer.concat([record('a'), record('torn').subarray(0, -3)]));
  new LogFile('web', dir, fakeContext()).append(record('b'));
  t.same(texts(storedIn(dir)), ['a', 'to', 'b']);
  t.end();
});

t.test('LogFile finds its place again when the directory was removed', (t) => {
  const dir = join(t.testdir({}), 'web');
  const context = fakeContext();
  const log = new LogFile('web', dir, context);
  log.append(numbered(0));
  rmSync(dir, { recursive: true });
  log.rotate();
  log.append(numbered(1));
  t.same(numbers(storedIn(dir)), [1]);
  t.end();
});

t.test('LogFile goes on writing when it cannot rotate', (t) => {
  // Room for the name `current` but not for the longer one of an archive (PATH_MAX).
  let dir = t.testdir({});
  while (dir.length < 4080) dir = join(dir, 'd'.repeat(Math.min(200, 4080 - dir.length - 1)));
  const context = fakeContext();
  const log = new LogFile('web', dir, context);
  const count = Math.floor((1.5 * ROTATE_BYTES) / 100);
  for (let n = 0; n < count; n += 1) log.append(numbered(n));
  t.same(context.problems, ['Cannot rotate the log of web: rename failed with ENAMETOOLONG']);
  t.same(readdirSync(dir), ['current']);
  t.equal(numbers(storedIn(dir)).length, count);
  t.end();
});
