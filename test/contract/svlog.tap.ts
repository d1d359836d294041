/** Contract of svlog as a process: what goes into FIFOs comes out of files, whatever happens. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { LINE_BYTES_MAX, READ_BYTES_MAX } from '../../src/log/compose.ts';
import { filesOf, generator, originalOf, randomBytes } from '../log/parts.ts';
import { Rig, until } from '../log/rig.ts';
import { done, point, skip } from './tap.ts';

/** One point with a rig of its own. */
async function rigged(name: string, body: (rig: Rig) => Promise<void>): Promise<void> {
  const rig = new Rig();
  await point(name, () => body(rig));
  rig.close();
}

const ENDED_WELL = { code: 0, signal: null };
const lines = (from: number, to: number): Buffer =>
  Buffer.from(
    Array.from({ length: to - from }, (_, i) => `${String(from + i).padStart(99, '0')}\n`).join(''),
  );

await rigged('every byte of many FIFOs is stored, in order and stamped', async (rig) => {
  const random = generator(7);
  const sent = new Map<string, Buffer>();
  for (const [i, lineBytes] of [2, 10, 80, 300, 3000, 9000, 20_000, 1e9].entries()) {
    sent.set(`service-${i}`, randomBytes(random, 150_000 + random(5000), lineBytes));
  }
  sent.set('empty-lines', Buffer.alloc(50_000, '\n'));
  sent.set('no-newline', Buffer.from('no newline'));
  rig.hold(...sent.keys());
  const startedMs = Date.now();
  rig.start();
  await Promise.all([...sent].map(([name, bytes]) => rig.feed(name, bytes)));
  assert.deepEqual(await rig.end(), ENDED_WELL);
  for (const [name, bytes] of sent) {
    const records = rig.records(name);
    assert.ok(originalOf(records).equals(bytes), name);
    const times = [startedMs, ...records.map(({ timeMs }) => timeMs), Date.now() + 1];
    assert.deepEqual(
      times,
      times.toSorted((a, b) => a - b),
      `${name} is in the order of time`,
    );
  }
});

await rigged('a line of 1 MB is stored in parts, and others do not wait for it', async (rig) => {
  rig.hold('flood', 'other');
  rig.start();
  const writer = rig.writer('flood');
  await writer.write(Buffer.alloc(1_000_000, 'x'));
  await rig.feed('other', Buffer.from('hello\n'));
  await rig.stored('other', 'hello');
  await writer.write(Buffer.from('end\nnext\n'));
  await writer.end();
  await rig.stored('flood', 'next');
  assert.deepEqual(await rig.end(), ENDED_WELL);
  const records = rig.records('flood');
  assert.equal(originalOf(records).toString(), `${'x'.repeat(1_000_000)}end\nnext\n`);
  assert.ok(records.slice(0, -2).every(({ text }) => text.length === LINE_BYTES_MAX));
});

await rigged(
  'a FIFO that appears is read, and one that is deleted is read to its end',
  async (rig) => {
    rig.hold('first');
    rig.start();
    await rig.feed('first', Buffer.from('a\n'));
    await rig.stored('first', 'a');
    rig.hold('second');
    await rig.feed('second', Buffer.from('b\n'));
    await rig.stored('second', 'b');
    const writer = rig.writer('second');
    await writer.write(Buffer.from('c\n'));
    await rig.stored('second', 'c');
    rig.drop('second');
    rig.hold('second');
    await rig.feed('second', Buffer.from('new\n'));
    await rig.stored('second', 'new');
    await writer.write(Buffer.from('old one\nno newline'));
    await writer.end();
    await rig.stored('second', 'no newline');
    const open = (): number => readdirSync(`/proc/${rig.pid}/fd`).length;
    const before = open();
    rig.drop('second');
    await until('the FIFO and its log are closed', () => open() <= before - 2);
    assert.deepEqual(await rig.end(), ENDED_WELL);
  },
);

await rigged('a FIFO that nobody holds open is read again and again', async (rig) => {
  const path = rig.make('tool');
  rig.start();
  for (const text of ['1', '2', '3']) {
    await rig.feed('tool', Buffer.from(`${text}\n`));
    await rig.stored('tool', text);
    await rig.asleep();
  }
  await rig.feed('tool', Buffer.from('half'));
  await rig.asleep();
  await rig.feed('tool', Buffer.from(' and half\n'));
  await rig.stored('tool', 'half and half');
  await rig.asleep();
  const open = (): number => readdirSync(`/proc/${rig.pid}/fd`).length;
  const before = open();
  rmSync(path);
  await until('the FIFO and its log are closed', () => open() <= before - 2);
  assert.deepEqual(await rig.end(), ENDED_WELL);
});

await rigged('TERM stores what is in the FIFOs, also the line without newline', async (rig) => {
  const names = Array.from({ length: 20 }, (_, i) => `s${i}`);
  rig.hold(...names);
  rig.start();
  await rig.feed('s0', Buffer.from('ready\n'));
  await rig.stored('s0', 'ready');
  rig.signal('SIGSTOP');
  const bytes = Buffer.concat([lines(0, 600), Buffer.from('rest')]);
  await Promise.all(names.map((name) => rig.feed(name, bytes)));
  rig.hold('late');
  await rig.feed('late', bytes);
  rig.signal('SIGTERM');
  assert.deepEqual(await rig.end('SIGCONT'), ENDED_WELL);
  for (const name of [...names.slice(1), 'late']) {
    assert.ok(originalOf(rig.records(name)).equals(bytes), name);
  }
});

