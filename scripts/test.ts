/**
 * `node scripts/test.ts [FOLDER...]`: runs the checks and the tests, and says in its last line how
 * many test points passed: `N passed, N failed`, and `, N skipped` when there are any.
 *
 * A FOLDER is one of test/, `tidy` is test/tidy.test.ts, and `static` stands for the compiler and
 * the linter, each one test point; without any, all of them run. Needs no terminal. What a file
 * prints on stderr passes through; each file is one line, and what failed in it follows in full.
 * The exit code is 1 when anything failed.
 */
import { spawn } from 'node:child_process';
import { globSync, mkdirSync, writeFileSync } from 'node:fs';
import { execa } from 'execa';
import { type Failure, LeafCounter, type Tally } from './tap.ts';

/** Folders whose tests take long run after all others: a mistake elsewhere shows early. */
const SLOW: readonly string[] = [
  ...['image', 'supervisor', 'views', 'security', 'matrix', 'namespace', 'container', 'boot'],
];

const STATIC = [
  ['tsc', '--noEmit', '-p', 'src/core'],
  ['tsc', '--noEmit', '-p', '.'],
  ['biome', 'check', '--config-path=scripts/style.json'],
] as const;

/** One for each core of a small machine; booting machines side by side only slows all of them. */
const JOBS = 2;

/** A whole file may take this long: it boots several machines, perhaps on an emulated CPU. */
const FILE_TIMEOUT_S = 900;

const SUMMARY_FILE = 'build/test/summary';

async function main(asked: readonly string[]): Promise<number> {
  const tally: Tally = { passed: 0, failed: 0, skipped: 0 };
  const names = asked.length > 0 ? asked : ['static', ...folders(), 'tidy'];
  if (names.includes('static')) for (const command of STATIC) await check(command, tally);
  let content = true;
  for (const slow of [false, true]) {
    const files = names.filter((name) => SLOW.includes(name) === slow).flatMap(filesOf);
    if (files.length > 0) content = (await runTap(files, tally)) && content;
  }
  // A runner that failed although all its tests passed must not look like success.
  if (!content && tally.failed === 0) tally.failed += 1;
  const skipped = tally.skipped > 0 ? `, ${tally.skipped} skipped` : '';
  const summary = `${tally.passed} passed, ${tally.failed} failed${skipped}`;
  mkdirSync('build/test', { recursive: true });
  writeFileSync(SUMMARY_FILE, `${summary}\n`);
  console.log(summary);
  return tally.failed === 0 ? 0 : 1;
}

/** The folders of test/ that hold tests. */
function folders(): readonly string[] {
  const all = globSync('test/*/**/*.test.ts').flatMap((file) => file.split('/')[1] ?? []);
  return [...new Set(all)].sort();
}

function filesOf(name: string): readonly string[] {
  return globSync(name === 'tidy' ? 'test/tidy.test.ts' : `test/${name}/**/*.test.ts`);
}

/** One command that says nothing when all is well. */
async function check(command: readonly string[], tally: Tally): Promise<void> {
  const [program = '', ...args] = command;
  const result = await execa(program, args, { reject: false, all: true });
  if (result.failed) tally.failed += 1;
  else tally.passed += 1;
  console.log(`${result.failed ? 'FAIL' : 'ok  '} ${command.join(' ')}`);
  if (result.failed) console.log(result.all);
}

/** Runs `files` under tap, adding to `tally`; whether tap itself was content. */
async function runTap(files: readonly string[], tally: Tally): Promise<boolean> {
  const options = ['--disable-coverage', `--jobs=${JOBS}`, `--timeout=${FILE_TIMEOUT_S}`];
  const args = ['run', ...options, '--reporter=tap', ...files];
  const tap = spawn('tap', args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const counter = new LeafCounter((file) => {
    tally.passed += file.tally.passed;
    tally.failed += file.tally.failed;
    tally.skipped += file.tally.skipped;
    console.log(fileLine(file.ok, file.name, file.tally, file.timeMs));
    for (const failure of file.failures) console.log(inFull(failure));
  });
  for await (const chunk of tap.stdout) counter.write(String(chunk));
  counter.end();
  return tap.exitCode === 0 || (await new Promise((resolve) => tap.once('exit', resolve))) === 0;
}

function fileLine(ok: boolean, name: string, tally: Tally, timeMs: number | null): string {
  const { passed, failed, skipped } = tally;
  const counts = [
    `${passed} passed`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ];
  const seconds = timeMs === null ? '' : ` (${(timeMs / 1000).toFixed(1)} s)`;
  return `${ok ? 'ok  ' : 'FAIL'} ${name}: ${counts.join(', ')}${seconds}`;
}

function inFull(failure: Failure): string {
  const detail = failure.detail.trimEnd().replace(/^/gm, '       ');
  return `     not ok: ${failure.path.join(' > ')}\n${detail}\n`;
}

process.exitCode = await main(process.argv.slice(2));
