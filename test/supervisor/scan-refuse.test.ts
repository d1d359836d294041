/** What the scan does not read, and what it says of it. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  chownSync,
  mkdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { scanPath } from '../../src/supervisor/scan.ts';
import { emptyTree, LIMITS, refused, scan, told, tree } from './scan-tree.ts';

const isRoot = process.getuid?.() === 0;

t.test('F45 C4 what others may write is refused, with its mode', async (t) => {
  const cases: readonly (readonly [string, number, string])[] = [
    [
      'web/run',
      0o775,
      'web/run: Cannot read run: others than its owner may write to it (mode 0775)',
    ],
    [
      'web/type',
      0o646,
      'web/type: Cannot read type: others than its owner may write to it (mode 0646)',
    ],
    [
      'web/env',
      0o777,
      'web/env: Cannot read env: others than its owner may write to it (mode 0777)',
    ],
    [
      'web/env/A',
      0o666,
      'web/env: Cannot read env/A: others than its owner may write to it (mode 0666)',
    ],
    ['web', 0o1777, 'web: Cannot read web: others than its owner may write to it (mode 1777)'],
    ['.', 0o775, 'ROOT: Cannot read ROOT: others than its owner may write to it (mode 0775)'],
  ];
  for (const [path, mode, reason] of cases) {
    const root = tree({ 'web/run': '', 'web/type': 'longrun', 'web/env/A': '1' });
    chmodSync(join(root, path), mode);
    t.strictSame(refused(root), [reason]);
  }
});

t.test('C4 a directory above that others may write is refused, unless it is sticky', async (t) => {
  const root = tree({ 'above/services/web/run': '#!/bin/sh' });
  chmodSync(join(root, 'above'), 0o777);
  const services = join(root, 'above/services');
  t.strictSame(told(root, scan(services).problems), [
    'ROOT/above/services: Cannot read ROOT/above: ' +
      'others than its owner may write to it (mode 0777)',
  ]);
  chmodSync(join(root, 'above'), 0o1777);
  t.equal(scan(services).found.length, 1);
});

t.test('C4 what somebody else owns is refused', { skip: !isRoot && 'needs root' }, async (t) => {
  const root = tree({ 'web/run': '', 'mine/run': '' });
  chownSync(join(root, 'web/run'), 12_345, 0);
  t.strictSame(told(root, scan(root).problems), [
    'web/run: Cannot read run: it is owned by uid 12345',
  ]);
  const owners = new Set([0, 12_345]);
  t.equal(scan(root, { owners }).found.length, 2, 'unless svinit runs as that user');
});

t.test('F45 a file that is no file is refused and never waited for', async (t) => {
  const root = tree({ 'web/run': '', 'odd/run': '', 'ok/run': '' });
  execFileSync('mkfifo', [join(root, 'web/type'), join(root, 'ok/notes'), join(root, 'fifo')]);
  mkdirSync(join(root, 'odd/timeout-up'));
  t.strictSame(told(root, scan(root).problems), [
    'odd/timeout-up: Cannot read timeout-up: it is not a regular file',
    'web/type: Cannot read type: it is not a regular file',
  ]);
  t.strictSame(
    scan(root).found.map(({ name }) => name),
    ['ok'],
  );
});

t.test('C2 64 KiB are read, one byte more is refused, a program may be of any size', async (t) => {
  const root = tree({
    'a/run': '#!/bin/sh\n',
    'a/dependencies': '#'.repeat(65_536),
    'b/run': '',
    'b/dependencies': '#'.repeat(65_537),
    'c/run': 'x'.repeat(1000),
  });
  truncateSync(join(root, 'a/run'), 2 ** 30);
  const { found, problems } = scan(root);
  t.strictSame(told(root, problems), [
    'b/dependencies: Cannot read dependencies: it is longer than 65536 bytes',
  ]);
  t.equal(found[0]?.files.get('run')?.text, '#!/bin/sh');
  t.equal(found[1]?.files.get('run')?.text.length, 256);
});

t.test('text that is not UTF-8 is refused, a binary program is not', async (t) => {
  const bytes = Uint8Array.of(0x7f, 0x45, 0xff, 0xfe);
  const root = tree({ 'a/run': bytes, 'b/run': '', 'b/type': bytes });
  const { found, problems } = scan(root);
  t.strictSame(told(root, problems), ['b/type: Cannot read type: it is not UTF-8 text']);
  t.equal(found.length, 1);
});

t.test('F43 C8 C15 directories with no proper name are refused, shown harmlessly', async (t) => {
  const root = emptyTree();
  const odd = ['a b', 'new\nline', '-rf', '\u001b[2J', 'svinit', 's6rc-x', '__proto__'];
  for (const name of odd) mkdirSync(join(root, name));
  mkdirSync(Buffer.concat([Buffer.from(`${root}/`), Buffer.of(0xff, 0xfe)]));
  mkdirSync(join(root, 'n'.repeat(65)));
  const reasons = refused(root);
  t.equal(reasons.length, odd.length + 2);
  for (const reason of reasons) t.match(reason, /^[ -~]+: (?:a|the) name[ -~]+$/);
});

t.test('limits are named with what is too much', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 6 }, (_, i) => [`web/f${i}`, '']));
  t.strictSame(refused(tree(many), { entriesMax: 5 }), [
    'web: Cannot read web: it has 6 entries, the most is 5',
  ]);
  const services = tree({ 'a/run': '', 'b/run': '', 'c/run': '' });
  const { found, problems } = scan(services, { servicesMax: 2 });
  t.strictSame(told(services, problems), ['ROOT: more than 2 services']);
  t.equal(found.length, 2);
  t.strictSame(refused(services, { servicesMax: 1 }), [
    'ROOT: Cannot read ROOT: it has 3 entries, the most is 2',
  ]);
  const members = tree({ 'all/contents.d/a': '', 'all/contents.d/b': '', 'all/contents.d/c': '' });
  t.strictSame(refused(members, { servicesMax: 2 }), [
    'all/contents.d: Cannot read contents.d: it has 3 entries, the most is 2',
  ]);
});

t.test('a root that is a file, or a link to itself, is told; a missing one is empty', async (t) => {
  const root = tree({ file: '' });
  symlinkSync('loop', join(root, 'loop'));
  t.strictSame(told(root, scan(join(root, 'file')).problems), [
    'ROOT/file: Cannot read ROOT/file: open failed with ENOTDIR',
  ]);
  t.strictSame(told(root, scan(join(root, 'loop')).problems), [
    'ROOT/loop: Cannot read ROOT/loop: realpath failed with ELOOP',
  ]);
  t.strictSame(scan(join(root, 'missing')), { found: [], problems: [] });
});

t.test('links that lead away, nowhere, or to what others may write are refused', async (t) => {
  const secret = tree({ secret: 'the secret', 'open/run': '' });
  chmodSync(join(secret, 'open'), 0o777);
  const root = tree({ 'a/type': 'longrun', 'b/type': 'longrun' });
  symlinkSync(join(secret, 'secret'), join(root, 'a/run'));
  symlinkSync('nowhere', join(root, 'b/run'));
  symlinkSync(join(secret, 'open'), join(root, 'c'));
  symlinkSync('nowhere', join(root, 'd'));
  t.strictSame(refused(root), [
    'a/run: Cannot read run: it is a symbolic link that leaves ROOT',
    'b/run: Cannot read run: realpath failed with ENOENT',
    'c: Cannot read c: others than its owner may write to it (mode 0777)',
    'd: Cannot read d: realpath failed with ENOENT',
  ]);
});

/** Runs `script` over and over in another process while `act` is repeated. */
async function racing(script: string, act: () => void): Promise<void> {
  const loop = `const fs = require('node:fs'); console.log('on'); for (;;) { ${script} }`;
  const racer = spawn(process.execPath, ['-e', loop], { stdio: ['ignore', 'pipe', 'inherit'] });
  try {
    await once(racer.stdout, 'data');
    for (let round = 0; round < 1500; round += 1) act();
  } finally {
    racer.kill('SIGKILL');
    await once(racer, 'exit');
  }
}

