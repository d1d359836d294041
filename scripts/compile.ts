/**
 * Compiles src/svinit.ts and all it imports into one executable that carries its runtime.
 *
 * Bun does it in one step. For Node, Bun bundles each program to one module and Node makes a single
 * executable application of them. Both results depend on the sources and on the exact runtimes alone: not on the
 * time, the directory or the user. Stack traces name the `.ts` files.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { withConstant, withoutSections } from './elf.ts';
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
  // The program itself: pages of it that only a start reads can then be given back.
  writeFileSync(output, withConstant(readFileSync(output), '.bun'));
}

/**
 * A loader, and one module of CommonJS for each program: only CommonJS can come with V8's code cache,
 * which is half of the start, and what a program does not need is not even read.
 */
async function compileNode(directory: string): Promise<void> {
  const node = join(directory, 'node');
  writeFileSync(node, withoutSections(readFileSync(process.execPath)), { mode: 0o755 });
  writeFileSync(join(directory, LOADER), loader());
  writeFileSync(join(directory, CACHER), cacher());
  const programs = await bundle(directory, 'svinit');
  const names = ['svinit', ...programs];
  await Promise.all(programs.map((name) => bundle(directory, name)));
  // Whatever the environment has Node load is in the heap that the caches are made in; and who
  // watches children, as a test runner does, puts it there himself.
  const alone = ['-i', './node', ...OPTIONS];
  await tool('env', [...alone, SEED, CACHER, 'make', ...names], { cwd: directory });
  await tool('env', [...alone, CACHER, 'try', ...names], { cwd: directory });
  const assets = names.flatMap((name) => [`${name}.js`, `${name}.map`, `${name}.cache`]);
  const config = {
    main: LOADER,
    mainFormat: 'commonjs',
    executable: 'node',
    output: 'svinit',
    disableExperimentalSEAWarning: true,
    assets: Object.fromEntries(assets.map((asset) => [asset, asset])),
    execArgv: OPTIONS,
    // Nothing in the environment may add options.
    execArgvExtension: 'none',
  };
  writeFileSync(join(directory, 'sea.json'), JSON.stringify(config));
  await tool(process.execPath, ['--build-sea', 'sea.json'], { cwd: directory });
}

/**
 * SIGUSR1 belongs to us, not to the debugger; node:ffi warns that it is experimental. A heap without
 * an end would cost all services before PID 1 (core/environment.ts has Bun's).
 */
const OPTIONS: readonly string[] = [
  '--max-old-space-size=128',
  '--max-semi-space-size=2',
  '--disable-sigusr1',
  '--disable-warning=ExperimentalWarning',
];

/** Without it the same code has other caches each time. A start has none, and V8 does not ask. */
const SEED = '--random-seed=1';

const LOADER = 'loader.cjs';
const CACHER = 'cacher.cjs';

/** Bundles `src/NAME.ts` to NAME.js and NAME.map. @returns the programs that it loads. */
async function bundle(directory: string, name: string): Promise<string[]> {
  const file = join(directory, `${name}.js`);
  const flags = ['--target=node', '--format=cjs', '--sourcemap=external', ...PLACES, ...FFI];
  const apart = name === 'svinit' ? ['--external=./*'] : [];
  await tool('bun', ['build', ...flags, ...apart, '--outdir', directory, `src/${name}.ts`]);
  const programs: string[] = [];
  const text = readFileSync(file, 'utf8')
    .replace(/^\/\/# (debugId|sourceMappingURL)=.*$/gm, '')
    .replace(/\bimport\("\.\/([\w-]+)\.ts"\)/g, (_, program: string) => {
      programs.push(program);
      return `load("${program}")`;
    })
    // A byte a character: the text is taken as it is, and not decoded at every start.
    .replace(/[^\0-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);
  // Modules are strict by themselves, scripts are not.
  const wrapped = `(function (exports, require, module, load) { 'use strict';\n${text}\n})`;
  writeFileSync(file, wrapped);
  writeFileSync(join(directory, `${name}.map`), movedSourceMap(`${file}.map`, directory));
  return programs;
}

/** What the programs are as files, for V8 and for stack traces. */
const SCHEME = 'svinit:';

/** The program of the executable: loads the others, and has stack traces name the `.ts` files. */
function loader(): string {
  return `'use strict';
const { getRawAsset } = require('node:sea');
const { Script } = require('node:vm');
const maps = new Map();
function mapOf(file) {
  if (file == null || !file.startsWith('${SCHEME}')) return undefined;
  if (!maps.has(file)) {
    const text = Buffer.from(getRawAsset(file.slice(${SCHEME.length}) + '.map')).toString();
    maps.set(file, new (require('node:module').SourceMap)(JSON.parse(text)));
  }
  return maps.get(file);
}
function described(frame) {
  const found = mapOf(frame.getFileName())
    ?.findOrigin(frame.getLineNumber(), frame.getColumnNumber());
  if (found?.fileName === undefined) return '    at ' + frame;
  const name = frame.getFunctionName() ?? '<anonymous>';
  return '    at ' + name + ' (' + found.fileName + ':' + found.lineNumber + ':' +
    found.columnNumber + ')';
}
Error.prepareStackTrace = (error, frames) => {
  try {
    return [error, ...frames.map(described)].join('\\n');
  } catch {
    return [error, ...frames.map((frame) => '    at ' + frame)].join('\\n');
  }
};
function load(name) {
  const source = Buffer.from(getRawAsset(name + '.js')).latin1Slice();
  const cachedData = Buffer.from(getRawAsset(name + '.cache'));
  const script = new Script(source, { filename: '${SCHEME}' + name, cachedData });
  const module = { exports: {} };
  script.runInThisContext()(module.exports, require, module, load);
  return module.exports;
}
load('svinit');
`;
}

/**
 * Makes NAME.cache, with all functions: those of a start are then not compiled in it. Or tries them
 * as a start does: one that is refused would only be slow.
 */
function cacher(): string {
  return `'use strict';
const { readFileSync, writeFileSync } = require('node:fs');
const { setFlagsFromString } = require('node:v8');
const { Script } = require('node:vm');
const [verb, ...names] = process.argv.slice(2);
for (const name of names) {
  const source = readFileSync(name + '.js', 'latin1');
  const filename = '${SCHEME}' + name;
  if (verb === 'make') {
    setFlagsFromString('--no-lazy');
    const script = new Script(source, { filename });
    setFlagsFromString('--lazy');
    writeFileSync(name + '.cache', script.createCachedData());
  } else {
    const cachedData = readFileSync(name + '.cache');
    if (new Script(source, { filename, cachedData }).cachedDataRejected)
      throw new Error('V8 refuses the code cache of ' + name);
  }
}
`;
}

/**
 * The map of a bundle with a line before it, its sources named from the project's directory wherever
 * this is.
 */
function movedSourceMap(path: string, directory: string): string {
  const map: { sources: string[]; mappings: string } = JSON.parse(readFileSync(path, 'utf8'));
  const sources = map.sources.map((source) =>
    posix.relative(process.cwd(), posix.resolve(directory, source)),
  );
  return JSON.stringify({ ...map, sources, sourcesContent: [], mappings: `;${map.mappings}` });
}
