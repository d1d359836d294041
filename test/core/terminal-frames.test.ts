/** Frames between a terminal and those who look at it. */
import t from 'tap';
import {
  encodeFrame,
  FRAME_PAYLOAD_MAX,
  type Frame,
  FrameReader,
  type Hello,
} from '../../src/core/terminal-frames.ts';

const HELLO: Hello = {
  version: 1,
  want: 'open',
  name: 'work',
  readOnly: false,
  size: { rows: 24, columns: 80 },
  command: ['echo', 'größer →'],
  term: 'xterm-256color',
};

const FRAMES: readonly Frame[] = [
  { kind: 'hello', hello: HELLO },
  { kind: 'hello', hello: { ...HELLO, want: 'list', name: null, size: null, term: null } },
  { kind: 'data', bytes: Uint8Array.of(0, 255, 27, 10) },
  { kind: 'resize', size: { rows: 300, columns: 4096 } },
  { kind: 'signal', signal: 2 },
  { kind: 'detach' },
  { kind: 'welcome', welcome: { version: 1, name: '1', isNew: true } },
  { kind: 'sessions', sessions: [{ name: '1', pid: 7, viewers: 0, command: 'é' }] },
  { kind: 'refused', reason: 'no' },
  { kind: 'ended', ending: { code: null, signal: 9 } },
  { kind: 'note', text: 'a line' },
];

t.test('what was encoded is read back, however the stream cuts it', async (t) => {
  const stream = Buffer.concat(FRAMES.map(encodeFrame));
  t.strictSame(new FrameReader().push(stream), FRAMES);
  const reader = new FrameReader();
  t.strictSame(
    [...stream].flatMap((byte) => reader.push(Uint8Array.of(byte))),
    FRAMES,
  );
});

t.test('more than a frame holds becomes several', async (t) => {
  const bytes = Uint8Array.from({ length: 3 * FRAME_PAYLOAD_MAX + 5 }, (_, i) => i % 251);
  const frames = new FrameReader().push(encodeFrame({ kind: 'data', bytes }));
  t.equal(frames.length, 4);
  const parts = frames.map((frame) => (frame.kind === 'data' ? frame.bytes : new Uint8Array()));
  t.ok(Buffer.concat(parts).equals(bytes));
  const reason = 'x'.repeat(FRAME_PAYLOAD_MAX);
  t.throws(() => encodeFrame({ kind: 'refused', reason }), /a frame refused of 65537 bytes/);
});

t.test('what a viewer may not say is refused', async (t) => {
  const raw = (text: string): Uint8Array =>
    Buffer.concat([Buffer.from(['h'.charCodeAt(0), 0, 0, text.length]), Buffer.from(text)]);
  const reads = (bytes: Uint8Array) => () => new FrameReader().push(bytes);
  for (const text of ['x\0\0\0', 'd\x01\0\0', 'GET / HTTP/1.0']) {
    t.throws(reads(Buffer.from(text)), /not a frame/, JSON.stringify(text));
  }
  for (const text of ['{}', '[]', 'null', '7', '{"version":1,"want":"dance"}']) {
    t.throws(reads(raw(text)), /not understood/, text);
  }
  t.throws(reads(raw('{')), SyntaxError);
  const wrong: readonly Partial<Record<keyof Hello, unknown>>[] = [
    { name: '../etc' },
    { name: '-x' },
    { name: '' },
    { term: 'a b' },
    { term: 'x'.repeat(33) },
    { command: 'sh' },
    { command: ['a\0b'] },
    { command: Array.from({ length: 257 }, () => 'x') },
    { readOnly: 1 },
    { size: {} },
    { size: { rows: 0, columns: 80 } },
    { size: { rows: 24, columns: 5000 } },
  ];
  for (const change of wrong) {
    const hello = { ...HELLO, ...change } as Hello;
    t.throws(
      reads(encodeFrame({ kind: 'hello', hello })),
      Error,
      JSON.stringify(change).slice(0, 60),
    );
  }
  for (const signal of [0, 65, 255]) {
    t.throws(reads(encodeFrame({ kind: 'signal', signal })), /no such signal/);
  }
  t.throws(reads(encodeFrame({ kind: 'resize', size: { rows: 0, columns: 1 } })), /that size/);
});
