/**
 * What a soak looks at every second, and the file it is written to. A moment in which svinit does
 * not answer is a large lag, not a gap.
 */
import { appendFileSync, writeFileSync } from 'node:fs';
import type { ServiceView } from '../../src/core/methods.ts';
import { type Cost, costOf } from './instance.ts';
import type { Count, Numbers } from './numbers.ts';
import { type Mark, pause, type Stage, servicesOf, versionOf } from './stage.ts';

export type Sample = Cost &
  Count & {
    /** Since the beginning. */
    readonly second: number;
    /** The longest that a `version` request on a fresh connection took since the sample before. */
    readonly lagMs: number;
    /** Services that are not in the state in which they are wanted. */
    readonly unwanted: number;
  };

/** Called when a sample or a mark is due. */
export class Sampler {
  readonly samples: Sample[] = [];
  readonly marks: Mark[] = [];
  readonly #stage: Stage;
  readonly #numbers: Numbers;
  readonly #paths: { readonly samples: string; readonly marks: string };
  readonly #beganAt: number = performance.now();
  #lagMs = 0;
  #askedAt: number | null = null;
  #isOver = false;
  #loops: Promise<unknown> = Promise.resolve();

  /** @param path Of the files, without what tells them apart. */
  constructor(stage: Stage, numbers: Numbers, path: string) {
    this.#stage = stage;
    this.#numbers = numbers;
    this.#paths = { samples: `${path}.csv`, marks: `${path}.events.csv` };
    writeFileSync(this.#paths.samples, `${COLUMNS.join(',')}\n`);
    writeFileSync(this.#paths.marks, 'second,act,what\n');
  }

  begin(): void {
    this.#loops = Promise.all([this.#probe(), this.#sample()]);
    // It is waited for in end(); until then nobody has to know.
    this.#loops.catch(() => {});
  }

  /** Waits for what is under way. Rejects with what made it stop early. */
  async end(): Promise<void> {
    this.#isOver = true;
    await this.#loops;
  }

  mark({ act, what }: Omit<Mark, 'second'>): void {
    const second = this.#second();
    this.marks.push({ second, act, what });
    appendFileSync(this.#paths.marks, `${second.toFixed(1)},${act},"${what}"\n`);
  }

  async #probe(): Promise<void> {
    while (!this.#isOver) {
      this.#askedAt = performance.now();
      await versionOf(this.#stage);
      this.#lagMs = Math.max(this.#lagMs, performance.now() - this.#askedAt);
      this.#askedAt = null;
      await pause(PROBE_MS);
    }
  }

  async #sample(): Promise<void> {
    while (!this.#isOver) {
      const dueAt = performance.now() + SAMPLE_MS;
      const services = await servicesOf(this.#stage);
      const unwanted = services.filter((service) => !isAsWanted(service)).length;
      const cost = costOf(this.#stage.svinit);
      const count = this.#numbers.look();
      const second = this.#second();
      const sample = { second, ...cost, lagMs: this.#takeLag(), unwanted, ...count };
      this.samples.push(sample);
      const cells = COLUMNS.map((column) => Math.round(sample[column] * 10) / 10);
      appendFileSync(this.#paths.samples, `${cells.join(',')}\n`);
      await pause(Math.max(0, dueAt - performance.now()));
    }
  }

  /** A request that has not been answered yet counts for as long as it has taken so far. */
  #takeLag(): number {
    const pending = this.#askedAt === null ? 0 : performance.now() - this.#askedAt;
    const lagMs = Math.max(this.#lagMs, pending);
    this.#lagMs = 0;
    return lagMs;
  }

  #second(): number {
    return (performance.now() - this.#beganAt) / 1000;
  }
}

/** Whether a service is in the state in which it is wanted. */
export function isAsWanted({ type, want, state }: ServiceView): boolean {
  if (type === 'bundle') return true;
  return want === 'up' ? state === 'up' || state === 'done' : state === 'down';
}

const SAMPLE_MS = 1000;
const PROBE_MS = 200;

const COLUMNS = [
  'second',
  'rss',
  'descriptors',
  'lagMs',
  'zombies',
  'unwanted',
  'read',
  'lost',
  'doubled',
  'told',
  'killed',
  'garbled',
  'unread',
] as const satisfies readonly (keyof Sample)[];
