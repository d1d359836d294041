/**
 * `node scripts/bench/limit-sea.ts DIRECTORY`: makes DIRECTORY/limit-node, limit.ts in one executable
 * with Node, the way that starts fastest: CommonJS with V8's code cache, without the sections of the
 * executable that nothing needs.
 */
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { withoutSections } from '../elf.ts';
import { tool } from '../tool.ts';

const target = resolve(process.argv[2] ?? 'build/bench/programs', 'limit-node');
const directory = mkdtempSync(`${target}-`);
try {
  const flags = ['--target=node', '--format=cjs', '--external=bun:ffi', '--external=node:ffi'];
  const outfile = join(directory, 'limit.cjs');
  await tool('bun', ['build', ...flags, '--outfile', outfile, 'scripts/bench/limit.ts']);
  const node = join(directory, 'node');
  writeFileSync(node, withoutSections(readFileSync(process.execPath)), { mode: 0o755 });
  const config = {
    main: 'limit.cjs',
    executable: 'node',
    output: 'limit',
    disableExperimentalSEAWarning: true,
    useCodeCache: true,
    // Those of svinit (compile.ts), as far as they are about memory and speed.
    execArgv: [
      '--max-old-space-size=128',
      '--max-semi-space-size=2',
      '--disable-warning=ExperimentalWarning',
    ],
    execArgvExtension: 'none',
  };
  writeFileSync(join(directory, 'sea.json'), JSON.stringify(config));
  await tool(process.execPath, ['--build-sea', 'sea.json'], { cwd: directory });
  renameSync(join(directory, 'limit'), target);
} finally {
  rmSync(directory, { recursive: true, force: true });
}
