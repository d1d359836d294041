/** Contract of `svctl logs`: reading stored logs, merging them, following them through rotations. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Failure } from '../../src/cli/failure.ts';
import { type LogsOptions, lastLines, logs } from '../../src/cli/logs.ts';
import { OutputClosed } from '../../src/cli/terminal.ts';
import { Rig } from '../log/rig.ts';
import { newStore, stamp } from '../log/store.ts';
import { done, point } from './tap.ts';

const DEFAULTS = { names: [], follow: false, lines: null, json: false, raw: false };

async function shown(options: Partial<LogsOptions>, isTerminal = false): Promise<string> {
  const parts: Uint8Array[] = [];
  const out = { isTerminal, write: (bytes: Uint8Array) => void parts.push(Buffer.from(bytes)) };
  assert.equal(await logs({ ...DEFAULTS, ...options }, out), 0);
  return Buffer.concat(parts).toString('latin1');
}

await point('services are merged by time, with names; -n counts all together', async () => {
  const { dir, add, rotate } = newStore();
  for (const [name, at] of [
    ['web', 1],
    ['web', 4],
    ['database', 2],
    ['database', 3],
    ['web', 6],
    ['database', 5],
    ['database', 6],
  ] as const) {
    add(name, at, `${name}-${at}`);
    if (at === 3) rotate(name);
  }
  const rows = (await shown({ dir })).split('\n');
  assert.equal(rows[0], `${stamp(1)} web      web-1`);
  assert.equal(rows[1], `${stamp(2)} database database-2`);
  const seconds = rows.map((row) => row.slice(17, 19));
  assert.deepEqual(seconds, ['01', '02', '03', '04', '05', '06', '06', '']);
  assert.deepEqual((await shown({ dir, lines: 3 })).split('\n'), rows.slice(-4));
  assert.equal(await shown({ dir, lines: 0 }), '');
  assert.equal(await shown({ dir, names: ['web'], lines: 1 }), `${stamp(6)} web-6\n`);
});

await point('parts and remarks are marked; raw output is what the service wrote', async () => {
  const { dir, add } = newStore();
  add('web', 1, 'one ', '+');
  add('web', 2, Buffer.from([0x1b, 0x5b, 0x41, 0xff]));
  add('web', 3, 'svlog: 2 lines dropped: write failed with ENOSPC', '!');
  const names = ['web'];
  assert.equal(await shown({ dir, names, raw: true }), 'one \x1b[A\xff\n');
  assert.equal(
    await shown({ dir, names, lines: 2 }, true),
    `${stamp(2)} \\x1b[A\\xff\n${stamp(3)}!svlog: 2 lines dropped: write failed with ENOSPC\n`,
  );
  assert.equal(
    await shown({ dir, names, lines: 2 }),
    `${stamp(2)} \x1b[A\xff\n${stamp(3)}!svlog: 2 lines dropped: write failed with ENOSPC\n`,
  );
  const objects = (await shown({ dir, json: true }))
    .trim()
    .split('\n')
    .map((row) => JSON.parse(row));
  assert.deepEqual(objects[0], { time: stamp(1), service: 'web', kind: 'part', text: 'one ' });
  assert.equal(Buffer.from(objects[1].base64, 'base64').toString('latin1'), '\x1b[A\xff');
});

await point('lines of svinit itself are sentences', async () => {
  const { dir, add } = newStore();
  add('svinit', 1, '{"level":40,"time":1,"msg":"api died","status":"exit 1"}');
  const row = `${stamp(1)} warn: api died status="exit 1"`;
  assert.equal(await shown({ dir, names: ['svinit'] }), `${row}\n`);
  assert.deepEqual(lastLines('svinit', 5, dir), [row]);
});

await point('what svlog did not write is shown all the same', async () => {
  const { dir, add } = newStore();
  add('web', 1, 'a');
  writeFileSync(join(dir, 'web', 'current'), `torn\n${'x'.repeat(100_000)}\n`, { flag: 'a' });
  const text = await shown({ dir, names: ['web'] });
  assert.ok(text.startsWith(`${stamp(1)} a\n${stamp(1)} torn\n${stamp(1)} xxx`));
  assert.equal(text.replaceAll(/[^x]/g, '').length, 100_000);
});

await point('an unknown name is refused with those that exist', async () => {
  const { dir, add } = newStore();
  add('web', 1, 'a');
  add('db', 1, 'a');
  const refused = await logs({ ...DEFAULTS, dir, names: ['wbe'] }).catch((error) => error);
  assert.ok(refused instanceof Failure);
  assert.equal(refused.exit, 4);
  assert.equal(
    `${refused.message} ${refused.hint}`,
    "There is no log of 'wbe', did you mean 'web'? there are db, web",
  );
  assert.deepEqual(lastLines('wbe', 3, dir), []);
});

await point('-f shows the last ten lines, then every new one, through rotations', async () => {
  const rig = new Rig();
  rig.hold('web', 'other');
  rig.start();
  const line = (n: number): string => String(n).padStart(99, '0');
  const block = (from: number, to: number): Buffer =>
    Buffer.from(Array.from({ length: to - from }, (_, i) => `${line(from + i)}\n`).join(''));
  await rig.feed('web', block(0, 100));
  await rig.stored('web', line(99));
  let seen: string[] = [];
  let fed = 100;
  const last = 40_100;
  const write = (bytes: Uint8Array): void => {
    seen = seen.concat(Buffer.from(bytes).toString().trimEnd().split('\n'));
    if (fed === last && seen.at(-1)?.endsWith(line(last - 1))) throw new OutputClosed('enough');
    if (fed < last && seen.at(-1)?.endsWith(line(fed - 1))) {
      void rig.feed('web', block(fed, fed + 4000));
      fed += 4000;
    }
  };
  const options = { ...DEFAULTS, dir: rig.logs, follow: true };
  assert.equal(await logs(options, { isTerminal: false, write }), 0);
  const numbers = seen.map((row) => Number(row.slice(-99)));
  assert.deepEqual(
    numbers,
    Array.from({ length: last - 90 }, (_, i) => 90 + i),
  );
  await rig.end();
  rig.close();
});

/** Runs `svctl logs` with these options as a process. */
const program = (options: Partial<LogsOptions>): string[] => {
  const module = JSON.stringify(new URL('../../src/cli/logs.ts', import.meta.url).href);
  const all = JSON.stringify({ ...DEFAULTS, ...options });
  return [
    process.execPath,
    '-e',
    `import(${module}).then(({ logs }) => logs(${all})).then((code) => process.exit(code))`,
  ];
};

await point('a reader that goes away is no error', () => {
  const { dir, add } = newStore();
  for (let n = 0; n < 3000; n += 1) add('web', n % 60, 'x'.repeat(100));
  const script = '{ "$@"; echo "code $?" >&2; } | head -n 1';
  const { stdout, stderr } = spawnSync('sh', ['-c', script, 'sh', ...program({ dir })], {
    encoding: 'utf8',
  });
  assert.match(stdout, /^2026-.* x+\n$/);
  assert.equal(stderr, 'code 0\n');
});

await point('-f finds the log of a new service, and ends with SIGINT', async () => {
  const { dir, add } = newStore();
  add('web', 1, 'hello');
  const [path = '', ...args] = program({ dir, follow: true });
  const child = spawn(path, args, { stdio: ['ignore', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  const [first] = await once(child.stdout, 'data');
  assert.equal(String(first), `${stamp(1)} web hello\n`);
  add('api', 2, 'new');
  const [second] = await once(child.stdout, 'data');
  assert.equal(String(second), `${stamp(2)} api new\n`);
  child.kill('SIGINT');
  assert.deepEqual(await ended, [null, 'SIGINT']);
});

done();
