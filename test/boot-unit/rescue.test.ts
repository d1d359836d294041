/**
 * Programs for a boot that stops or has failed: what they offer, and how they are used.
 */
import { execFile } from 'node:child_process';
import t from 'tap';
import { rescueChoices } from '../../src/core/rescue-choices.ts';

const letters = (shell: boolean, first: boolean, last: boolean): string =>
  rescueChoices({ shell }, { first, last })
    .map(([letter]) => letter)
    .join('');

t.test('rescueChoices() offers what can be done, and a shell only where one may be', async (t) => {
  t.equal(letters(true, false, false), 'rscbp');
  t.equal(letters(false, false, false), 'rcbp', 'rd.shell=0');
  t.equal(letters(true, true, false), 'rsbp', 'nothing to go on with');
  t.equal(letters(true, true, true), 'sbp', 'nothing to try again');
});

/** Arguments, exit code, and what is printed. */
const USES: readonly (readonly [string, readonly string[], number, RegExp])[] = [
  ['svpause', ['--help'], 0, /^Usage: svpause PHASE/],
  ['svpause', [], 2, /^Usage: svpause/],
  ['svpause', ['nowhere'], 2, /pre-trigger/],
  ['svrescue', ['--help'], 0, /^Usage: svrescue /],
  ['svrescue', ['root'], 2, /^Usage: svrescue/],
  ['svrescue', ['--never', 'root', 'why'], 2, /^Usage: svrescue/],
];

t.test('svpause and svrescue say how they are used', async (t) => {
  for (const [program, args, exit, text] of USES) {
    const { code, output } = await run(program, args);
    t.equal(code, exit, `${program} ${args.join(' ')}`);
    t.match(output, text);
  }
});

function run(program: string, args: readonly string[]): Promise<{ code: number; output: string }> {
  const script = `process.exitCode = await (await import('./src/${program}.ts')).main(process.argv.slice(1))`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '-e', script, '--', ...args],
      (error, ...out) => resolve({ code: Number(error?.code ?? 0), output: out.join('') }),
    );
  });
}
