/**
 * Numbered lines as writers print them (cast.ts) and as their logs have them: what is missing, what
 * is there twice, and what svlog said about it. Logs are read on from where they were read to, so
 * often that no archive is removed unread.
 */
import { LogReader } from '../../src/cli/logfiles.ts';
import type { LogRecord } from '../../src/core/logline.ts';

/** Lines so far, of all writers together. */
export type Count = {
  readonly read: number;
  /** Missing, and nothing says so. */
  readonly lost: number;
  /** There twice, although the writer printed them once. */
  readonly doubled: number;
  /** Missing, and svlog said in the log itself how many it dropped. */
  readonly told: number;
  /** Missing where svlog was killed with what it had read and not stored yet. */
  readonly killed: number;
  /** No line of a writer. */
  readonly garbled: number;
  /** Times that an archive was gone before it could be read: then nothing can be said. */
  readonly unread: number;
};

export class Numbers {
  readonly #writers: readonly Writer[];

  /**
   * @param dir Directory of all logs.
   * @param kills When svlog was killed, in milliseconds since 1970; may grow.
   */
  constructor(dir: string, names: readonly string[], kills: readonly number[]) {
    this.#writers = names.map((name) => new Writer(new LogReader(dir, name), kills));
  }

  /** Reads all that has been stored meanwhile. */
  look(): Count {
    const sum = { ...NONE };
    for (const writer of this.#writers) {
      writer.look();
      for (const key of Object.keys(sum) as (keyof Count)[]) sum[key] += writer.count[key];
    }
    return sum;
  }

  /** Writers that have not said their last number. */
  unfinished(): string[] {
    return this.#writers.filter(({ isFinished }) => !isFinished).map(({ name }) => name);
  }

  /** What was wrong with which writer: for people. */
  complaints(): string[] {
    return this.#writers.flatMap((writer) => writer.complaints);
  }

  close(): void {
    for (const writer of this.#writers) writer.close();
  }
}

const NONE = { read: 0, lost: 0, doubled: 0, told: 0, killed: 0, garbled: 0, unread: 0 };

const LINE = /^(\d+) (last )?(\d+)$/;
const DROPPED = /^svlog: (\d+) lines? dropped/;

export class Writer {
  readonly count: { -readonly [K in keyof Count]: number } = { ...NONE };
  readonly complaints: string[] = [];
  isFinished = false;
  readonly #reader: LogReader;
  readonly #kills: readonly number[];
  #hasBegun = false;
  #life = '';
  #number = 0;
  /** Records that svlog says it dropped since the line before. */
  #dropped = 0;
  #before: Pick<LogRecord, 'stampText' | 'timeMs'> = { stampText: '-', timeMs: 0 };

  constructor(reader: LogReader, kills: readonly number[]) {
    this.#reader = reader;
    this.#kills = kills;
  }

  get name(): string {
    return this.#reader.name;
  }

  look(): void {
    if (!this.#hasBegun) {
      this.#reader.begin(null);
      this.#reader.follow();
      this.#hasBegun = true;
    }
    for (let record = this.#reader.next(); record !== null; record = this.#reader.next()) {
      this.take(record);
    }
  }

  /** The next record of the log. */
  take(record: Pick<LogRecord, 'kind' | 'text' | 'stampText' | 'timeMs'>): void {
    const text = Buffer.from(record.text).toString();
    if (record.kind === 'remark') return this.#remark(text);
    const [, life = '', last, digits] = LINE.exec(text) ?? [];
    this.count.read += 1;
    if (digits === undefined || record.kind !== 'line') {
      this.count.garbled += 1;
      this.#complain(record, `'${text.slice(0, 60)}' is no line of a writer`);
    } else if (last !== undefined) {
      this.#expect(record, life, Number(digits) + 1);
      this.#number = Number(digits);
      this.isFinished = true;
    } else {
      this.#expect(record, life, Number(digits));
      this.#number = Math.max(this.#number, Number(digits));
      this.isFinished = false;
    }
    this.#life = life;
    this.#before = { stampText: record.stampText, timeMs: record.timeMs };
    this.#dropped = 0;
  }

  close(): void {
    this.#reader.close();
  }

  #remark(text: string): void {
    const [, dropped] = DROPPED.exec(text) ?? [];
    if (dropped !== undefined) this.#dropped += Number(dropped);
    else if (text.startsWith('svctl:')) this.count.unread += 1;
  }

  /** `number` should be the one after the last; at the seam of two lives it may be there again. */
  #expect(record: Pick<LogRecord, 'stampText' | 'timeMs'>, life: string, number: number): void {
    const missing = number - this.#number - 1;
    if (missing === 0 || (missing === -1 && life !== this.#life)) return;
    if (missing < 0) {
      this.count.doubled += 1;
      this.#complain(record, `${number} comes after ${this.#number}`);
      return;
    }
    const told = Math.min(missing, this.#dropped);
    const rest = missing - told;
    const isKill = this.#kills.some(
      (at) => at >= this.#before.timeMs - SKEW_MS && at <= record.timeMs + SKEW_MS,
    );
    this.count.told += told;
    this.count[isKill ? 'killed' : 'lost'] += rest;
    if (rest > 0 && !isKill) this.#complain(record, `${rest} lines are missing before ${number}`);
  }

  #complain({ stampText }: Pick<LogRecord, 'stampText'>, what: string): void {
    if (this.complaints.length >= COMPLAINTS_MAX) return;
    const { stampText: before } = this.#before;
    this.complaints.push(`${this.name}: ${what}, between ${before} and ${stampText}`);
  }
}

/** Between the moment a kill is noted here and the stamp of what was read just before it. */
const SKEW_MS = 50;
/** Of one writer: the first ones tell most. */
const COMPLAINTS_MAX = 5;
