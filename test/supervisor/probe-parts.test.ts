/** The parts of svprobe by themselves: lines of a log, answers that a server may give. */
import { readFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import t, { type Test } from 'tap';
import type { Probe } from '../../src/core/probe.ts';
import { beginning } from '../../src/core/prober.ts';
import { ms } from '../../src/core/units.ts';
import { Lines, type LogLines } from '../../src/probe/lines.ts';
import { tryFile, tryHttp, tryTcp } from '../../src/probe/tries.ts';

type Kind = 'line' | 'part' | 'remark';
type Row = readonly [Kind, string];

/** A log of which the last `count` rows are found first, and all when it is begun with null. */
function logOf(rows: Row[], count = rows.length): LogLines & { begun: (number | null)[] } {
  let at = 0;
  const begun: (number | null)[] = [];
  return {
    begun,
    begin: (asked) => {
      begun.push(asked);
      at = asked === null ? 0 : rows.length - count;
    },
    follow: () => {},
    next: () => {
      const [kind, text] = rows[at] ?? [];
      if (kind === undefined) return null;
      at += 1;
      return { kind, text: Buffer.from(text ?? '') };
    },
    close: () => {},
  };
}

const stat = readFileSync('/proc/self/stat', 'latin1');
const begins = beginning(
  process.pid,
  stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '',
  readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim(),
);
const linesOf = (log: LogLines): Lines => new Lines(log, process.pid, 'up*now', 0);

t.test('only what comes behind the beginning of this run counts', async (t) => {
  const rows: Row[] = [
    ['line', 'up and running now'],
    ['line', begins.replace(/ at \d+/, ' at 1')],
    ['line', 'up by now, says another run with the same pid'],
    ['line', `what was not ended${begins}`],
    ['line', 'not yet'],
  ];
  const lines = linesOf(logOf(rows));
  t.match(lines.look(1), { ok: false, isMore: false });
  rows.push(['remark', 'up now'], ['part', 'it is u'], ['line', 'p and running n']);
  t.match(lines.look(2), { ok: false });
  rows.push(['line', ''], ['part', 'it is u'], ['line', 'p right now']);
  t.match(lines.look(3), { ok: true, detail: 'printed: it is up right now' });
});

t.test('a run that began long ago is looked for in all of the log', async (t) => {
  const log = logOf(
    [
      ['line', begins],
      ['line', 'up now'],
      ['line', 'x'],
    ],
    1,
  );
  const lines = linesOf(log);
  t.match(lines.look(1), { ok: false });
  t.match(lines.look(2500), { ok: false });
  t.match(lines.look(2600), { ok: true });
  t.same(log.begun, [5000, null]);
});

t.test('a log without end is looked at piece by piece', async (t) => {
  const rows = Array.from({ length: 6000 }, (): Row => ['line', 'x']);
  const lines = linesOf(logOf(rows));
  t.match(lines.look(1), { isMore: true });
  t.match(lines.look(2), { isMore: false });
});

const probe: Probe = { interval: ms(1), timeout: ms(1), retries: null };
const limits = (timeoutMs = 10_000) => ({ timeoutMs, signal: new AbortController().signal });

async function serve(t: Test, answer: (socket: Socket) => void) {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on('error', () => {});
    socket.once('data', () => answer(socket));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => {
    for (const socket of open) socket.destroy();
    server.close();
  });
  const { port } = server.address() as AddressInfo;
  return { host: '127.0.0.1', port, path: '/health' };
}

const ANSWERS: readonly (readonly [string, boolean, string])[] = [
  ['HTTP/1.1 200 OK\r\n\r\n', true, 'answered 200'],
  ['HTTP/1.0 204 \r\n\r\n', true, 'answered 204'],
  ['HTTP/1.1 103 Early Hints\r\nLink: x\r\n\r\nHTTP/1.1 299 X\r\n\r\n', true, 'answered 299'],
  ['HTTP/1.1 302 Found\r\nLocation: http://192.0.2.1/\r\n\r\n', false, 'answered 302'],
  ['HTTP/1.1 503 Busy\r\n\r\n', false, 'answered 503'],
  ['HTTP/2 200\r\n\r\n', false, 'hung up without an answer'],
  ['SSH-2.0-x\r\n', false, 'hung up without an answer'],
  ['x'.repeat(20_000), false, 'what answers does not speak HTTP'],
  ['', false, 'hung up without an answer'],
];

t.test('an answer is good by its status alone', async (t) => {
  for (const [text, ok, detail] of ANSWERS) {
    const page = await serve(t, (socket) => socket.end(text));
    t.same(await tryHttp(page, probe, limits()), { ok, detail }, JSON.stringify(text.slice(0, 20)));
  }
  const page = await serve(t, (socket) => socket.end('HTTP/1.1 401 No\r\n\r\n'));
  t.match(await tryHttp(page, { ...probe, status: [401] }, limits()), { ok: true });
});

t.test('what hangs ends in its time', async (t) => {
  const page = await serve(t, () => {});
  t.same(await tryHttp(page, probe, limits(50)), { ok: false, detail: 'no answer within 50 ms' });
  t.same(await tryTcp(page, limits()), { ok: true, detail: 'connected' });
  const controller = new AbortController();
  const asked = tryHttp(page, probe, { timeoutMs: 60_000, signal: controller.signal });
  controller.abort();
  t.match(await asked, { ok: false }, 'or when nobody wants to know any more');
  t.match(await tryTcp({ host: 'example.org', port: 80 }, limits()), {
    detail: 'example.org is no address',
  });
  t.match(await tryFile('/nowhere', null, limits()), { ok: false, detail: 'is not there' });
});
