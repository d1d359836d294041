/**
 * The chaos soak, short: one after another, whatever can be done to svinit and its services, in an
 * order drawn from a seed, and in the end nothing may be left of it. `make soak` does it for longer.
 */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { chaos } from '../../scripts/soak/chaos.ts';
import { end } from '../../scripts/soak/instance.ts';
import { Writer } from '../../scripts/soak/numbers.ts';
import { LogReader } from '../../src/cli/logfiles.ts';

const MINUTES = 0.2;
const SERVICES = 60;
const SEED = 20;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: ${SERVICES} services come to rest after chaos`, async (t) => {
    t.teardown(end);
    const options = { minutes: MINUTES, services: SERVICES, seed: SEED, into: 'build/test/soak' };
    const { ok, told } = await chaos(runtime, options);
    for (const line of told) t.comment(line);
    t.ok(ok, told.filter((line) => line.startsWith('WRONG')).join('; ') || 'all is well');
  });
}

/** The counts after these lines; `!N` is svlog's word that N were dropped, `K` a kill of svlog. */
function counted(...lines: readonly string[]): Writer['count'] {
  const kills: number[] = [];
  const writer = new Writer(new LogReader('/nowhere', 'w'), kills);
  for (const [second, line] of lines.entries()) {
    const stamp = { stampText: String(second), timeMs: second * 1000 };
    const remark = `svlog: ${line.slice(1)} lines dropped: write failed with ENOSPC`;
    if (line === 'K') kills.push(second * 1000);
    else if (line.startsWith('!')) writer.take({ ...stamp, kind: 'remark', text: bytes(remark) });
    else writer.take({ ...stamp, kind: 'line', text: bytes(line) });
  }
  return writer.count;
}

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

t.test('lines that are missing, doubled or garbled are counted as such', (t) => {
  const clean = { lost: 0, doubled: 0, told: 0, killed: 0, garbled: 0, unread: 0 };
  t.match(counted('7 1', '7 2', '7 3', '7 last 3'), { ...clean, read: 4 });
  t.match(counted('7 1', '7 2', '8 2', '8 3'), clean, 'two lives meet in one number');
  t.match(counted('7 1', '7 4'), { ...clean, lost: 2 });
  t.match(counted('7 2'), { ...clean, lost: 1 }, 'the first');
  t.match(counted('7 1', '7 2', '7 last 4'), { ...clean, lost: 2 }, 'the last');
  t.match(counted('7 1', '8 3'), { ...clean, lost: 1 }, 'between two lives');
  t.match(counted('7 1', '7 1'), { ...clean, doubled: 1 });
  t.match(counted('7 1', '7 2', '8 1'), { ...clean, doubled: 1 });
  t.match(counted('7 1', '!2', '7 4'), { ...clean, told: 2 });
  t.match(counted('7 1', '!2', '7 5'), { ...clean, told: 2, lost: 1 });
  t.match(counted('7 1', 'K', '7 3'), { ...clean, killed: 1 });
  t.match(counted('7 1', '7 2', 'K', '7 3', '7 5'), { ...clean, lost: 1 }, 'not by that kill');
  t.match(counted('7 1', '7 7 2'), { ...clean, garbled: 1 });
  t.end();
});
