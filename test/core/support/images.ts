/**
 * What images of a model svinit leave to each other: a ledger, as the supervisor keeps it, which
 * ends where the last image noted something.
 */
import { decodeCheckpoint, encodeCheckpoint } from '../../../src/core/checkpoint.ts';
import { turnRecord } from '../../../src/core/ledger.ts';
import type { Outcome, System, SystemOptions } from '../../../src/core/system.ts';

/** Records are folded into a whole state when there are so many. */
const RECORDS_MAX = 100;

export class LedgerModel {
  #base = '';
  #records: unknown[] = [];
  /** What has moved and is not noted yet. */
  #touched = new Set<string>();
  #jobs = new Set<number>();
  #whole = false;
  #definitions: System['definitions'] | null = null;

  /** Whether something has moved that the next image would not know. */
  isBehind({ definitions }: System): boolean {
    const some = this.#touched.size + this.#jobs.size > 0 || this.#whole;
    return some || definitions !== this.#definitions;
  }

  /** Something moved. */
  moved({ touched, jobs, whole }: Outcome): void {
    this.#whole ||= whole;
    for (const name of touched) this.#touched.add(name);
    for (const number of jobs) this.#jobs.add(number);
  }

  /** The whole state, as a fresh image writes it. */
  rewrite(system: System): void {
    this.#base = encodeCheckpoint(system);
    this.#definitions = system.definitions;
    this.#records = [];
    this.#touched = new Set();
    this.#jobs = new Set();
    this.#whole = false;
  }

  /** Notes what has moved. */
  note(system: System): void {
    if (!this.isBehind(system)) return;
    const isLong = this.#records.length >= RECORDS_MAX;
    if (isLong || system.definitions !== this.#definitions) return this.rewrite(system);
    this.#records.push(turnRecord(system, this.#touched, this.#jobs));
    this.#touched = new Set();
    this.#jobs = new Set();
    this.#whole = false;
  }

  /** What an image that died leaves; records went through JSON. */
  read(options: SystemOptions): System {
    const records = JSON.parse(JSON.stringify(this.#records)) as unknown[];
    const decoded = decodeCheckpoint(this.#base, options, records);
    if (!decoded.ok) throw new Error(decoded.reason);
    return decoded.system;
  }
}
