/**
 * Whatever can be wrong: the command line, the connection, the answer, the reader of the output.
 */
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { run } from '../../src/cli/run.ts';
import { closedWorld, fake, listing, svctl, temporaryDirectory, view } from './fake.ts';

const UP = { services: [{ name: 'web', state: 'up', note: '' }] };

t.test('what svinit refuses is told with its hint and its exit code', async (t) => {
  const server = await fake(t, (_, answer) => answer.error(4, 'No \x1b]0;x', 'Did you mean web?'));
  const env = { SVINIT_RUN: server.run };
  for (const verb of ['start', 'stop', 'restart', 'status', 'why', 'deps', 'waves', 'wait']) {
    t.strictSame(
      await svctl([verb, 'wbe'], { env }),
      { exit: 4, out: '', err: 'svctl: No \\x1b]0;x\n  Did you mean web?\n' },
      verb,
    );
  }
  const { err, out } = await svctl(['start', 'wbe', '--json'], { env });
  t.equal(out, '');
  t.strictSame(JSON.parse(err), {
    error: { exit: 4, message: 'No \x1b]0;x', hint: 'Did you mean web?', code: -32_004 },
  });
});

t.test('a wrong command line is exit 2 and asks nothing', async (t) => {
  const server = await fake(t, (_, answer) => answer.result({}));
  const env = { SVINIT_RUN: server.run };
  const cases: readonly (readonly [string, RegExp])[] = [
    ['strat web', /^svctl: There is no verb 'strat'; did you mean start\?\n {2}svctl help lists/],
    ['start', /^svctl: Name what to start\n {2}usage: svctl start NAME/],
    ['stop web --casade', /no option --casade; did you mean --cascade\?\n {2}usage: svctl stop/],
    ['wait', /^svctl: Wait for what\?/],
    ['wait web:redy', /'web:redy' is not a condition; did you mean web:ready\?/],
    ['wait :up', /':up' is not a condition/],
    ['wait web --no-wait', /contradicts itself/],
    ['scan web', /'web' is one word too many/],
    ['poweroff now', /'now' is one word too many/],
    ['ls --timeout 5x', /'5x' is not a duration/],
    ['ls --timeout 2000000', /at most one day/],
    ['help strat', /did you mean start/],
    ['why', /^svctl: Why what/],
  ];
  for (const [line, err] of cases) {
    const ran = await svctl(line.split(' '), { env });
    t.match(ran, { exit: 2, out: '', err }, line);
  }
  const json = await svctl(['ls', '--jsn', '--json'], { env });
  t.match(JSON.parse(json.err), { error: { exit: 2, hint: /^usage: / } });
  t.equal(server.asked.length, 0);
});

t.test('nobody listening is exit 9 with the path and a hint', async (t) => {
  const run = temporaryDirectory(t);
  const gone = await svctl(['ls'], { env: { SVINIT_RUN: run } });
  t.strictSame(gone, {
    exit: 9,
    out: '',
    err:
      `svctl: Cannot reach svinit at ${run}/control: connect failed with ENOENT\n` +
      '  Is svinit running? SVINIT_RUN or --socket say where it listens\n',
  });
  const named = await svctl(['ls', '--socket', join(run, 'mine')], {});
  t.match(named, { exit: 9, err: /at .*\/mine: connect failed with ENOENT/ });
});

t.test('--socket goes before SVINIT_RUN', async (t) => {
  const server = await fake(t, (_, answer) => answer.result(listing()));
  const ran = await svctl(['--socket', join(server.run, 'control')], { env: { SVINIT_RUN: '/x' } });
  t.strictSame(ran, { exit: 0, out: 'no services\n', err: '' });
});

t.test('--timeout ends svctl when svinit never answers', async (t) => {
  const server = await fake(t, () => {});
  const env = { SVINIT_RUN: server.run };
  const ls = await svctl(['ls', '--timeout', '50ms'], { env });
  t.match(ls, { exit: 5, out: '', err: /^svctl: Cannot ls: svinit did not answer within 50 ms\n/ });
  const start = await svctl(['start', 'web', '--timeout', '0'], { env });
  t.match(start, { exit: 5, err: /^svctl: Cannot start: svinit did not answer/ });
  t.match(server.asked.at(-1)?.params, { timeoutMs: 0 }, 'svinit was told the limit');
});

t.test('an answer that is no answer ends svctl', async (t) => {
  const server = await fake(t, (_, answer) => answer.raw('hello\n'));
  const ran = await svctl(['ls'], { env: { SVINIT_RUN: server.run } });
  t.match(ran, { exit: 9, out: '', err: /what it sent is not JSON-RPC\n/ });
});

t.test('a dropped connection is asked again, and svctl tells nothing of it', async (t) => {
  const server = await fake(t, ({ connection }, answer) => {
    if (connection === 1) answer.close();
    else answer.result(UP);
  });
  const ran = await svctl(['start', 'web'], { env: { SVINIT_RUN: server.run } });
  t.strictSame(ran, { exit: 0, out: 'web: up\n', err: '' });
  t.equal(server.asked.length, 2);
});

t.test('a reader that goes away is no error', async (t) => {
  const server = await fake(t, (_, answer) => answer.result(listing(view('web'))));
  t.equal(await run(['ls'], 'svctl', closedWorld({ SVINIT_RUN: server.run })), 0);
  // The same with a real pipe, whose reader is gone before anything is written.
  const entry = fileURLToPath(new URL('../fixtures/svctl.ts', import.meta.url));
  const child = spawn(process.execPath, [entry, 'waves', '-'], { stdio: 'pipe' });
  let err = '';
  child.stderr.on('data', (text) => {
    err += String(text);
  });
  const ended = new Promise((resolve) => child.once('close', resolve));
  child.stdout.destroy();
  child.stdout.once('close', () => child.stdin.end('a b'));
  t.equal(await ended, 0);
  t.equal(err, '');
});

t.test('a connection that is accepted and never read does not hold --timeout', async (t) => {
  const run = temporaryDirectory(t);
  const server = createServer({ pauseOnConnect: true });
  await new Promise<void>((resolve) => server.listen(join(run, 'control'), resolve));
  t.teardown(() => server.close());
  const ran = await svctl(['ls', '--timeout', '50ms'], { env: { SVINIT_RUN: run } });
  t.equal(ran.exit, 5);
});
