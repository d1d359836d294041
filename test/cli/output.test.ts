/**
 * How svctl shows itself: progress, colour, help, version, and the reference page.
 */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { VERSION } from '../../src/core/version.ts';
import { fake, listing, onTerminal, svctl, view } from './fake.ts';

const UP = { services: [{ name: 'web', state: 'up', note: '' }] };

t.test('progress is told on stderr with --verbose and on a terminal', async (t) => {
  const server = await fake(t, (_, answer) => {
    answer.progress('web', 'waiting', 'waits for network');
    answer.progress('web', 'starting', '');
    answer.progress('web', 'starting', '');
    answer.progress('web', 'backoff', 'exit \x1b[1');
    answer.result(UP);
  });
  const env = { SVINIT_RUN: server.run };
  const told = 'web: waits for network\nweb: starting\nweb: backoff: exit \\x1b[1\n';
  t.strictSame(await svctl(['start', 'web'], { env }), { exit: 0, out: 'web: up\n', err: '' });
  t.equal((await svctl(['start', '-v', 'web'], { env })).err, told);
  t.equal((await onTerminal(['start', 'web'], env)).err, told);
});

t.test('on a terminal there is colour, unless somebody minds', async (t) => {
  const server = await fake(t, (_, answer) => answer.result(listing(view('web'))));
  const env = { SVINIT_RUN: server.run };
  const bare = (await onTerminal(['ls', '--no-color'], env)).out;
  t.match(bare, /^ {2}NAME .*\n● web {3}up .*\n1 up\n$/);
  t.match((await onTerminal(['ls'], env)).out, '\x1b[32mup\x1b[0m');
  t.equal((await onTerminal(['ls'], { ...env, NO_COLOR: '1' })).out, bare);
  const dumb = (await onTerminal(['ls'], { ...env, TERM: 'dumb' })).out;
  t.equal(dumb, bare.replace('●', '*'));
  const narrow = (await onTerminal(['ls', '--no-color'], env, 16)).out;
  t.equal(narrow, '  NAME  STATE\n● web   up\n1 up\n');
});

t.test('--version needs no svinit', async (t) => {
  t.strictSame(await svctl(['--version']), { exit: 0, out: `svctl ${VERSION}\n`, err: '' });
  t.strictSame(await svctl(['-V', 'ls']), { exit: 0, out: `svctl ${VERSION}\n`, err: '' });
});

t.test('help is printed from the rows, for all and for each verb', async (t) => {
  const all = await svctl(['help']);
  t.match(all, { exit: 0, out: /^usage: svctl \[VERB\].*\n {2}stop NAME\.\.\. .*/s, err: '' });
  t.strictSame(await svctl(['--help']), all);
  const stop = await svctl(['help', 'stop']);
  t.match(stop, { exit: 0, out: /^usage: svctl stop NAME\.\.\. \[OPTIONS\]\n.*--cascade /s });
  t.strictSame(await svctl(['stop', '--help']), stop);
  t.strictSame(await svctl(['stop', 'web', '-h']), stop);
});

t.test('docs/svctl.md is what svctl help --markdown prints', async (t) => {
  const page = readFileSync(new URL('../../docs/svctl.md', import.meta.url), 'utf8');
  const { out } = await svctl(['help', '--markdown']);
  t.equal(page, out, 'otherwise print it again');
});
