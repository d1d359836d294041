/**
 * What the scan and its bell need of a runtime: reading through descriptors, and watches that tell
 * of every change. Run on both runtimes by scan-bell.test.ts.
 */
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseSpec } from '../../src/core/spec-files.ts';
import { Bell, matters } from '../../src/supervisor/bell.ts';
import { Watch } from '../../src/supervisor/watch.ts';
import { openSystem } from '../../src/sys/open.ts';
import { done, point } from '../contract/tap.ts';
import { copied, emptyTree, put, scan, told, tree } from './scan-tree.ts';

await point('scanPath() reads a real set of definitions', () => {
  const { found, problems } = scan(copied('test/fixtures/scan/s6'));
  assert.deepEqual(problems, []);
  const parsed = found.map(parseSpec);
  assert.deepEqual(
    parsed.map(({ spec }) => spec?.name),
    ['api', 'database', 'migrate', 'user'],
  );
});

await point('scanPath() waits for no FIFO and follows no link', () => {
  const root = tree({ 'a/type': 'longrun', 'b/type': 'longrun' });
  execFileSync('mkfifo', [join(root, 'a/run')]);
  symlinkSync('/etc/passwd', join(root, 'b/run'));
  assert.deepEqual(told(root, scan(root).problems), [
    'a/run: Cannot read run: it is not a regular file',
    'b/run: Cannot read run: it is a symbolic link that leaves ROOT',
  ]);
});

await point('matters() knows what a definition uses', () => {
  const cases: readonly (readonly [number, string, boolean])[] = [
    [0, 'web', true],
    [0, '.web.swp', false],
    [1, 'run', true],
    [1, 'env', true],
    [1, 'run~', false],
    [1, 'supervise', false],
    [1, 'data', false],
    [2, 'PORT', true],
    [2, '', false],
  ];
  for (const [depth, name, expected] of cases) {
    assert.equal(matters(depth, name), expected, `${depth} ${name}`);
  }
});

const root = tree({ 'web/run': '#!/bin/sh', 'web/env/PORT': '80' });
const linked = tree({ 'real/run': '#!/bin/sh' });
symlinkSync(join(linked, 'real'), join(root, 'linked'));
const late = join(emptyTree(), 'later', 'services');
// The bell does not keep the process alive, and a ring that never comes must end the test.
const deadline = setTimeout(() => process.exit(1), 60_000);
let heard = (): void => {};
const failures: string[] = [];
const kernel = openSystem();
const watch = new Watch(kernel, (text) => failures.push(text));
process.on('SIGIO', () => watch.sweep());
const bell = new Bell({
  ...{ kernel, watch, roots: [root, late] },
  ring: () => heard(),
  failed: (reason) => failures.push(reason),
});
bell.open();

/** Resolved by the next ring after `change`. */
async function rings(change: () => void): Promise<void> {
  const rung = new Promise<void>((resolve) => {
    heard = resolve;
  });
  change();
  await rung;
}

const CHANGES: readonly (readonly [string, () => void])[] = [
  ['a file is written', () => put(root, 'web/type', 'longrun')],
  ['a file is made executable', () => chmodSync(join(root, 'web/run'), 0o700)],
  ['a file is removed', () => rmSync(join(root, 'web/type'))],
  ['a variable is written', () => put(root, 'web/env/PORT', '81')],
  ['a logger is written', () => put(root, 'web/log/run', '#!/bin/sh')],
  ['it is written anew', () => put(root, 'web/log/run', '#!/bin/sh -e')],
  ['a directory is made', () => mkdirSync(join(root, 'new'))],
  ['a file is written in that directory', () => put(root, 'new/run', '#!/bin/sh')],
  ['a directory is made in that directory', () => mkdirSync(join(root, 'new/env'))],
  ['a file is written in that one', () => writeFileSync(join(root, 'new/env/A'), '1')],
  ['a directory is moved into place', () => renameSync(join(root, 'new'), join(root, 'moved'))],
  ['a file is written in it', () => put(root, 'moved/run', '#!/bin/sh -e')],
  ['a file is written behind a link', () => put(linked, 'real/run', '#!/bin/sh -e')],
  ['a directory is removed', () => rmSync(join(root, 'moved'), { recursive: true })],
  ['a root is taken away', () => renameSync(root, `${root}.away`)],
  ['it is there again', () => renameSync(`${root}.away`, root)],
  ['a file is written in it again', () => put(root, 'web/type', 'longrun')],
  ['a root appears', () => mkdirSync(join(late, 'web'), { recursive: true })],
  ['a file is written in that root', () => writeFileSync(join(late, 'web/run'), '')],
];

for (const [what, change] of CHANGES) {
  await point(`the bell rings when ${what}`, () => rings(change));
}

await point('a bell that is closed rings no more, and nothing failed', async () => {
  put(root, 'web/type', 'longrun');
  bell.close();
  heard = () => failures.push('it rang');
  put(root, 'web/type', 'oneshot');
  await new Promise((resolve) => setTimeout(resolve, 300));
  assert.deepEqual(failures, []);
});

clearTimeout(deadline);
done();