t.test('F45 C4 a file that turns into a link while it is read is never followed', async (t) => {
  const secret = join(tree({ secret: 'the secret' }), 'secret');
  const root = tree({ 'web/run': '', 'web/type': 'longrun' });
  const [file, link] = [join(root, 'web/type'), join(root, 'web/link')];
  let [seen, leaked] = [0, 0];
  const script = `
    fs.symlinkSync(${JSON.stringify(secret)}, ${JSON.stringify(link)});
    fs.renameSync(${JSON.stringify(link)}, ${JSON.stringify(file)});
    fs.writeFileSync(${JSON.stringify(link)}, 'longrun');
    fs.renameSync(${JSON.stringify(link)}, ${JSON.stringify(file)});`;
  await racing(script, () => {
    const text = scan(root).found[0]?.files.get('type')?.text;
    if (text === 'longrun') seen += 1;
    else if (text !== undefined && text !== '') leaked += 1;
  });
  t.equal(leaked, 0);
  t.ok(seen > 0, `read ${seen} times`);
});

t.test('F45 a directory that comes and goes is read whole or not at all', async (t) => {
  const root = tree({ 'stays/run': '#!/bin/sh' });
  const [here, away] = [join(root, 'web'), join(emptyTree(), 'web')];
  mkdirSync(join(away, 'env'), { recursive: true, mode: 0o755 });
  writeFileSync(join(away, 'run'), '#!/bin/sh', { mode: 0o755 });
  writeFileSync(join(away, 'env/A'), '1', { mode: 0o644 });
  const script = `
    fs.renameSync(${JSON.stringify(away)}, ${JSON.stringify(here)});
    fs.renameSync(${JSON.stringify(here)}, ${JSON.stringify(away)});`;
  const odd = new Set<string>();
  await racing(script, () => {
    const { found, problems } = scan(root);
    for (const { reason } of problems) odd.add(reason);
    const files = [...(found.find(({ name }) => name === 'web')?.files.keys() ?? [])].join();
    if (files !== '' && files !== 'env/,env/A,run') odd.add(files);
    if (found[0]?.name !== 'stays') odd.add('the neighbour was lost');
  });
  t.strictSame([...odd], []);
});

t.test('a directory that is being removed is left out, without a word', async (t) => {
  const root = tree({ 'web/run': '#!/bin/sh' });
  const moved = join(emptyTree(), 'web');
  t.equal(scan(root).found.length, 1);
  renameSync(join(root, 'web'), moved);
  rmSync(moved, { recursive: true });
  t.strictSame(scan(root), { found: [], problems: [] });
});

t.test('scanPath() takes a relative root from the working directory', async (t) => {
  const root = tree({ 'services/web/run': '' });
  const before = process.cwd();
  process.chdir(root);
  t.teardown(() => process.chdir(before));
  const { found } = scanPath([{ path: 'services', dialect: 's6' }], LIMITS);
  t.equal(found[0]?.directory, `${root}/services/web`);
});
