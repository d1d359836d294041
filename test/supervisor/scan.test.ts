/** What the scan reads, and in which order. What it refuses is in scan-refuse.test.ts. */
import { chmodSync, mkdirSync, readdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { buildGraph } from '../../src/core/graph.ts';
import type { Spec } from '../../src/core/spec.ts';
import { parseSpec } from '../../src/core/spec-files.ts';
import { scanPath } from '../../src/supervisor/scan.ts';
import { copied, LIMITS, put, scan, told, tree } from './scan-tree.ts';

const names = (found: readonly { name: string }[]) => found.map(({ name }) => name);

/** Everything in a directory of the project, parsed; nothing may be wrong with it. */
function definitions(t: Tap, path: string, dialect: Spec['dialect']): Map<string, Spec> {
  const root = copied(path);
  const { found, problems } = scanPath([{ path: root, dialect }], LIMITS);
  t.strictSame(problems, []);
  const parsed = found.map(parseSpec);
  t.strictSame(
    parsed.flatMap((result) => result.problems),
    [],
  );
  notices.push(...parsed.flatMap((result) => result.notices));
  return new Map(parsed.flatMap(({ spec }) => (spec === null ? [] : [[spec.name, spec]])));
}

type Tap = { strictSame(found: unknown, wanted: unknown): boolean };

const notices: string[] = [];

t.beforeEach(() => {
  notices.length = 0;
});

t.test('scanPath() reads what a definition needs, and nothing else', async (t) => {
  const root = tree({
    'web/run': `#!/bin/sh\n${'# long\n'.repeat(100_000)}`,
    'web/finish': '#!/bin/sh -e',
    'web/type': 'longrun\n',
    'web/timeout-up': '5',
    'web/dependencies.d/db': 'ignored',
    'web/env/PORT': '80\n',
    'web/env/.hidden': 'x',
    'web/log/run': '#!/bin/sh',
    'web/data/check': '#!/bin/sh',
    'web/lock-fd': '4',
    'web/notes.txt': 'x',
    'web/.git': 'x',
    'README.md': 'not a service',
    '.hidden/run': '',
  });
  chmodSync(join(root, 'web/finish'), 0o644);
  const { found, problems } = scan(root);
  t.strictSame(problems, []);
  t.strictSame(
    found.map(({ name }) => name),
    ['web', 'web/log'],
    'its logger too',
  );
  t.strictSame(
    { ...found[0], files: Object.fromEntries(found[0]?.files ?? []) },
    {
      name: 'web',
      directory: `${root}/web`,
      dialect: 's6',
      files: {
        'dependencies.d/': { text: '', executable: false },
        'dependencies.d/db': { text: '', executable: false },
        'env/': { text: '', executable: false },
        'env/PORT': { text: '80\n', executable: false },
        finish: { text: '#!/bin/sh -e', executable: false },
        'lock-fd': { text: '4', executable: false },
        'log/': { text: '', executable: false },
        run: { text: '#!/bin/sh', executable: true },
        'timeout-up': { text: '5', executable: false },
        type: { text: 'longrun\n', executable: false },
      },
    },
  );
});

t.test('a logger is read where it is, and as strictly', async (t) => {
  const root = tree({
    'a/run': '#!/bin/sh',
    'a/log/run': '#!/bin/sh',
    'a/log/log/run': '#!/bin/sh',
    'b/run': '#!/bin/sh',
    'b/log': 'a file is none',
    'c/run': '#!/bin/sh',
    'd/run': '#!/bin/sh',
    'd/log/run': '#!/bin/sh',
    'e/run': '#!/bin/sh',
    'e/log/timeout-up': '1',
  });
  symlinkSync('../a/log', join(root, 'c/log'));
  chmodSync(join(root, 'd/log'), 0o777);
  symlinkSync('../../a/run', join(root, 'e/log/run'));
  const { found, problems } = scan(root);
  t.strictSame(
    found.map(({ name, directory }) => [name, directory.slice(root.length)]),
    [
      ...[
        ['a', '/a'],
        ['a/log', '/a/log'],
        ['b', '/b'],
        ['c', '/c'],
        ['c/log', '/c/log'],
      ],
      ...[
        ['d', '/d'],
        ['e', '/e'],
        ['e/log', '/e/log'],
      ],
    ],
  );
  t.strictSame(
    problems.map(({ name, reason }) => `${name}: ${reason}`),
    ['d/log: Cannot read d/log: others than its owner may write to it (mode 0777)'],
  );
});

t.test('an empty directory is there, so that it is not taken for none', async (t) => {
  const root = tree({ 'all/type': 'bundle', 'all/contents': 'old' });
  mkdirSync(join(root, 'all/contents.d'));
  t.ok(scan(root).found[0]?.files.has('contents.d/'));
});

t.test('of two with a name the first root holds, even if it is refused', async (t) => {
  const first = tree({ 'a/run': '1', 'b/run': '1' });
  const second = tree({ 'a/run': '2', 'b/run': '2', 'c/run': '2' });
  chmodSync(join(first, 'b'), 0o777);
  const roots = [first, second, join(second, 'nothing-here')];
  const { found, problems } = scanPath(
    roots.map((path) => ({ path, dialect: 'svinit' })),
    LIMITS,
  );
  t.strictSame(names(found), ['a', 'c']);
  t.equal(found[0]?.files.get('run')?.text, '1');
  t.strictSame(told(first, problems), [
    'b: Cannot read b: others than its owner may write to it (mode 0777)',
  ]);
});

t.test('services come sorted by name, root after root', async (t) => {
  const first = tree({ 'z/run': '', 'm/run': '' });
  const second = tree({ 'a/run': '' });
  const roots = [first, second].map((path) => ({ path, dialect: 's6' as const }));
  t.strictSame(names(scanPath(roots, LIMITS).found), ['m', 'z', 'a']);
});

t.test('a service directory may be a link to elsewhere, as runit users have them', async (t) => {
  const elsewhere = tree({ 'real/run': '#!/bin/sh', file: '' });
  const root = tree({});
  symlinkSync(join(elsewhere, 'real'), join(root, 'linked'));
  symlinkSync(join(elsewhere, 'file'), join(root, 'to-a-file'));
  const { found, problems } = scan(root);
  t.strictSame(problems, []);
  t.strictSame(names(found), ['linked']);
  t.equal(found[0]?.directory, join(root, 'linked'));
});

t.test('a root may be a link', async (t) => {
  const root = tree({ 'sets/one/web/run': '#!/bin/sh' });
  symlinkSync('sets/one', join(root, 'current'));
  t.strictSame(names(scan(join(root, 'current')).found), ['web']);
});

t.test('a link in a service directory may lead to its neighbours', async (t) => {
  const root = tree({ 'generic/run': '#!/bin/generic\n' });
  mkdirSync(join(root, 'tty1'), { mode: 0o755 });
  symlinkSync('../generic/run', join(root, 'tty1/run'));
  symlinkSync('/nowhere/at/all', join(root, 'tty1/supervise'));
  const { found, problems } = scan(root);
  t.strictSame(problems, []);
  t.strictSame(found.at(-1)?.files.get('run'), { text: '#!/bin/generic', executable: true });
});

t.test('the scan leaves no descriptor open', async (t) => {
  const root = tree({ 'a/run': '', 'b/env/X': '', 'c/run': '', 'c/type': 'x'.repeat(70_000) });
  chmodSync(join(root, 'a/run'), 0o777);
  symlinkSync('nowhere', join(root, 'b/run'));
  const before = readdirSync('/proc/self/fd').length;
  for (let i = 0; i < 100; i += 1) scan(root);
  t.equal(readdirSync('/proc/self/fd').length, before);
});

t.test('s6-rc source directories are read as they are', async (t) => {
  const found = definitions(t, 'test/fixtures/scan/s6', 's6');
  const database = found.get('database');
  t.equal(database?.stopSignal, 2);
  t.equal(database?.stopWithin, 30_000);
  t.strictSame(database?.ready, { by: 'fd', fd: 3 });
  t.strictSame(found.get('migrate')?.start?.argv.slice(0, 2), ['execlineb', '-P']);
  t.strictSame(found.get('api')?.start?.argv.slice(0, 2), ['/command/with-contenv', 'sh']);
  const { graph, problems } = buildGraph(found);
  t.strictSame(problems, []);
  t.strictSame(graph.needs.get('api'), ['database', 'migrate']);
  t.strictSame(found.get('api')?.pipeline, { producerFor: 'api-log' });
  t.strictSame(notices, []);
});

t.test('runit service directories are read as they are', async (t) => {
  const found = definitions(t, 'test/fixtures/scan/runit', 'runit');
  t.strictSame([...found.keys()], ['cron', 'getty-generic', 'getty-tty1', 'sshd', 'sshd/log']);
  t.equal(found.get('getty-generic')?.initially, 'down');
  t.equal(found.get('getty-tty1')?.initially, 'up');
  t.strictSame(found.get('getty-tty1')?.finish?.argv, ['./finish']);
  t.strictSame(found.get('sshd/log')?.start?.argv, ['./run']);
  t.strictSame(notices, []);
});

/** Started by whoever needs them. */
const ON_DEMAND: ReadonlySet<string> = new Set(['shells', 'views']);
const EARLY: ReadonlySet<string> = new Set([
  ...['console', 'devices', 'modules', 'pre-trigger', 'shells', 'syslog', 'views'],
]);

t.test(
  'services/ is without a fault, and `default` brings all but what waits to be asked for',
  async (t) => {
    const found = definitions(t, 'services', 'svinit');
    const { graph, problems } = buildGraph(found);
    t.strictSame(problems, []);
    t.strictSame(notices, []);
    const wanted = new Set(graph.members.get('default'));
    for (const name of wanted) for (const need of graph.needs.get(name) ?? []) wanted.add(need);
    const atoms = [...found].filter(([, { type }]) => type !== 'bundle').map(([name]) => name);
    const inDefault = atoms.filter((name) => !ON_DEMAND.has(name));
    t.strictSame([...wanted].sort(), inDefault.sort());
    for (const { name, description, early } of found.values()) {
      t.not(description, '', `${name} has a description`);
      t.equal(early, EARLY.has(name), name);
    }
  },
);

t.test('put() below a service is seen by the next scan', async (t) => {
  const root = tree({ 'a/run': '' });
  t.equal(scan(root).found[0]?.files.has('down'), false);
  put(root, 'a/down', '');
  t.equal(scan(root).found[0]?.files.has('down'), true);
});
