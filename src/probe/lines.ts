/**
 * Looks for a line that a service prints in the log that svlog writes. Only what comes behind the
 * line with which this run of the service begins counts (core/prober.ts), whatever is in the log
 * before it and whenever svlog wrote it.
 */
import { readFileSync } from 'node:fs';
import { decodeUtf8 } from '../core/logline.ts';
import { hasLine } from '../core/probe.ts';
import type { Tried } from '../core/probe-tally.ts';
import { beginning } from '../core/prober.ts';

/** The log of one service, through its rotations. */
export type LogLines = {
  /** At its last `count` records, or at its beginning with null. */
  begin(count: number | null): void;
  follow(): void;
  /** Null: none yet. */
  next(): { readonly kind: 'line' | 'part' | 'remark'; readonly text: Uint8Array } | null;
  close(): void;
};

/** Records looked at first: a run that has just begun is among them. */
const FIRST_RECORDS = 5000;
/** Records at a time, so that a long log does not hold the other probes. */
const LOOK_RECORDS = 5000;
/** When a run that is not found by then is looked for in all of the log, in milliseconds. */
const SEARCH_AFTER_MS = 2000;
/** Of one line; what comes behind that is not looked at. */
const LINE_CHARS_MAX = 16_384;

export class Lines {
  readonly #log: LogLines;
  readonly #pattern: string;
  readonly #begins: string;
  readonly #openedAt: number;
  #isFound = false;
  #isSearched = false;
  #line = '';

  /**
   * @param pid The process that is to say it.
   * @throws the error of node:fs when the process is gone.
   */
  constructor(log: LogLines, pid: number, pattern: string, now: number) {
    this.#log = log;
    this.#pattern = pattern;
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
    this.#begins = beginning(pid, startOf(pid), boot);
    this.#openedAt = now;
    log.begin(FIRST_RECORDS);
    log.follow();
  }

  /** Looks at what is new; `isMore`: there is more than was looked at. */
  look(now: number): Tried & { readonly isMore: boolean } {
    for (let count = 0; count < LOOK_RECORDS; count += 1) {
      const record = this.#log.next();
      if (record === null) return { ...this.#notYet(now), isMore: false };
      if (record.kind === 'remark') continue;
      const line = (this.#line + decodeUtf8(record.text)).slice(0, LINE_CHARS_MAX);
      this.#line = record.kind === 'part' ? line : '';
      // What the run before did not end stands in the same line.
      if (line.endsWith(this.#begins)) this.#isFound = true;
      else if (this.#isFound && hasLine(this.#pattern, line)) {
        return { ok: true, detail: `printed: ${line}`, isMore: false };
      }
    }
    return { ok: false, detail: 'not printed yet', isMore: true };
  }

  close(): void {
    this.#log.close();
  }

  #notYet(now: number): Tried {
    if (!this.#isFound && !this.#isSearched && now - this.#openedAt >= SEARCH_AFTER_MS) {
      this.#isSearched = true;
      this.#log.begin(null);
      this.#log.follow();
    }
    return { ok: false, detail: 'not printed yet' };
  }
}

/** When a process started, as proc_pid_stat(5) tells it: field 22, the 20th behind the name. */
function startOf(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}
