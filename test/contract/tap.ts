/**
 * Prints TAP for programs that must run on both runtimes; `tap` itself cannot load on Bun. One point
 * is one named behaviour: it holds when its body returns, and fails with what the body throws.
 */

/** Runs `body` and prints its point. Points run one after the other: await each. */
export async function point(name: string, body: () => void | Promise<void>): Promise<void> {
  count += 1;
  try {
    await body();
    console.log(`ok ${count} - ${name}`);
  } catch (error) {
    failed += 1;
    console.log(`not ok ${count} - ${name}`);
    printDiagnosis(error instanceof Error ? (error.stack ?? error.message) : String(error));
  }
}

/** A point that cannot be shown here, and why. */
export function skip(name: string, why: string): void {
  count += 1;
  console.log(`ok ${count} - ${name} # SKIP ${why}`);
}

/** The plan, and the exit of the program: without it the run counts as broken off. */
export function done(): never {
  console.log(`1..${count}`);
  process.exit(failed === 0 ? 0 : 1);
}

let count = 0;
let failed = 0;

function printDiagnosis(text: string): void {
  const lines = text.split('\n').map((line) => `    ${line}`);
  console.log(['  ---', '  stack: |-', ...lines, '  ...'].join('\n'));
}
