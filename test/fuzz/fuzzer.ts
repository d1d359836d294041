/**
 * Runs one target: its corpus, or inputs from seeds. What fails is made smaller and handed back as
 * a corpus file, ready to be put into the tree. The same seed and corpus give the same input.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { randomFrom } from '../core/support/random.ts';
import { shrink } from './shrink.ts';
import { type CorpusFile, type Target, takeMeasured } from './target.ts';

export type Failure = {
  readonly target: string;
  /** Of the round, or null when a file of the corpus failed. */
  readonly seed: number | null;
  readonly error: Error;
  /** The smallest input that still fails. */
  readonly file: CorpusFile & { readonly path: string };
  /** Sizes before and after it was made smaller. */
  readonly bytes: readonly [before: number, after: number];
};

/** The input that took the longest for its size; only large ones are looked at. */
export type Slowest = {
  readonly msPer64KiB: number;
  readonly bytes: number;
  readonly from: string;
};

export interface Fuzzer {
  readonly name: string;
  readonly rounds: number;
  /** The files of the corpus. */
  readonly corpus: readonly string[];
  replay(file: string): Promise<Failure | null>;
  round(seed: number): Promise<Failure | null>;
  /** Null as long as no input was large. */
  slowest(): Slowest | null;
}

/** How often a smaller input is tried. */
const TRIES_MAX = 3000;
/** Smaller inputs say more of the clock than of the code. */
const TIMED_BYTES_MIN = 4096;
/** Characters of a file that are printed. */
const SHOWN_MAX = 4000;
/** How many of the inputs are a mutation of one of the corpus. */
const MUTATED = 0.35;

/** @param triesMax For targets that take long. */
export function fuzzer<I>(target: Target<I>, triesMax: number = TRIES_MAX): Fuzzer {
  return new TargetFuzzer(target, triesMax);
}

/** The folder of a target's corpus. */
export function corpusOf(target: string): string {
  return fileURLToPath(new URL(`./corpus/${target}/`, import.meta.url));
}

/** A failure as a person needs it: what, the input as a file, and how to have it again. */
export function report({ target, seed, error, file, bytes: [before, after] }: Failure): string {
  const again = seed === null ? '' : ` --seed=${seed} --rounds=1`;
  const [message = '', ...stack] = (error.stack ?? error.message).split('\n');
  return [
    `${target}${seed === null ? '' : `, seed ${seed}`}: ${message}`,
    ...stack.slice(0, 8),
    `made smaller from ${before} to ${after} bytes; to keep it: ${file.path}`,
    '-----',
    file.text.length > SHOWN_MAX ? `${file.text.slice(0, SHOWN_MAX)}...` : file.text.trimEnd(),
    '-----',
    `again: node scripts/fuzz.ts${again} ${target}`,
  ].join('\n');
}

class TargetFuzzer<I> implements Fuzzer {
  readonly corpus: readonly string[];
  readonly #target: Target<I>;
  readonly #triesMax: number;
  readonly #inputs: readonly I[];
  #slowest: Slowest | null = null;

  constructor(target: Target<I>, triesMax: number) {
    this.#target = target;
    this.#triesMax = triesMax;
    this.corpus = filesOf(corpusOf(target.name));
    this.#inputs = this.corpus.map((file) => target.form.read(corpusFile(target.name, file)));
  }

  get name(): string {
    return this.#target.name;
  }

  get rounds(): number {
    return this.#target.rounds;
  }

  slowest(): Slowest | null {
    return this.#slowest;
  }

  async replay(file: string): Promise<Failure | null> {
    const input = this.#inputs[this.corpus.indexOf(file)];
    return input === undefined ? null : this.#judge(input, null, file);
  }

  async round(seed: number): Promise<Failure | null> {
    const { form, generate } = this.#target;
    const random = randomFrom(seed);
    const input =
      this.#inputs.length > 0 && random.chance(MUTATED)
        ? form.mutate(random, random.pick(this.#inputs))
        : generate(random);
    return this.#judge(input, seed, `seed ${seed}`);
  }

  async #judge(input: I, seed: number | null, from: string): Promise<Failure | null> {
    const { name, form } = this.#target;
    const bytes = form.size(input);
    takeMeasured();
    const error = await this.#failureOf(input);
    this.#time(bytes, takeMeasured(), from);
    if (error === null) return null;
    const smallest = await shrink(
      { input, error },
      form.simpler,
      (smaller) => this.#failureOf(smaller),
      this.#triesMax,
    );
    const file = form.write(smallest.input);
    const path = `test/fuzz/corpus/${name}/${seed === null ? 'smaller' : seed}.${file.extension}`;
    return {
      target: name,
      seed,
      error: smallest.error,
      file: { ...file, path },
      bytes: [bytes, form.size(smallest.input)],
    };
  }

  async #failureOf(input: I): Promise<Error | null> {
    try {
      await this.#target.run(input);
      insistClean();
      return null;
    } catch (error) {
      return error instanceof Error ? error : new Error(String(error));
    }
  }

  #time(bytes: number, ms: number, from: string): void {
    if (bytes < TIMED_BYTES_MIN) return;
    const msPer64KiB = (ms * 65_536) / bytes;
    if (msPer64KiB > (this.#slowest?.msPer64KiB ?? 0)) this.#slowest = { msPer64KiB, bytes, from };
  }
}

function filesOf(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function corpusFile(target: string, file: string): CorpusFile {
  const extension = file.endsWith('.hex') ? 'hex' : 'txt';
  return { extension, text: readFileSync(corpusOf(target) + file, 'utf8') };
}

/** What every object inherits; an input that changes it has got out of its box. */
const PROTOTYPES: readonly (readonly [object, number])[] = [
  Object.prototype,
  Array.prototype,
  Function.prototype,
  String.prototype,
  Number.prototype,
].map((prototype) => [prototype, Reflect.ownKeys(prototype).length]);

function insistClean(): void {
  for (const [prototype, keys] of PROTOTYPES) {
    const now = Reflect.ownKeys(prototype);
    if (now.length !== keys) throw new Error(`A prototype has changed: ${now.map(String).at(-1)}`);
  }
}
