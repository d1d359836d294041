/**
 * Each verb: what it asks of svinit, what it prints of the answer, and its exit code.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { delayIn, delayUntil } from '../../src/cli/when.ts';
import { fake, listing, type Ran, svctl, type Test, temporaryDirectory, view } from './fake.ts';

type Row = {
  readonly line: string;
  readonly method: string;
  readonly params: unknown;
  readonly result: unknown;
  readonly out: string;
  readonly exit: number;
};

const UP = { services: [{ name: 'web', state: 'up', note: '' }] };
const DOWN = { services: [{ name: 'web', state: 'down', note: 'killed by TERM' }] };
const SCAN = { added: [], changed: [], removed: [], refused: [], notices: [] };
const ABOUT = {
  version: '0.1.0',
  runtime: 'bun 1.4.5',
  pid: 1,
  uptimeMs: 90_000,
  target: 'default',
  image: 2,
  halting: null,
};

const waiting = { names: ['web'], wait: true, timeoutMs: null };

const ROWS: readonly Row[] = [
  {
    line: 'start web',
    method: 'start',
    params: { ...waiting, once: false },
    result: UP,
    out: 'web: up\n',
    exit: 0,
  },
  {
    line: 'start --no-wait web db* --timeout 2m',
    method: 'start',
    params: { names: ['web', 'db*'], wait: false, timeoutMs: 120_000, once: false },
    result: { services: [] },
    out: 'start is noted for web, db*\n',
    exit: 0,
  },
  {
    line: 'start web',
    method: 'start',
    params: { ...waiting, once: false },
    result: { services: [{ name: 'web', state: 'failed', note: 'exit 1' }] },
    out: 'web: failed (exit 1)\n',
    exit: 1,
  },
  {
    line: 'start --once web',
    method: 'start',
    params: { ...waiting, once: true },
    result: UP,
    out: 'web: up\n',
    exit: 0,
  },
  {
    line: 'signal --group SIGUSR1 web db',
    method: 'signal',
    params: { names: ['web', 'db'], signal: 10, group: true },
    result: { signalled: ['web', 'db'] },
    out: 'web: USR1 sent\ndb: USR1 sent\n',
    exit: 0,
  },
  {
    line: 'restart web --timeout 500ms',
    method: 'restart',
    params: { ...waiting, timeoutMs: 500 },
    result: UP,
    out: 'web: up\n',
    exit: 0,
  },
  {
    line: 'stop web',
    method: 'stop',
    params: { ...waiting, cascade: false, force: false },
    result: DOWN,
    out: 'web: down (killed by TERM)\n',
    exit: 0,
  },
  {
    line: 'stop --cascade --force web',
    method: 'stop',
    params: { ...waiting, cascade: true, force: true },
    result: DOWN,
    out: 'web: down (killed by TERM)\n',
    exit: 0,
  },
  {
    line: 'wait web a:b:down db:failed --timeout 3',
    method: 'wait',
    params: {
      conditions: [
        { name: 'web', goal: 'ready' },
        { name: 'a:b', goal: 'down' },
        { name: 'db', goal: 'failed' },
      ],
      timeoutMs: 3000,
    },
    result: UP,
    out: 'web: up\n',
    exit: 0,
  },
  {
    line: 'scan',
    method: 'scan',
    params: { prune: false },
    result: SCAN,
    out: 'nothing changed\n',
    exit: 0,
  },
  {
    line: 'scan --prune',
    method: 'scan',
    params: { prune: true },
    result: {
      added: ['a', 'b'],
      changed: [{ name: 'web', fields: ['command', 'env'] }],
      removed: ['old'],
      refused: [{ name: 'bad', directory: '/d', file: 'type', line: 1, reason: 'unknown' }],
      notices: ['a: no log'],
    },
    out:
      'added: a, b\nchanged: web (command, env)\nremoved: old\n' +
      'refused: bad: type:1: unknown\na: no log\n',
    exit: 8,
  },
  {
    line: 'version',
    method: 'version',
    params: {},
    result: ABOUT,
    out: 'svinit 0.1.0 on bun 1.4.5, pid 1, up for 90 s\ntarget default, image 2\n',
    exit: 0,
  },
  {
    line: 'reexec',
    method: 'reexec',
    params: { binary: null },
    result: { image: 3 },
    out: 'svinit goes on as image 3\n',
    exit: 0,
  },
  {
    line: 'reexec --binary /sbin/../bin/new',
    method: 'reexec',
    params: { binary: '/bin/new' },
    result: { image: 3 },
    out: 'svinit goes on as image 3\n',
    exit: 0,
  },
  {
    line: 'halt',
    method: 'halt',
    params: {},
    result: { halting: 'exit' },
    out: 'Going down (exit): services are stopping\n',
    exit: 0,
  },
  {
    line: 'reboot --force',
    method: 'reboot',
    params: { force: true },
    result: { halting: 'reboot' },
    out: 'Going down (reboot): services are stopping\n',
    exit: 0,
  },
  {
    line: 'switch-root',
    method: 'switchRoot',
    params: { root: null, init: null, arguments: null },
    result: { halting: 'switch-root' },
    out: 'Going down (switch-root): services are stopping\n',
    exit: 0,
  },
  {
    line: 'switch-root --init=/bin/init /mnt single x',
    method: 'switchRoot',
    params: { root: '/mnt', init: '/bin/init', arguments: ['single', 'x'] },
    result: { halting: 'switch-root' },
    out: 'Going down (switch-root): services are stopping\n',
    exit: 0,
  },
  {
    line: 'kexec',
    method: 'kexec',
    params: {},
    result: { halting: 'kexec' },
    out: 'Going down (kexec): services are stopping\n',
    exit: 0,
  },
  {
    line: 'reboot --in 5m --message bye',
    method: 'schedule',
    params: { kind: 'reboot', inMs: 300_000, message: 'bye' },
    result: { kind: 'reboot', inMs: 300_000, message: 'bye', cause: 'reboot by uid 0' },
    out:
      'scheduled: reboot in 5 min (reboot by uid 0): bye\n' +
      'svctl shutdown cancel calls it off\n',
    exit: 0,
  },
  {
    line: 'poweroff --message bye',
    method: 'schedule',
    params: { kind: 'poweroff', inMs: 0, message: 'bye' },
    result: { kind: 'poweroff', inMs: 0, message: 'bye', cause: 'poweroff by uid 0' },
    out: 'Going down (poweroff): services are stopping\n',
    exit: 0,
  },
  {
    line: 'shutdown cancel',
    method: 'cancel',
    params: {},
    result: { cancelled: { kind: 'halt', inMs: 60_000, message: '', cause: 'halt by uid 0' } },
    out: 'cancelled: scheduled: halt in 60 s (halt by uid 0)\n',
    exit: 0,
  },
  {
    line: 'shutdown cancel',
    method: 'cancel',
    params: {},
    result: { cancelled: null },
    out: 'nothing was scheduled\n',
    exit: 0,
  },
  {
    line: 'shutdown',
    method: 'shutdown',
    params: {},
    result: { halting: null, scheduled: null, waitingFor: [], skipped: [] },
    out: 'not going down\n',
    exit: 0,
  },
  {
    line: 'shutdown status',
    method: 'shutdown',
    params: {},
    result: {
      halting: { kind: 'poweroff', cause: 'poweroff by uid 0', leftMs: 55_000 },
      scheduled: null,
      waitingFor: [
        { ...waited('slow'), pid: 12, state: 'stopping', killInMs: 3000 },
        { ...waited('endless'), pid: 13, state: 'finishing' },
        { ...waited('base'), pid: 14, heldBy: ['slow'] },
      ],
      skipped: ['dead'],
    },
    out: [
      'going down: poweroff by uid 0; what still runs in 55 s is killed',
      '  slow: stopping for 2.0 s, pid 12, killed in 3.0 s',
      '  endless: finishing for 2.0 s, pid 13, is not killed by itself',
      '  base: pid 14, stops after slow',
      'not waited for any more: dead\n',
    ].join('\n'),
    exit: 0,
  },
  {
    line: 'shutdown skip slow',
    method: 'skip',
    params: { names: ['slow'] },
    result: { skipped: ['slow'] },
    out: 'killed, and not waited for: slow\n',
    exit: 0,
  },
];

function waited(name: string): object {
  return { name, state: 'up', pid: null, forMs: 2000, killInMs: null, heldBy: [] };
}

t.test('delayUntil() is the next time that the clock shows it', async (t) => {
  const now = new Date(2026, 10, 21, 8, 30, 15);
  t.equal(delayUntil('08:31', '', now), 45_000);
  t.equal(delayUntil('8:30', '', now), 24 * 3_600_000 - 15_000, 'today it is over');
  for (const text of ['24:00', '8:60', '8', '8:3', ' 8:30', '-1:00', '']) {
    t.throws(() => delayUntil(text, '', now), /is not a time of day/, text);
  }
  t.equal(delayIn('90s', ''), 90_000);
  for (const text of ['5', '-5m', '31d', ''])
    t.throws(() => delayIn(text, ''), /is not a duration|too far/);
});

t.test('svctl refuses what cannot be meant of a way down', async (t) => {
  for (const [line, err] of [
    ['poweroff --in 5m --at 10:00', /^svctl: Both --in and --at are given/],
    ['poweroff web', /'web' is one word too many/],
    ['shutdown now', /'now' is not status, cancel or skip/],
    ['shutdown skip', /Name whom not to wait for/],
    ['shutdown cancel web', /'web' is one word too many/],
  ] as const) {
    t.match(await svctl(line.split(' ')), { exit: 2, out: '', err }, line);
  }
});

/** A server that answers everything with `result`, and svctl run against it. */
async function ask(t: Test, line: string, result: unknown): Promise<Ran & { asked: unknown[] }> {
  const server = await fake(t, (_, answer) => answer.result(result));
  const ran = await svctl(line.split(' '), { env: { SVINIT_RUN: server.run } });
  return { ...ran, asked: server.asked.map(({ method, params }) => ({ method, params })) };
}

