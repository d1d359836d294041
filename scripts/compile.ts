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
  // Split, only what is imported is read: half of the instructions of that start.
  const fast = ['--bytecode', '--format=esm', '--splitting', '--sourcemap'];
  const flags = ['--compile', ...closed, ...fast, ...PLACES, '--external=node:ffi'];
  await tool('bun', ['build', ...flags, '--outfile', output, ENTRY]);
}

async function compileNode(directory: string): Promise<void> {
  const bundle = join(directory, 'svinit.js');
  const flags = ['--target=node', '--format=esm', '--sourcemap=external', ...PLACES, ...FFI];
  await tool('bun', ['build', ...flags, '--outdir', directory, ENTRY]);
  writeFileSync(bundle, withTraces(readFileSync(bundle, 'utf8')));
  writeFileSync(`${bundle}.map`, movedSourceMap(`${bundle}.map`, directory));
  writeFileSync(join(directory, 'node'), withoutSections(readFileSync(process.execPath)), {
    mode: 0o755,
  });
  const config = {
    main: 'svinit.js',
    mainFormat: 'module',
    executable: 'node',
    output: 'svinit',
    disableExperimentalSEAWarning: true,
    assets: { [MAP]: 'svinit.js.map' },
    // SIGUSR1 belongs to us, not to the debugger; node:ffi warns that it is experimental. A heap
    // without an end would cost all services before PID 1 (core/environment.ts has Bun's).
    execArgv: [
      '--max-old-space-size=128',
      '--max-semi-space-size=2',
      '--disable-sigusr1',
      '--disable-warning=ExperimentalWarning',
    ],
    // Nothing in the environment may add options.
    execArgvExtension: 'none',
  };
  writeFileSync(join(directory, 'sea.json'), JSON.stringify(config));
  await tool(process.execPath, ['--build-sea', 'sea.json'], { cwd: directory });
}

/** The name of the source map among the assets of the executable. */
const MAP = 'map';

/**
 * What makes stack traces name the `.ts` files, in one line before the bundle. In the bundle itself
 * the map would be most of it, and every start would read it; here the first trace does.
 */
function withTraces(bundle: string): string {
  const builtin = 'process.getBuiltinModule';
  const lines = [
    'let map; Error.prepareStackTrace = (error, frames) => { try {',
    `map ??= new (${builtin}('node:module').SourceMap)(JSON.parse(`,
    `${builtin}('node:sea').getAsset('${MAP}', 'utf8'))); } catch {}`,
    'return [error, ...frames.map((frame) => {',
    'const [line, column] = [frame.getLineNumber(), frame.getColumnNumber()];',
    "const isOurs = frame.getFileName()?.startsWith('file:');",
    'const found = isOurs ? map?.findOrigin(line, column) : undefined;',
    "if (found?.fileName === undefined) return '    at ' + frame;",
    "const name = frame.getFunctionName() ?? '<anonymous>';",
    "return '    at ' + name + ' (' + found.fileName + ':' + found.lineNumber + ':' +",
    "found.columnNumber + ')'; })].join('\\n'); };",
  ];
  return `{ ${lines.join(' ')} }\n${bundle.replace(/^\/\/# (debugId|sourceMappingURL)=.*$/gm, '')}`;
}

/**
 * The map of what `withTraces` makes of the bundle: a line lower, its sources named from the
 * project's directory wherever this is.
 */
function movedSourceMap(path: string, directory: string): string {
  const map: { sources: string[]; mappings: string } = JSON.parse(readFileSync(path, 'utf8'));
  const sources = map.sources.map((source) =>
    posix.relative(process.cwd(), posix.resolve(directory, source)),
  );
  return JSON.stringify({ ...map, sources, sourcesContent: [], mappings: `;${map.mappings}` });
}
