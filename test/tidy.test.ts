/**
 * House rules that neither the compiler nor the linter can say.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import t from 'tap';
import { VERSION } from '../src/core/version.ts';

const ROOT = join(import.meta.dirname, '..');
const FILE_LINES_MAX = 250;
const FUNCTION_LINES_MAX = 60;
const COLUMNS_MAX = 100;

const files = (folder: string): string[] =>
  readdirSync(join(ROOT, folder), { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name)))
    .sort();

const textOf = (file: string): string => readFileSync(join(ROOT, file), 'utf8');
const linesOf = (file: string): string[] => textOf(file).split('\n');
const own = [...files('src'), ...files('scripts')];

/** Functions and methods by the line they begin on, as far as the formatter's indentation tells. */
function functionsOf(file: string): { name: string; lines: number }[] {
  const lines = linesOf(file);
  return lines.flatMap((line, start) => {
    const found =
      /^(\s*)(?:export )?(?:async )?(?:function\*? |(?:static |async |\*)*)([#\w]+)\(.*$/.exec(
        line,
      );
    const [, indent = '', name = ''] = found ?? [];
    if (found === null || /^(if|for|while|switch|return|catch)$/.test(name)) return [];
    if (!line.includes('function') && indent !== '  ') return [];
    if (!/[{(]$/.test(line)) return [];
    const length = lines.slice(start).indexOf(`${indent}}`);
    return length < 0 ? [] : [{ name, lines: length + 1 }];
  });
}

t.test('files, functions and lines keep to their budgets', async (t) => {
  for (const file of own) {
    const lines = linesOf(file);
    t.ok(lines.length - 1 <= FILE_LINES_MAX, `${file}: ${lines.length - 1} lines`);
    const long = functionsOf(file).filter((found) => found.lines > FUNCTION_LINES_MAX);
    t.same(long, [], `${file}: no function is longer than ${FUNCTION_LINES_MAX} lines`);
    const wide = lines.filter(
      (line) => line.length > COLUMNS_MAX && !/\bimport\b|https?:/.test(line),
    );
    if (file.startsWith('src/')) t.same(wide, [], `${file}: no line is wider than ${COLUMNS_MAX}`);
  }
});

t.test('core knows neither clock nor chance nor the outside', async (t) => {
  for (const file of files('src/core')) {
    const text = textOf(file).replace(/\/\*[\s\S]*?\*\/|\/\/.*$/gm, '');
    const found =
      /\b(Date\.now|new Date\(\)|Math\.random|performance\.now|process\.|globalThis)/.exec(text);
    t.equal(found?.[0], undefined, `${file} asks nobody`);
  }
});

t.test('every package of the supervisor is imported by one file', async (t) => {
  const importers = new Map<string, string[]>();
  for (const file of files('src/supervisor')) {
    for (const [, name = ''] of textOf(file).matchAll(/(?:from|import\()\s*'([^.][^']*)'/g)) {
      if (name.startsWith('node:')) continue;
      importers.set(name, [...(importers.get(name) ?? []), file]);
    }
  }
  for (const [name, found] of importers) t.equal(found.length, 1, `${name}: ${found.join(', ')}`);
});

t.test('only sys knows one runtime from the other', async (t) => {
  const knowing = own.filter((file) => /from '(bun|node):ffi'|bun:ffi'/.test(textOf(file)));
  t.same(
    knowing.filter((file) => !file.startsWith('src/sys/') && !file.startsWith('scripts/')),
    [],
  );
});

t.test('nothing in the tree is unfinished by its own words', async (t) => {
  const words = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XX' + 'X\\b'].join('|'));
  for (const file of own) t.notMatch(textOf(file), words, file);
});

t.test('every module says what it decides', async (t) => {
  for (const file of own) t.match(textOf(file), /^\/\*\*|^#!.*\n\/\*\*/, file);
});

t.test('the version is that of the package, dependencies are exact', async (t) => {
  const manifest = JSON.parse(textOf('package.json'));
  t.equal(VERSION, manifest.version);
  for (const kind of ['dependencies', 'devDependencies', 'optionalDependencies']) {
    for (const [name, range] of Object.entries(manifest[kind] ?? {})) {
      t.match(range, /^[0-9]+\.[0-9]+\.[0-9]+$/, `${name} has an exact version`);
    }
  }
});