for (const { line, method, params, result, out, exit } of ROWS) {
  t.test(`svctl ${line} asks ${method} and prints the answer (exit ${exit})`, async (t) => {
    const plain = await ask(t, line, result);
    t.strictSame(plain, { exit, out, err: '', asked: [{ method, params }] });
    const json = await ask(t, `${line} --json`, result);
    t.strictSame(JSON.parse(json.out), result);
    t.equal(json.exit, exit);
  });
}

t.test('svctl alone, ls and the options before the verb are one', async (t) => {
  const down = view('db', { state: 'failed', pid: null, note: 'exit 1' });
  const server = await fake(t, (_, answer) => answer.result(listing(view('web'), down)));
  const env = { SVINIT_RUN: server.run };
  const bare = await svctl([], { env });
  t.equal(
    bare.out,
    [
      '  NAME  STATE   UP     RESTARTS  PID  NOTE',
      'x db    failed                0       exit 1',
      '* web   up      4h12m         0  212',
      '1 up, 1 failed\n',
    ].join('\n'),
  );
  t.strictSame(await svctl(['ls'], { env }), bare);
  t.strictSame(JSON.parse((await svctl(['--json'], { env })).out), listing(view('web'), down));
  const failed = await svctl(['--json', 'ls', '--failed'], { env });
  t.strictSame(JSON.parse(failed.out), listing(down));
  await svctl(['ls', 'w*', 'db'], { env });
  t.strictSame(server.asked.at(-1)?.params, { names: ['w*', 'db'] });
});

