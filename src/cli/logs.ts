/**
 * `svctl logs`: what services said, in the order of time. It reads the files of svlog and needs no
 * svinit. Which records are shown is decided here, how they look in logrow.ts.
 */
import { writeSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { LogRecord } from '../core/logline.ts';
import { fileNameOf } from '../core/names.ts';
import { didYouMean } from '../core/suggest.ts';
import { EXIT, errorCode, Failure } from './failure.ts';
import { LogReader, logDirectory, logNames } from './logfiles.ts';
import { Bell, Merger } from './logmerge.ts';
import { type RowOf, rowMaker, rowText, textOf } from './logrow.ts';
import { OutputClosed } from './terminal.ts';

export type LogsOptions = {
  /** Services in any order; none: all that have a log. */
  readonly names: readonly string[];
  /** Go on with new lines until the reader of the output goes away, or a signal ends svctl. */
  readonly follow: boolean;
  /** The last so many lines of all together; null: everything, or with `follow` the last ten. */
  readonly lines: number | null;
  /** One JSON object a line. */
  readonly json: boolean;
  /** The bytes the services wrote and nothing else. */
  readonly raw: boolean;
  /** Directory of the logs, where it is not $SVINIT_LOG or /run/log/svinit. */
  readonly dir?: string;
};

export type LogsOut = {
  /** Control characters are shown, not obeyed. */
  readonly isTerminal: boolean;
  /** Takes all of `bytes`. @throws {OutputClosed} when nobody reads any more. */
  readonly write: (bytes: Uint8Array) => void;
};

/**
 * Without `-n` everything that is kept is shown, as by journalctl and `docker logs`, so that
 * `svctl logs web | grep` misses nothing; with `-f` the last ten lines come first, as by `tail -f`.
 */
export const FOLLOW_LINES = 10;

/**
 * Shows logs; gives the exit code 0.
 * @throws {Failure} exit 4 when a named service has no log, 7 when they may not be read.
 */
export async function logs(options: LogsOptions, out: LogsOut = standardOutput()): Promise<number> {
  const dir = options.dir ?? logDirectory();
  const merger = new Merger();
  const names = chooseNames(dir, options.names);
  const nameColumns =
    options.names.length === 1 ? null : Math.max(0, ...names.map((name) => name.length));
  const { json, raw } = options;
  const rowOf = rowMaker({ json, raw, isTerminal: out.isTerminal, nameColumns });
  const count = options.lines ?? (options.follow ? FOLLOW_LINES : null);
  try {
    for (const name of names) merger.add(openReader(dir, name, count));
    if (count === null) showAll(merger, rowOf, out);
    else showLast(merger, rowOf, out, count);
    if (options.follow) await follow(merger, rowOf, out, dir, options.names.length === 0);
  } catch (error) {
    if (!(error instanceof OutputClosed)) throw error;
  } finally {
    merger.close();
  }
  return EXIT.done;
}

/**
 * The last `count` lines of one service, oldest first, ready for a terminal; none when it has no
 * log or it cannot be read.
 */
export function lastLines(name: string, count: number, dir: string = logDirectory()): string[] {
  return lastRecords(name, count, dir, rowText);
}

/** The text of the last line alone, ready for a terminal; null when there is none. */
export function lastText(name: string, dir: string = logDirectory()): string | null {
  return lastRecords(name, 1, dir, textOf).at(-1) ?? null;
}

function lastRecords(
  name: string,
  count: number,
  dir: string,
  shown: (name: string, record: LogRecord) => string,
): string[] {
  const reader = new LogReader(dir, name);
  const rows: string[] = [];
  try {
    reader.begin(count);
    for (let record = reader.next(); record !== null; record = reader.next()) {
      rows.push(shown(name, record));
    }
  } catch (error) {
    if (errorCode(error) === null) throw error;
  } finally {
    reader.close();
  }
  return rows;
}

/** Descriptor 1, whether it blocks or not. */
export function standardOutput(): LogsOut {
  return { isTerminal: isatty(1), write: writeAll };
}

/** Rows written at once. */
const BATCH_ROWS = 256;

/** Under a flood, new services are looked for after so many rows. */
const TURN_ROWS = 10_000;

/** How often files are looked at even when nothing is heard of them. */
const POLL_MS = 1000;

/** How long to sleep when a non-blocking output is full, in milliseconds. */
const FULL_SLEEP_MS = 5;

function chooseNames(dir: string, wanted: readonly string[]): readonly string[] {
  const known = knownNames(dir);
  const unknown = wanted.find((name) => !known.includes(name));
  if (unknown === undefined) return wanted.length === 0 ? known : [...new Set(wanted)];
  const message = `There is no log of '${unknown}'${didYouMean(unknown, known)}`;
  const list = known.length === 0 ? 'no service has a log yet' : `there are ${known.join(', ')}`;
  throw new Failure(EXIT.noSuchService, message, list);
}

function knownNames(dir: string): string[] {
  try {
    return logNames(dir);
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return [];
    throw refused(error, `Cannot read the logs in ${dir}`);
  }
}

function openReader(dir: string, name: string, count: number | null): LogReader {
  const reader = new LogReader(dir, name);
  try {
    reader.begin(count);
    return reader;
  } catch (error) {
    reader.close();
    throw refused(error, `Cannot read the log of ${name}`);
  }
}

function refused(error: unknown, what: string): unknown {
  const code = errorCode(error);
  if (code === null) return error;
  const isForbidden = code === 'EACCES' || code === 'EPERM';
  return new Failure(
    isForbidden ? EXIT.permission : EXIT.failed,
    `${what}: it failed with ${code}`,
  );
}

function showAll(merger: Merger, rowOf: RowOf, out: LogsOut): void {
  while (showSome(merger, rowOf, out)) {}
}

/** Shows at most TURN_ROWS rows; whether there may be more. */
function showSome(merger: Merger, rowOf: RowOf, out: LogsOut): boolean {
  let batch: Uint8Array[] = [];
  for (let rows = 0; rows < TURN_ROWS; rows += 1) {
    const head = merger.next();
    if (head !== null) batch.push(rowOf(head.name, head.record));
    if (batch.length === BATCH_ROWS || (head === null && batch.length > 0)) {
      out.write(Buffer.concat(batch));
      batch = [];
    }
    if (head === null) return false;
  }
  if (batch.length > 0) out.write(Buffer.concat(batch));
  return true;
}

function showLast(merger: Merger, rowOf: RowOf, out: LogsOut, count: number): void {
  let rows: Uint8Array[] = [];
  for (let head = merger.next(); head !== null; head = merger.next()) {
    rows.push(rowOf(head.name, head.record));
    if (rows.length >= 2 * count + BATCH_ROWS) rows = rows.slice(-count);
  }
  const last = Buffer.concat(count === 0 ? [] : rows.slice(-count));
  if (last.length > 0) out.write(last);
}

async function follow(
  merger: Merger,
  rowOf: RowOf,
  out: LogsOut,
  dir: string,
  all: boolean,
): Promise<never> {
  const bell = new Bell();
  try {
    if (all) bell.hang(dir);
    for (const name of merger.names()) bell.hang(dir, fileNameOf(name));
    for (;;) {
      const names = all ? knownNames(dir).filter((name) => !merger.names().has(name)) : [];
      for (const name of names) {
        bell.hang(dir, fileNameOf(name));
        merger.add(openReader(dir, name, null));
      }
      merger.follow();
      if (!showSome(merger, rowOf, out)) await bell.heard(POLL_MS);
    }
  } finally {
    bell.close();
  }
}

/** Synchronous, so that what is read is never ahead of what is written. */
function writeAll(bytes: Uint8Array): void {
  for (let rest = bytes; rest.length > 0; ) {
    try {
      rest = rest.subarray(writeSync(1, rest));
    } catch (error) {
      const code = errorCode(error);
      if (code === 'EPIPE') throw new OutputClosed('Nobody reads the output');
      if (code !== 'EAGAIN') throw refused(error, 'Cannot write to stdout');
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, FULL_SLEEP_MS);
    }
  }
}
