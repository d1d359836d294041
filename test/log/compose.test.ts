import t from 'tap';
import { Composer, emptyTail, LINE_BYTES_MAX, READ_BYTES_MAX } from '../../src/log/compose.ts';
import { generator, originalOf, randomBytes, recordsIn } from './parts.ts';

const HEAD = Buffer.from('2026-11-21T00:10:00.123456Z ');

/** Delivers `bytes` in pieces that end at `cuts`; gives what was stored. */
function stored(bytes: Buffer, cuts: readonly number[], finishes = true): Buffer {
  const composer = new Composer(HEAD);
  const parts: Buffer[] = [];
  const sink = { append: (records: Uint8Array) => void parts.push(Buffer.from(records)) };
  const tail = emptyTail();
  let from = 0;
  for (const cut of [...cuts, bytes.length]) {
    for (let at = from; at < cut; at += READ_BYTES_MAX) {
      const piece = bytes.subarray(at, Math.min(cut, at + READ_BYTES_MAX));
      composer.area.set(piece);
      composer.take(tail, piece.length, sink);
    }
    from = Math.max(from, cut);
  }
  if (finishes) composer.finish(tail, sink);
  return Buffer.concat(parts);
}

t.test('Composer stamps every line, also empty ones and the one without newline', (t) => {
  const text = (bytes: string): string => stored(Buffer.from(bytes), []).toString();
  t.equal(text('a\n\nb\n'), `${HEAD}a\n${HEAD}\n${HEAD}b\n`);
  t.equal(text('a\nb'), `${HEAD}a\n2026-11-21T00:10:00.123456Z+b\n`);
  t.equal(text('\n'), `${HEAD}\n`);
  t.equal(text(''), '');
  t.end();
});

t.test('Composer keeps an unfinished line until its newline comes', (t) => {
  t.equal(stored(Buffer.from('a\nbc'), [], false).toString(), `${HEAD}a\n`);
  t.equal(stored(Buffer.from('a\nbc\n'), [3, 4], false).toString(), `${HEAD}a\n${HEAD}bc\n`);
  t.end();
});

t.test('Composer stores the same wherever the bytes are split', (t) => {
  const random = generator(3);
  const bytes = randomBytes(random, 300, 12);
  const whole = stored(bytes, []);
  t.same(originalOf(recordsIn(whole)), bytes);
  for (let cut = 1; cut < bytes.length; cut += 1) {
    if (!stored(bytes, [cut]).equals(whole)) t.fail(`split at ${cut}`);
    if (!stored(bytes, [cut, cut + 1]).equals(whole)) t.fail(`one byte alone at ${cut}`);
  }
  const single = Array.from({ length: bytes.length }, (_, i) => i);
  t.ok(stored(bytes, single).equals(whole), 'byte by byte');
  t.end();
});

t.test('F41 C2 Composer cuts long lines at the same places wherever the bytes are split', (t) => {
  const lengths = [
    LINE_BYTES_MAX - 1,
    LINE_BYTES_MAX,
    LINE_BYTES_MAX + 1,
    2 * LINE_BYTES_MAX,
    20001,
  ];
  const bytes = Buffer.concat(lengths.map((n) => Buffer.from(`${'x'.repeat(n)}\n`)));
  const whole = stored(bytes, []);
  const records = recordsIn(whole);
  t.same(originalOf(records), bytes);
  t.same(
    records.map(({ kind, text }) => `${kind} ${text.length}`),
    ['line 8191', 'line 8192', 'part 8192', 'line 1', 'part 8192', 'line 8192'].concat(
      'part 8192',
      'part 8192',
      'line 3617',
    ),
  );
  const near = lengths.flatMap((_, i) => {
    const end = lengths.slice(0, i + 1).reduce((sum, n) => sum + n + 1, 0);
    return [-2, -1, 0, 1, 2].map((by) => end + by);
  });
  const random = generator(4);
  const anywhere = Array.from({ length: 300 }, () => random(bytes.length));
  for (const cut of [...near, ...anywhere]) {
    if (!stored(bytes, [cut]).equals(whole)) t.fail(`split at ${cut}`);
  }
  t.end();
});

t.test('Composer takes a full read of newlines, and a full read without any', (t) => {
  for (const byte of [0x0a, 0x61, 0x00]) {
    const bytes = Buffer.alloc(3 * READ_BYTES_MAX, byte);
    t.same(originalOf(recordsIn(stored(bytes, []))), bytes, `byte ${byte}`);
  }
  t.end();
});

t.test('Composer serves many pipes in turn', (t) => {
  const random = generator(5);
  const composer = new Composer(HEAD);
  const pipes = Array.from({ length: 7 }, () => ({
    tail: emptyTail(),
    sent: [] as Buffer[],
    parts: [] as Buffer[],
  }));
  for (let turn = 0; turn < 2000; turn += 1) {
    const pipe = pipes[random(pipes.length)] ?? t.fail('no pipe');
    if (typeof pipe === 'boolean') break;
    const piece = randomBytes(random, random(400), 5 + random(300));
    composer.area.set(piece);
    composer.take(pipe.tail, piece.length, { append: (r) => pipe.parts.push(Buffer.from(r)) });
    pipe.sent.push(piece);
  }
  for (const { tail, sent, parts } of pipes) {
    composer.finish(tail, { append: (r) => parts.push(Buffer.from(r)) });
    t.ok(originalOf(recordsIn(Buffer.concat(parts))).equals(Buffer.concat(sent)));
  }
  t.end();
});