t.test('svctl status tells by its exit code whether all named services are up', async (t) => {
  const of = async (...states: Parameters<typeof view>[1][]): Promise<number | null> => {
    const services = states.map((more, i) => view(`s${i}`, more));
    return (await ask(t, 'status s*', { services })).exit;
  };
  t.equal(await of({ state: 'up' }, { state: 'done' }), 0);
  for (const state of ['down', 'failed', 'backoff', 'waiting', 'starting', 'stopping'] as const) {
    t.equal(await of({ state: 'up' }, { state }), 3, state);
  }
});

t.test('svctl status shows the last log lines, escaped', async (t) => {
  const logs = temporaryDirectory(t);
  mkdirSync(join(logs, 'web'));
  const stamp = '2026-11-21T00:10:00.123456Z';
  writeFileSync(join(logs, 'web', 'current'), `${stamp} hello\n${stamp} \x1b[2Jbye\n`);
  const server = await fake(t, (_, answer) => answer.result({ services: [view('web')] }));
  const env = { SVINIT_RUN: server.run, SVINIT_LOG: logs };
  const { out } = await svctl(['status', 'web'], { env });
  t.match(out, /^ {2}last lines\n.*hello\n.*\\x1b\[2Jbye\n$/m);
  const log = await svctl(['logs', '-n', '1', 'web'], { env });
  t.match(log, { exit: 0, out: /bye\n$/, err: '' });
  t.equal((await svctl(['logs', '-n', 'x'], { env })).exit, 2);
});

t.test('svctl status without a name shows svinit and everything', async (t) => {
  const server = await fake(t, ({ method }, answer) =>
    answer.result(method === 'version' ? ABOUT : listing(view('web'))),
  );
  const env = { SVINIT_RUN: server.run };
  const { out, exit } = await svctl(['status'], { env });
  t.match(out, /^svinit 0\.1\.0 .*\ntarget default, image 2\n {2}NAME .*\n\* web .*\n1 up\n$/);
  t.equal(exit, 0);
  const json = await svctl(['status', '--json'], { env });
  t.strictSame(JSON.parse(json.out), { ...ABOUT, ...listing(view('web')) });
});

t.test('svctl why asks twice over one connection', async (t) => {
  const db = view('db', { state: 'failed', pid: null, note: 'exit 1' });
  const web = view('web', { state: 'waiting', pid: null, waitingFor: ['db'] });
  const server = await fake(t, ({ method }, answer) =>
    answer.result(method === 'ls' ? listing(web, db) : { services: [web] }),
  );
  const env = { SVINIT_RUN: server.run };
  const { out } = await svctl(['why', 'web'], { env });
  t.match(
    out,
    /^\. web: waiting .*\n.*\n.*\n {4}x db: failed .* - exit 1\n.*\n-> svctl logs db\n$/,
  );
  const json = JSON.parse((await svctl(['why', 'web', '--json'], { env })).out);
  t.match(json, { services: [{ name: 'web', advice: 'svctl logs db' }] });
  t.strictSame(
    server.asked.map(({ connection }) => connection),
    [1, 1, 2, 2],
  );
});
