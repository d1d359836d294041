/**
 * Compiles src/svinit.ts and all it imports into one executable that carries its runtime.
 *
 * Bun does it in one step. For Node, Bun bundles to one module and Node makes a single executable
 * application of it. Both results depend on the sources and on the exact runtimes alone: not on the
 * time, the directory or the user. Stack traces name the `.ts` files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { withoutSections } from './elf.ts';
import { tool } from './tool.ts';

export type Runtime = 'bun' | 'node';

export const RUNTIMES: readonly Runtime[] = ['bun', 'node'];

const ENTRY = 'src/svinit.ts';

/** Each runtime has its own FFI module, and neither may look for the other's. */
const FFI = ['--external=node:ffi', '--external=bun:ffi'];

/**
 * Packages that ask for their directory get the program's; the one they were built in is no fact.
 */
const PLACES = ['--define', '__dirname="/usr/bin"', '--define', '__filename="/usr/bin/svinit"'];

/**
 * Makes `directory`/svinit. Both names are part of what is compiled in, so the current
 * directory must be the project's.
 * @param directory an empty directory; other files may be left in it.
 */
export async function compile(runtime: Runtime, directory: string): Promise<string> {
  const output = join(directory, 'svinit');
  if (runtime === 'bun') await compileBun(output);
  else await compileNode(directory);
  return output;
}

async function compileBun(output: string): Promise<void> {
  // A bunfig.toml or .env in the directory an init happens to start in must not be code.
  const closed = ['--no-compile-autoload-bunfig', '--no-compile-autoload-dotenv'];
  // Bytecode needs no parsing: a svctl starts in a third of the time. It wants the format named.
  const fast = ['--bytecode', '--format=esm', '--sourcemap'];
  const flags = ['--compile', ...closed, ...fast, ...PLACES, '--external=node:ffi'];
  await tool('bun', ['build', ...flags, '--outfile', output, ENTRY]);
}

async function compileNode(directory: string): Promise<void> {
  const bundle = join(directory, 'svinit.js');
  const flags = ['--target=node', '--format=esm', '--sourcemap=external', ...PLACES, ...FFI];
  await tool('bun', ['build', ...flags, '--outdir', directory, ENTRY]);
  inlineSourceMap(bundle, directory);
  writeFileSync(join(directory, 'node'), withoutSections(readFileSync(process.execPath)), {
    mode: 0o755,
  });
  const config = {
    main: 'svinit.js',
    mainFormat: 'module',
    executable: 'node',
    output: 'svinit',
    disableExperimentalSEAWarning: true,
    // SIGUSR1 belongs to us, not to the debugger; node:ffi warns that it is experimental. A heap
    // without an end would cost all services before PID 1 (core/environment.ts has Bun's).
    execArgv: [
      '--max-old-space-size=128',
      '--max-semi-space-size=2',
      '--disable-sigusr1',
      '--disable-warning=ExperimentalWarning',
      '--enable-source-maps',
    ],
    // Nothing in the environment may add options.
    execArgvExtension: 'none',
  };
  writeFileSync(join(directory, 'sea.json'), JSON.stringify(config));
  await tool(process.execPath, ['--build-sea', 'sea.json'], { cwd: directory });
}

/**
 * Puts the map into the bundle, its sources named from the project's directory wherever this is.
 */
function inlineSourceMap(bundle: string, directory: string): void {
  const map: { sources: string[] } = JSON.parse(readFileSync(`${bundle}.map`, 'utf8'));
  const sources = map.sources.map((source) =>
    posix.relative(process.cwd(), posix.resolve(directory, source)),
  );
  const text = Buffer.from(JSON.stringify({ ...map, sources })).toString('base64');
  const comment = `//# sourceMappingURL=data:application/json;base64,${text}`;
  const code = readFileSync(bundle, 'utf8').replace(/^\/\/# (debugId|sourceMappingURL)=.*$/gm, '');
  writeFileSync(bundle, `${code.trimEnd()}\n${comment}\n`);
}
