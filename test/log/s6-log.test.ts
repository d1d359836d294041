/** The small s6-log of images that have none, and what the real one makes of its directories. */
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import t from 'tap';
import { parseScript } from '../../src/log/s6-log.ts';

t.test('parseScript()', async (t) => {
  const directory = '/log';
  t.same(parseScript(['/log']), { directory, archives: 10, size: 99_999, stamp: 'none' });
  const usual = { directory, archives: 20, size: 1_000_000, stamp: 'iso' };
  t.same(parseScript(['n20', 's1000000', 'T', '/log']), usual);
  t.match(parseScript(['t', 's1', '/log']), { stamp: 'tai64n', size: 4096 });
  t.equal(parseScript(['n20']), 'no directory is named');
  t.equal(parseScript(['/a', '/b']), 'a second directory, /b, needs s6-log itself');
  t.equal(parseScript(['-debug', '/a']), 'the directive -debug needs s6-log itself');
});

const STORE = `
import { parseScript, storeInput } from '${resolve('src/log/s6-log.ts')}';
storeInput(parseScript(process.argv.slice(1)));
`;

/** Has it store `input` by the script `words`. */
function store(input: string | Buffer, ...words: readonly string[]): void {
  const options = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', STORE];
  execFileSync(process.execPath, [...options, ...words], { input });
}

const archivesOf = (directory: string): string[] =>
  readdirSync(directory).filter((name) => name.startsWith('@'));

t.test('what is stored', async (t) => {
  const directory = t.testdir();
  const log = `${directory}/log`;
  store(Buffer.from('one\n\xfftwo\nthree', 'latin1'), log);
  t.equal(readFileSync(`${log}/current`, 'latin1'), 'one\n\xfftwo\nthree\n', 'byte for byte');
  t.equal(statSync(`${log}/current`).mode & 0o777, 0o744, 'it was closed');
  store('four\n', 't', log);
  t.match(readFileSync(`${log}/current`, 'latin1'), /\n@4[0-9a-f]{23} four\n$/);
  t.same(archivesOf(log), [], 'it goes on with what was closed');
  store('five\n', 'T', log);
  t.match(readFileSync(`${log}/current`, 'latin1'), /\n[-0-9]{10} [:0-9]{8}\.[0-9]{9} {2}five\n$/);

  writeFileSync(`${log}/current`, 'cut');
  chmodSync(`${log}/current`, 0o644);
  store('six\n', log);
  const [unclean = ''] = archivesOf(log);
  t.match(unclean, /\.u$/, 'what was not closed is kept apart');
  t.equal(readFileSync(`${log}/current`, 'latin1'), 'six\n');
  for (let round = 0; round < 4; round += 1) store(`${'x'.repeat(5000)}\n`, 'n2', 's4096', log);
  t.equal(archivesOf(log).length, 2, 'no more archives than were asked for');
});

const lacking = existsSync('/usr/bin/s6-log') ? false : 's6-log is not installed';
t.test('s6-log goes on with it', { skip: lacking }, async (t) => {
  const log = `${t.testdir()}/log`;
  store('ours\n', log);
  execFileSync('/usr/bin/s6-log', ['--', log], { input: 'theirs\n' });
  t.equal(readFileSync(`${log}/current`, 'latin1'), 'ours\ntheirs\n');
  store('ours again\n', log);
  t.equal(readFileSync(`${log}/current`, 'latin1'), 'ours\ntheirs\nours again\n');
  t.same(archivesOf(log), []);
});
