/** Contract of src/cli/logfiles.ts: the files of one log read as one, also while they change. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { LogReader } from '../../src/cli/logfiles.ts';
import { lastLines } from '../../src/cli/logs.ts';
import { newStore, stamp } from '../log/store.ts';
import { done, point } from './tap.ts';

const textsOf = (reader: LogReader): string[] => {
  const texts: string[] = [];
  for (let record = reader.next(); record !== null; record = reader.next()) {
    texts.push(Buffer.from(record.text).toString());
  }
  return texts;
};

await point('archives and current are one log, oldest first, from any place', () => {
  const { dir, add, rotate } = newStore();
  for (let n = 0; n < 10; n += 1) {
    add('web', n, `${n}`);
    if (n % 3 === 2) rotate('web');
  }
  for (const count of [0, 1, 2, 3, 4, 6, 9, 10, 11, 1000]) {
    const reader = new LogReader(dir, 'web');
    reader.begin(count);
    const all = Array.from({ length: 10 }, (_, n) => `${n}`);
    assert.deepEqual(textsOf(reader), count === 0 ? [] : all.slice(-count), `last ${count}`);
    reader.close();
  }
});

await point('the last lines are found in a file of many blocks', () => {
  const { dir, add } = newStore();
  const text = 'x'.repeat(7000);
  for (let n = 0; n < 60; n += 1) add('web', n, `${n} ${text}`);
  for (const count of [1, 9, 10, 19, 40, 59, 60]) {
    assert.equal(lastLines('web', count, dir).length, count);
    assert.ok(lastLines('web', count, dir)[0]?.startsWith(`${stamp(60 - count)} ${60 - count} x`));
  }
});

await point('a reader ends where the log ended, until it follows', () => {
  const { dir, add, rotate } = newStore();
  add('web', 1, 'a');
  const reader = new LogReader(dir, 'web');
  reader.begin(null);
  add('web', 2, 'b');
  rotate('web');
  add('web', 3, 'c');
  assert.deepEqual(textsOf(reader), ['a']);
  reader.follow();
  assert.deepEqual(textsOf(reader), ['b', 'c']);
  reader.close();
});

await point('a follower sees every record once, whatever happens between two looks', () => {
  const { dir, add, rotate } = newStore();
  const reader = new LogReader(dir, 'web');
  reader.begin(null);
  reader.follow();
  assert.deepEqual(textsOf(reader), []);
  add('web', 1, 'a');
  assert.deepEqual(textsOf(reader), ['a']);
  rotate('web');
  assert.deepEqual(textsOf(reader), []);
  add('web', 2, 'b');
  rotate('web');
  add('web', 3, 'c');
  rotate('web');
  add('web', 4, 'd');
  assert.deepEqual(textsOf(reader), ['b', 'c', 'd']);
  appendFileSync(join(dir, 'web', 'current'), `${stamp(5)} half`);
  assert.deepEqual(textsOf(reader), []);
  appendFileSync(join(dir, 'web', 'current'), ' and half\n');
  rotate('web');
  assert.deepEqual(textsOf(reader), ['half and half']);
  appendFileSync(join(dir, 'web', 'current'), `${stamp(6)} torn`);
  rotate('web');
  add('web', 7, 'e');
  assert.deepEqual(textsOf(reader), ['torn', 'e']);
  reader.close();
});

await point('a follower that was too slow is told that lines are missing', () => {
  const { dir, add, rotate } = newStore();
  add('web', 0, '0');
  const reader = new LogReader(dir, 'web');
  reader.begin(null);
  reader.follow();
  for (let n = 1; n < 8; n += 1) {
    rotate('web');
    add('web', n, `${n}`);
  }
  const texts = textsOf(reader);
  assert.equal(texts[1], 'svctl: lines were removed before they could be read');
  assert.deepEqual(texts.toSpliced(1, 1), ['0', '4', '5', '6', '7']);
  reader.close();
});

/** Appends numbered records as fast as it can, and makes an archive after every other one. */
const HASTY = `
  import { appendFileSync } from 'node:fs';
  import { archive } from ${JSON.stringify(new URL('../../src/log/archive.ts', import.meta.url))};
  const [dir, stamp, count] = process.argv.slice(-3);
  for (let n = 1; n <= Number(count); n += 1) {
    appendFileSync(dir + '/current', stamp + ' ' + n + '\\n');
    if (n % 2 === 0) archive(dir, 1e12 + n);
  }
`;

await point('a follower beside a hasty writer misses nothing without saying so', async () => {
  const { dir, add } = newStore();
  add('web', 1, '0');
  const script = join(dir, 'hasty.mts');
  writeFileSync(script, HASTY);
  const last = 20_000;
  const reader = new LogReader(dir, 'web');
  reader.begin(null);
  reader.follow();
  const args = [script, join(dir, 'web'), stamp(1), `${last}`];
  const ended = once(spawn(process.execPath, args, { stdio: 'inherit' }), 'exit');
  const missed: string[] = [];
  let hasGap = false;
  for (let at = -1; at < last; ) {
    const record = reader.next();
    // The child starts while this sleeps; then it is in haste, and so is this.
    if (record === null && at < 1) await new Promise((resolve) => setTimeout(resolve, 1));
    if (record?.kind === 'remark') hasGap = true;
    if (record?.kind !== 'line') continue;
    const next = Number(Buffer.from(record.text));
    if (next !== at + 1 && !(hasGap && next > at)) missed.push(`${next} after ${at}`);
    at = next;
    hasGap = false;
  }
  await ended;
  assert.deepEqual(missed, []);
  reader.close();
});

done();
