/**
 * The log splitter: the bytes that services wrote are the texts of the records, whatever way pipes
 * cut them, whoever else writes meanwhile; and how they were cut changes no record.
 */
import { type LogRecord, parseRecord, STAMP_CHARS } from '../../../src/core/logline.ts';
import {
  Composer,
  emptyTail,
  LINE_BYTES_MAX,
  READ_BYTES_MAX,
  type Tail,
} from '../../../src/log/compose.ts';
import { type Random, randomFrom } from '../../core/support/random.ts';
import { bytesForm, concat, randomBytes, randomLength } from '../bytes.ts';
import { insist, measured, shown, type Target } from '../target.ts';

const HEAD: Buffer = Buffer.from('2026-11-21T00:10:00.123456Z ');
const NEWLINE = 0x0a;
const NOTHING: Uint8Array = new Uint8Array();

export const log: Target<Uint8Array> = {
  name: 'log',
  form: bytesForm(['\n', '\n\n', HEAD.toString(), `${HEAD}\n`, '2026-11-21T00:10:00.123456Z+']),
  rounds: 2500,
  generate: (random) => concat(Array.from({ length: random.below(5) }, () => some(random))),
  run: (bytes) => {
    const wanted = recordsOf([bytes], wholeReads)[0] ?? NOTHING;
    checkRecords(bytes, wanted);
    for (const seed of [1, 2, 3]) {
      const random = randomFrom(bytes.length + seed);
      const other = bytes.toReversed();
      const found = recordsOf([bytes, other, new Uint8Array()], (left) =>
        randomReads(random, left),
      );
      insistSameRecords(found[0] ?? NOTHING, wanted);
      checkRecords(other, found[1] ?? NOTHING);
      insist(found[2]?.length === 0, () => 'records from nowhere');
    }
  },
};

function some(random: Random): Uint8Array {
  const dice = random.next();
  if (dice < 0.3) return randomBytes(random, randomLength(random, 3000));
  if (dice < 0.6) return randomBytes(random, randomLength(random, 3000), 'ab\n');
  const around = random.pick([LINE_BYTES_MAX, 2 * LINE_BYTES_MAX, READ_BYTES_MAX, 256, 10]);
  const line = new Uint8Array(around + random.below(5) - 2).fill(0x61);
  const times = random.chance(0.1) ? random.below(20) : 1;
  const end = random.chance(0.7) ? [NEWLINE] : [];
  return concat(Array(times).fill(new Uint8Array([...line, ...end])));
}

/** How many bytes the next read gets, of those that are left in its pipe. */
type Reads = (left: number) => number;

const wholeReads: Reads = (left) => Math.min(left, READ_BYTES_MAX);

function randomReads(random: Random, left: number): number {
  const most = Math.min(left, READ_BYTES_MAX);
  return random.chance(0.5) ? 1 + random.below(Math.min(most, 20)) : 1 + random.below(most);
}

/** What a composer makes of several pipes that are read in turn. */
function recordsOf(pipes: readonly Uint8Array[], reads: Reads): Uint8Array[] {
  const composer = new Composer(HEAD);
  const outputs: Uint8Array[][] = pipes.map(() => []);
  const tails: Tail[] = pipes.map(() => emptyTail());
  const sinkOf = (i: number) => ({
    append: (records: Uint8Array) => void outputs[i]?.push(new Uint8Array(records)),
  });
  const at = pipes.map(() => 0);
  for (let open = true; open; ) {
    open = false;
    for (const [i, pipe] of pipes.entries()) {
      const [from = 0, tail] = [at[i], tails[i]];
      if (from >= pipe.length || tail === undefined) continue;
      const count = reads(pipe.length - from);
      composer.area.set(pipe.subarray(from, from + count));
      measured(() => composer.take(tail, count, sinkOf(i)));
      insist(tail.length <= LINE_BYTES_MAX, () => `a tail of ${tail.length} bytes`);
      insist(tail.bytes.length <= 2 * LINE_BYTES_MAX, () => `${tail.bytes.length} bytes are held`);
      at[i] = from + count;
      open = true;
    }
  }
  for (const [i, tail] of tails.entries()) composer.finish(tail, sinkOf(i));
  return outputs.map(concat);
}

/** Read back as records, they are the bytes that were written, in order, none added or lost. */
function checkRecords(written: Uint8Array, records: Uint8Array): void {
  insist(records.length === 0 || records.at(-1) === NEWLINE, () => 'the last record has no end');
  const found: Uint8Array[] = [];
  for (let from = 0; from < records.length; ) {
    const end = records.indexOf(NEWLINE, from);
    const record = recordOf(records.subarray(from, end));
    insist(record.text.length <= LINE_BYTES_MAX, () => `a record of ${record.text.length} bytes`);
    found.push(record.text);
    if (record.kind === 'line') found.push(new Uint8Array([NEWLINE]));
    from = end + 1;
  }
  insistSameBytes(concat(found), written, 'the bytes read back');
}

function recordOf(bytes: Uint8Array): LogRecord {
  const record = measured(() => parseRecord(bytes));
  insist(record !== null, () => `no record: ${shown(Buffer.from(bytes).toString('latin1'))}`);
  insist(record.stampText === HEAD.toString('latin1', 0, STAMP_CHARS), () => record.stampText);
  insist(record.kind !== 'remark', () => 'a remark that nobody made');
  return record;
}

function insistSameRecords(found: Uint8Array, wanted: Uint8Array): void {
  insistSameBytes(found, wanted, 'the records of bytes that come in other pieces');
}

function insistSameBytes(found: Uint8Array, wanted: Uint8Array, what: string): void {
  if (Buffer.compare(found, wanted) === 0) return;
  let at = 0;
  while (found[at] === wanted[at]) at += 1;
  const near = (bytes: Uint8Array): string =>
    shown(Buffer.from(bytes.subarray(Math.max(0, at - 20), at + 20)).toString('latin1'));
  throw new Error(`${what} differ at ${at}: ${near(found)}, not ${near(wanted)}`);
}
