/**
 * Reads the TAP of a whole test run and counts test points at the leaves.
 *
 * The line that closes a subtest repeats what its own lines said and is no point of its own, except
 * when it alone failed: then the subtest broke in another way, by its exit code or by its plan.
 */
import { Parser, type Result } from 'tap-parser';

export type Tally = { passed: number; failed: number; skipped: number };

/** A leaf that failed: the names down to it, and what it said as YAML. */
export type Failure = { readonly path: readonly string[]; readonly detail: string };

/** One test of the outermost level, which is a file. */
export type FileResult = {
  readonly name: string;
  readonly ok: boolean;
  readonly tally: Tally;
  readonly failures: readonly Failure[];
  readonly timeMs: number | null;
};

type Collected = { tally: Tally; failures: Failure[] };

export class LeafCounter {
  readonly #parser = new Parser();
  #file: Collected = nothing();

  /** @param onFile called once for each file, when it has ended. */
  constructor(onFile: (file: FileResult) => void) {
    this.#listen(this.#parser, []);
    this.#parser.on('assert', ({ name, ok, time }: Result) => {
      const { tally, failures } = this.#file;
      this.#file = nothing();
      onFile({ name, ok, tally, failures, timeMs: time });
    });
  }

  write(text: string): void {
    this.#parser.write(text);
  }

  end(): void {
    this.#parser.end();
  }

  #listen(parser: Parser, path: readonly string[]): void {
    let failedBefore = 0;
    parser.on('child', (child: Parser) => {
      failedBefore = this.#file.tally.failed;
      this.#listen(child, [...path, child.name]);
    });
    parser.on('assert', (point: Result) => {
      const repeats =
        point.closingTestPoint && (point.ok || this.#file.tally.failed > failedBefore);
      if (!repeats || point.skip !== false) this.#count(point, path);
    });
  }

  #count(point: Result, path: readonly string[]): void {
    const { tally, failures } = this.#file;
    if (point.skip !== false || point.todo !== false) tally.skipped += 1;
    else if (point.ok) tally.passed += 1;
    else {
      tally.failed += 1;
      failures.push({ path: [...path, point.name], detail: detailOf(point) });
    }
  }
}

function nothing(): Collected {
  return { tally: { passed: 0, failed: 0, skipped: 0 }, failures: [] };
}

/** The diagnostics, texts of several lines as they were. */
function detailOf({ diag }: Result): string {
  return Object.entries(diag ?? {})
    .map(([key, value]) =>
      typeof value === 'string' ? `${key}: ${value}` : `${key}: ${JSON.stringify(value)}`,
    )
    .join('\n');
}