await rigged('all is stored although descriptors do not suffice for all logs', async (rig) => {
  const names = Array.from({ length: 60 }, (_, i) => `s${i}`);
  rig.hold(...names);
  rig.start(['prlimit', '--nofile=100:100']);
  for (const text of ['a', 'b']) {
    for (const name of names) await rig.feed(name, Buffer.from(`${text}\n`));
    for (const name of names) await rig.stored(name, text);
  }
  assert.deepEqual(await rig.end(), ENDED_WELL);
});

await rigged('logs are rotated, three archives are kept, records are whole', async (rig) => {
  rig.hold('web');
  rig.start();
  const bytes = lines(0, 60_000);
  await rig.feed('web', bytes);
  assert.deepEqual(await rig.end(), ENDED_WELL);
  const files = filesOf(rig.dirOf('web'));
  assert.equal(files.length, 4);
  const stored = originalOf(rig.records('web'));
  assert.ok(stored.length > 3 * 700_000 && bytes.subarray(-stored.length).equals(stored));
  assert.equal(statSync(rig.dirOf('web')).mode & 0o777, 0o750);
  for (const file of files)
    assert.equal(statSync(join(rig.dirOf('web'), file)).mode & 0o777, 0o640);
});

await rigged('HUP makes archives of all logs', async (rig) => {
  rig.hold('a', 'b');
  rig.start();
  for (const name of ['a', 'b']) {
    await rig.feed(name, Buffer.from('before\n'));
    await rig.stored(name, 'before');
  }
  rig.signal('SIGHUP');
  await until('both are archives', () =>
    ['a', 'b'].every((name) => !existsSync(join(rig.dirOf(name), 'current'))),
  );
  await rig.feed('a', Buffer.from('after\n'));
  await rig.stored('a', 'after');
  assert.equal(filesOf(rig.dirOf('a')).length, 2);
  assert.deepEqual(rig.texts('a'), ['before', 'after']);
  assert.deepEqual(await rig.end('SIGINT'), ENDED_WELL);
});

await rigged('after kill -9 its successor goes on, and only what was read is lost', async (rig) => {
  rig.hold('web');
  const writer = rig.writer('web');
  const rounds = 4;
  const writing: Promise<void>[] = [];
  for (let round = 0; round < rounds; round += 1) {
    rig.start();
    writing.push(writer.write(lines(round * 5000, (round + 1) * 5000)));
    const last = String(round * 5000 + 100).padStart(99, '0');
    await until('some is stored', () => rig.texts('web').some((text) => text >= last));
    if (round < rounds - 1) await rig.end('SIGKILL');
  }
  await Promise.all(writing);
  await writer.end();
  assert.deepEqual(await rig.end(), ENDED_WELL);
  const whole = rig.texts('web').filter((text) => text.length === 99);
  assert.deepEqual(whole, [...new Set(whole)].toSorted(), 'in order, none twice');
  assert.equal(whole.at(-1), String(rounds * 5000 - 1).padStart(99, '0'));
  const lost = rounds * 5000 - whole.length;
  const lostMax = (rounds - 1) * Math.ceil((READ_BYTES_MAX + 2 * LINE_BYTES_MAX) / 100);
  assert.ok(lost <= lostMax, `${lost} lines lost, ${lostMax} at most`);
  assert.ok(rig.texts('web').length - whole.length <= 2 * (rounds - 1), 'few fragments');
});

const TITLE = 'a full disk: lines are kept, then counted, then told of; nothing else is lost';
const apart = [
  '-rm',
  '--',
  'sh',
  '-c',
  'mount -t tmpfs -o size=512k none "$SVINIT_LOG" && exec "$@"',
];
const env = { ...process.env, SVINIT_LOG: '/tmp' };
const trial = spawnSync('unshare', [...apart, 'sh', 'true'], { env, encoding: 'utf8' });
if (trial.status !== 0) skip(TITLE, `no namespace: ${trial.stderr ?? trial.error}`.trim());
else await rigged(TITLE, fullDisk);

async function fullDisk(rig: Rig): Promise<void> {
  rig.hold('web');
  mkdirSync(rig.logs);
  const fill = 'head -c 400k /dev/zero > "$SVINIT_LOG/.ballast" && exec "$@"';
  rig.start(['unshare', ...apart, 'sh', 'sh', '-c', fill, 'sh']);
  const total = 10_000;
  await rig.feed('web', lines(0, total));
  const inside = `/proc/${rig.pid}/root${rig.logs}`;
  rmSync(join(inside, '.ballast'));
  const stored = (): string[] => rig.texts('web', join(inside, 'web'));
  const dropped = (text: string): number =>
    Number(/^svlog: (\d+) lines dropped: write failed with ENOSPC$/.exec(text)?.[1] ?? 0);
  const told = (): number => stored().reduce((sum, text) => sum + (dropped(text) || 1), 0);
  await until('every line is stored or counted', () => told() === total);
  assert.ok(stored().some((text) => dropped(text) > 1000));
  assert.match(rig.said, /Cannot write the log of web: write failed with ENOSPC/);
  assert.deepEqual(await rig.end(), ENDED_WELL);
}

await rigged('what is not an option is refused with the usage', async (rig) => {
  for (const args of ['--nonsense', 'word', '--fifos']) {
    rig.start([], args);
    assert.deepEqual(await rig.ended(), { code: 2, signal: null });
    assert.match(rig.said, /Usage: svlog/);
    rig.said = '';
  }
  rig.start([], '--fifos /nonexistent');
  assert.deepEqual(await rig.ended(), { code: 1, signal: null });
  assert.match(rig.said, /Cannot watch \/nonexistent: inotify_add_watch failed with ENOENT/);
});

done();
