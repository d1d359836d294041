/** Rules that the source itself shows: what it imports, its patterns, its limits and its versions. */
import { execFileSync } from 'node:child_process';
import { globSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { parseJson } from '../../src/core/json.ts';
import { CLIENTS_MAX, FRAME_BYTES_MAX } from '../../src/core/protocol.ts';
import { scanLimits, scanPath } from '../../src/supervisor/scan.ts';
import { RUNTIMES } from '../contract/runtimes.ts';
import { emptyTree } from '../supervisor/scan-tree.ts';

/** The source without its comments. */
const sources: ReadonlyMap<string, string> = new Map(
  globSync('src/**/*.ts').map((file) => {
    const text = readFileSync(file, 'utf8');
    return [file, text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, '')];
  }),
);

/** What src/ may import of a runtime: files, terminals, text, and node:net for Unix sockets. */
const MODULES = [
  ...['bun:ffi', 'node:ffi', 'node:buffer', 'node:fs', 'node:net', 'node:path'],
  ...[
    'node:events',
    'node:os',
    'node:stream/consumers',
    'node:tty',
    'node:util',
    'node:zlib',
    'valibot',
  ],
];

/**
 * Programs that are not PID 1 and start others, without a shell: svroot, svrescue's caller,
 * svoverlay, svctl.
 */
const STARTS: ReadonlySet<string> = new Set([
  ...['src/boot/failed.ts', 'src/boot/root-space.ts', 'src/boot/run-program.ts'],
  ...['src/boot/overlay-scripts.ts', 'src/cli/act.ts', 'src/cli/down.ts'],
]);

/** `import … from 'x'`, `export … from 'x'`, `import('x')`; those with a dot are our own files. */
const IMPORT = /(?:^(?:import|export)\b[^;'"]*?\bfrom\s+|^import\s+|\bimport\(\s*)'([^.'][^']*)'/gm;

/** Listening by a port, fetching, and evaluators: nothing that src/ should ever say. */
const WORDS =
  /\beval\(|\bnew Function\b|\bfetch\(|\bWebSocket\b|\bBun\.(?:serve|listen|connect|spawn|\$)/;
/** A port, or whatever is not a descriptor that was bound by ourselves. */
const LISTEN = /\blisten\(\s*(?:\d|\{[^}]*\b(?:port|host|path)\b)[^)]*/;

/** Whoever connects to a host: svprobe alone, and only to numbers that a definition names. */
const CONNECT = /\bconnect\(\s*\{[^}]*\bhost\b/;
const CONNECTS = 'src/probe/tries.ts';

/** A group that may repeat without end and holds a part that may: the usual exponential pattern. */
const NESTED = /\((?:[^()\\[]|\\.|\[(?:[^\]\\]|\\.)*\])*(?:[*+]|\{\d+,\})[^()]*\)(?:[*+]|\{\d+,\})/;
/** A literal: behind an operator, a bracket or a comma, and not a comment. */
const LITERAL = /(?<=[(=,:[!&|?]\s*)\/((?:[^/\\[\n]|\\.|\[(?:[^\]\\\n]|\\.)*\])+)\/[dgimsuvy]*/g;

const patterns = [...sources].flatMap(([file, text]) =>
  [...text.matchAll(LITERAL)].map((found) => ({ file, pattern: found[1] ?? '' })),
);

const DEPTH_MAX = 32;
const SERVICES_MAX = 5000;

t.test('C2 the limits are what is documented', async (t) => {
  t.same([FRAME_BYTES_MAX, CLIENTS_MAX], [65_536, 64]);
  t.match(scanLimits(0), { servicesMax: SERVICES_MAX, entriesMax: 256, textMax: 65_536 });
  const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth);
  t.ok(parseJson(nested(DEPTH_MAX)).ok, `${DEPTH_MAX} deep`);
  for (const depth of [DEPTH_MAX + 1, 30_000]) {
    t.match(
      parseJson(nested(depth)),
      { ok: false, line: 1, column: DEPTH_MAX + 1 },
      `${depth} deep`,
    );
  }
});

t.test(`C2 more than ${SERVICES_MAX} services`, async (t) => {
  const root = emptyTree();
  for (let i = 0; i < SERVICES_MAX + 2; i += 1) mkdirSync(join(root, `s${i}`), { mode: 0o755 });
  const { found, problems } = scanPath(
    [{ path: root, dialect: 'svinit' }],
    scanLimits(process.getuid?.() ?? 0),
  );
  t.equal(found.length, SERVICES_MAX, 'the first are read');
  t.match(problems, [{ reason: `more than ${SERVICES_MAX} services` }]);
});

t.test('C6 C7 the source has no way to a network, a shell or an evaluator', async (t) => {
  for (const [file, text] of sources) {
    const modules = [...text.matchAll(IMPORT)];
    const starts = STARTS.has(file) ? ['node:child_process'] : [];
    const allowed = [...MODULES, ...starts];
    const others = modules.map((found) => found[1] ?? '').filter((name) => !allowed.includes(name));
    const words = [WORDS.exec(text)?.[0], LISTEN.exec(text)?.[0]];
    t.same([others, words], [[], [undefined, undefined]], file);
    t.equal(
      CONNECT.test(text),
      file === CONNECTS,
      `${file} connects to ${file === CONNECTS ? 'a' : 'no'} host`,
    );
  }
});

t.test('C7 no regular expression can backtrack without end', async (t) => {
  t.ok(patterns.length >= 20, `${patterns.length} patterns are seen`);
  for (const { file, pattern } of patterns) t.notMatch(pattern, NESTED, `${file}: ${pattern}`);
  for (const evil of ['^(a+)+$', '(?:[a-z]+ *)*', '^(\\w+\\s?){2,}$']) t.match(evil, NESTED, evil);
});

t.test('C20 every version is exact, and it is the one that runs', async (t) => {
  const own = JSON.parse(readFileSync('package.json', 'utf8'));
  const lock = JSON.parse(readFileSync('package-lock.json', 'utf8'));
  const kinds = ['dependencies', 'devDependencies', 'optionalDependencies'];
  const all = kinds.flatMap((kind) => Object.entries<string>(own[kind]));
  for (const [name, version] of all) {
    t.match(version, /^\d+\.\d+\.\d+$/, `${name} ${version}`);
    const locked = lock.packages[`node_modules/${name}`];
    t.equal(locked?.version, version, `${name} is locked to it`);
    t.match(locked?.integrity, /^sha512-/, `${name} has a sum`);
  }
  for (const { name, path } of RUNTIMES) {
    const [module = ''] = path.split('/node_modules/').slice(-1);
    const wanted = all.find(([key]) => module.startsWith(`${key}/`))?.[1];
    const found = execFileSync(path, ['--version'], { encoding: 'utf8' }).trim();
    t.equal(found.replace(/^v/, ''), wanted, `${name} in the tests is ${wanted}`);
  }
});
