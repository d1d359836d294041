/** Probes: what may be asked, what a service.json may say of it, and what counts when. */
import t from 'tap';
import { hasLine, type Probe, parseEndpoint, parsePage, probeWords } from '../../src/core/probe.ts';
import { judgeAlive, judgeReady, NO_TALLY, type Tally } from '../../src/core/probe-tally.ts';
import { withBeginning, withProber } from '../../src/core/prober.ts';
import { ms } from '../../src/core/units.ts';
import { good, refusals, withJson } from './spec-texts.ts';

t.test('parseEndpoint()', async (t) => {
  t.same(parseEndpoint('127.0.0.1:80'), { host: '127.0.0.1', port: 80 });
  t.same(parseEndpoint('localhost:65535'), { host: '127.0.0.1', port: 65_535 });
  t.same(parseEndpoint('[::1]:1'), { host: '::1', port: 1 });
  t.same(parseEndpoint('[fe80:0:0:0:0:0:0:1]:1'), { host: 'fe80:0:0:0:0:0:0:1', port: 1 });
  t.same(parseEndpoint('[::ffff:10.0.0.1]:1'), { host: '::ffff:10.0.0.1', port: 1 });
  for (const wrong of [
    ...['', '80', ':80', '127.0.0.1', '127.0.0.1:', '127.0.0.1:0', '127.0.0.1:65536'],
    ...['256.0.0.1:80', '1.2.3:80', 'example.org:80', '::1:80', '[::1::]:80', '[1:2]:80'],
    ...['[::1]', '[12345::]:80', '[1:2:3:4:5:6:7:8:9]:80', '127.0.0.1:80/', ' 127.0.0.1:80'],
    ...['[::1.2.3.256]:80', '127.0.0.1:080808'],
  ]) {
    t.equal(parseEndpoint(wrong), null, wrong);
  }
});

t.test('parsePage()', async (t) => {
  t.same(parsePage('http://localhost'), { host: '127.0.0.1', port: 80, path: '/' });
  t.same(parsePage('http://[::1]:8080/a?b'), { host: '::1', port: 8080, path: '/a?b' });
  t.same(parsePage('http://127.0.0.1?x'), { host: '127.0.0.1', port: 80, path: '/?x' });
  for (const wrong of [
    ...['https://127.0.0.1/', 'http://', 'http://example.org/', 'http://u:p@127.0.0.1/'],
    ...['http://127.0.0.1:99999/', 'http://127.0.0.1/a b', 'http://127.0.0.1/\r\nX: y'],
  ]) {
    t.equal(parsePage(wrong), null, wrong);
  }
});

t.test('hasLine() finds the parts in their order', async (t) => {
  t.ok(hasLine('ready', 'now ready to serve'));
  t.ok(hasLine('listening on *:80', 'x listening on 0.0.0.0:80'));
  t.ok(hasLine('a*b*a', 'aXbXa'));
  t.notOk(hasLine('a*b*a', 'aXb'), 'no character counts twice');
  t.notOk(hasLine('Ready', 'ready'));
  const hard = `${'a*'.repeat(99)}b`;
  t.notOk(hasLine(hard, 'a'.repeat(100_000)), 'and is done at once when there are many ways');
});

const probe = (json: object): object => good(withJson(JSON.stringify(json))).ready;

t.test('what service.json says becomes a probe', async (t) => {
  const usual = { interval: 250, timeout: 2000, retries: null };
  t.strictSame(probe({ ready: { tcp: '127.0.0.1:80' } }), {
    by: 'probe',
    probe: { ...usual, tcp: '127.0.0.1:80' },
  });
  t.strictSame(
    probe({
      ready: {
        ...{ http: 'http://[::1]/up', status: [200, 401] },
        ...{ interval: '1s', timeout: '20ms', retries: 7 },
      },
    }),
    {
      by: 'probe',
      probe: {
        ...{ interval: 1000, timeout: 20, retries: 7 },
        ...{ http: 'http://[::1]/up', status: [200, 401] },
      },
    },
  );
  t.match(probe({ ready: { exec: ['pg_isready', '-q'] } }), {
    probe: { exec: ['pg_isready', '-q'] },
  });
  t.match(probe({ ready: { file: '/run/x' } }), { probe: { file: '/run/x' } });
  t.match(probe({ ready: { line: 'up *' } }), { probe: { line: 'up *' } });
  const { alive } = good(withJson('{"alive": {"exec": ["true"]}}'));
  t.strictSame(alive, {
    ...{ interval: 10_000, timeout: 5000, retries: 3, startPeriod: 0, action: 'restart' },
    exec: ['true'],
  });
  const all = good(
    withJson('{"alive": {"file": "/x", "startPeriod": "1min", "action": "report", "retries": 1}}'),
  );
  t.match(all.alive, { file: '/x', startPeriod: 60_000, action: 'report', retries: 1 });
});

const TCP = '"HOST:PORT", HOST a numeric address or localhost, found';
const HTTP = '"http://HOST[:PORT][/PATH]", HOST a numeric address or localhost, found';
const LINE = 'text of 1 to 200 characters that is not only stars, found';
/** A service.json, and what is said of it. */
const WRONG: readonly (readonly [string, string])[] = [
  ['{"ready": {}}', 'ready: expected one of fd, tcp, http, exec, file and line'],
  [
    '{"ready": {"tcp": "127.0.0.1:1", "file": "/x"}}',
    'ready: expected one of fd, tcp, http, exec, file and line',
  ],
  ['{"ready": {"fd": 3, "timeout": "1s"}}', 'ready: fd goes with nothing else'],
  ['{"ready": {"fd": "3"}}', "ready.fd: expected a descriptor from 3 to 1023, found '3'"],
  ['{"ready": {"tcp": "db:80"}}', `ready.tcp: expected ${TCP} 'db:80'`],
  ['{"ready": {"tcp": 80}}', `ready.tcp: expected ${TCP} 80`],
  [
    '{"ready": {"http": "https://127.0.0.1/"}}',
    `ready.http: expected ${HTTP} 'https://127.0.0.1/'`,
  ],
  ['{"ready": {"tcp": "127.0.0.1:1", "status": [200]}}', 'ready: status is of http'],
  [
    '{"ready": {"http": "http://127.0.0.1", "status": 200}}',
    'ready.status: expected status codes such as [200, 204], found 200',
  ],
  [
    '{"ready": {"http": "http://127.0.0.1", "status": []}}',
    'ready.status: expected status codes such as [200, 204], found an array',
  ],
  [
    '{"ready": {"http": "http://127.0.0.1", "status": [99]}}',
    'ready.status.0: expected a status code from 100 to 599, found 99',
  ],
  ['{"ready": {"exec": "true"}}', "ready.exec: expected an array of strings, found 'true'"],
  ['{"ready": {"exec": []}}', 'ready.exec: expected at least the program, found an array'],
  ['{"ready": {"file": "x"}}', "ready.file: expected an absolute path, found 'x'"],
  ['{"ready": {"line": ""}}', `ready.line: expected ${LINE} ''`],
  ['{"ready": {"line": "**"}}', `ready.line: expected ${LINE} '**'`],
  ['{"ready": {"line": "a\\nb"}}', 'ready.line: holds a newline'],
  ['{"ready": {"line": "x", "retries": 3}}', 'ready: retries and timeout are not of line'],
  ['{"ready": {"line": "x", "timeout": "3s"}}', 'ready: retries and timeout are not of line'],
  [
    '{"ready": {"file": "/x", "interval": "1ms"}}',
    `ready.interval: expected a duration from "20ms" to "1d", found '1ms'`,
  ],
  [
    '{"ready": {"file": "/x", "timeout": "2d"}}',
    `ready.timeout: expected a duration from "1ms" to "1d", found '2d'`,
  ],
  [
    '{"ready": {"file": "/x", "retries": 0}}',
    'ready.retries: expected a whole number from 1 to 1000, found 0',
  ],
  ['{"ready": {"files": "/x"}}', "unknown key 'ready.files', did you mean 'file'?"],
  ['{"ready": {"file": "/x", "startPeriod": "1s"}}', "unknown key 'ready.startPeriod'"],
  ['{"alive": true}', 'alive: expected an object, found true'],
  ['{"alive": {"interval": "1s"}}', 'alive: expected one of tcp, http, exec and file'],
  ['{"alive": {"line": "x"}}', "unknown key 'alive.line'"],
  ['{"alive": {"fd": 3}}', "unknown key 'alive.fd'"],
  [
    '{"alive": {"file": "/x", "action": "reboot"}}',
    "alive.action: expected restart or report, found 'reboot'",
  ],
  [
    '{"alive": {"file": "/x", "startPeriod": 5}}',
    'alive.startPeriod: expected a duration from "0s" to "1d", found 5',
  ],
  ['{"type": "oneshot", "command": ["true"], "alive": {"file": "/x"}}', "a oneshot has no 'alive'"],
  ['{"type": "oneshot", "command": ["true"], "ready": {"file": "/x"}}', "a oneshot has no 'ready'"],
  ['{"type": "bundle", "contents": [], "alive": {"file": "/x"}}', "a bundle has no 'alive'"],
];

t.test('what is wrong with a probe is said, and refuses the service', async (t) => {
  for (const [json, reason] of WRONG) {
    const files = json.includes('"type"') ? { 'service.json': json } : withJson(json);
    t.ok(refusals(files).includes(`service.json:1: ${reason}`), `${json}: ${refusals(files)[0]}`);
  }
});

const READY: Probe = { tcp: '127.0.0.1:1', interval: ms(250), timeout: ms(2000), retries: null };
const no = (detail: string): { ok: false; detail: string } => ({ ok: false, detail });

t.test('readiness is told once, and why not once a second at most', async (t) => {
  const first = judgeReady(NO_TALLY, READY, no('refused'), ms(0));
  t.match(first, { tell: { ok: null, detail: 'refused' }, isOver: false });
  t.equal(judgeReady(first.tally, READY, no('refused'), ms(5000)).tell, null, 'no news');
  t.equal(judgeReady(first.tally, READY, no('reset'), ms(999)).tell, null, 'too soon');
  t.match(judgeReady(first.tally, READY, no('reset'), ms(1000)).tell, { detail: 'reset' });
  const good = judgeReady(first.tally, READY, { ok: true, detail: 'connected' }, ms(1));
  t.match(good, { tell: { ok: true, detail: 'connected' }, isOver: true });
});

t.test('readiness can be given up', async (t) => {
  const probe = { ...READY, retries: 2 };
  const first = judgeReady(NO_TALLY, probe, no('refused'), ms(0));
  t.match(first, { tell: { ok: null, detail: 'refused (1 of 2)' } });
  const second = judgeReady(first.tally, probe, no('refused'), ms(1));
  t.match(second, { tell: { ok: false, detail: 'refused, 2 times in a row' }, isOver: true });
});

t.test('life is lost by failures in a row that count', async (t) => {
  const probe = {
    ...READY,
    ...{ retries: 2, startPeriod: ms(1000), action: 'restart' as const },
  };
  const tellings: unknown[] = [];
  let tally: Tally = NO_TALLY;
  let at = 0;
  const ask = (ok: boolean, atMs: number): boolean => {
    at = atMs;
    const judged = judgeAlive(tally, probe, { ok, detail: ok ? 'fine' : 'bad' }, at, ms(at));
    tally = judged.tally;
    if (judged.tell !== null) tellings.push([at, judged.tell.ok, judged.tell.detail]);
    return judged.isOver;
  };
  for (const atMs of [0, 300, 600, 900]) t.notOk(ask(false, atMs), 'it may take its time');
  t.same(tellings.splice(0), [[0, null, 'bad']]);
  ask(true, 1100);
  ask(true, 1200);
  t.same(tellings.splice(0), [[1100, true, 'fine']], 'that all is well is told once');
  ask(false, 2200);
  ask(true, 2300);
  t.same(tellings.splice(0), [
    [2200, null, 'bad (1 of 2)'],
    [2300, true, 'fine'],
  ]);
  ask(false, 9000);
  t.ok(ask(false, 9001), 'two in a row');
  t.same(tellings.at(-1), [9001, false, 'bad, 2 times in a row']);
  tally = { ...NO_TALLY, hasSucceeded: true };
  ask(false, 500);
  t.ok(ask(false, 600), 'once it has answered, the start is over');
});

t.test('what is only reported goes on being asked', async (t) => {
  const probe = { ...READY, retries: 1, startPeriod: ms(0), action: 'report' as const };
  const first = judgeAlive(NO_TALLY, probe, no('bad'), 0, ms(0));
  t.match(first, { tell: { ok: false, detail: 'bad' }, isOver: false });
  const second = judgeAlive(first.tally, probe, no('worse'), 0, ms(9000));
  t.equal(second.tell, null, 'known');
  const third = judgeAlive(second.tally, probe, { ok: true, detail: 'fine' }, 0, ms(9001));
  t.match(third, { tell: { ok: true }, isOver: false });
  t.match(judgeAlive(third.tally, probe, no('bad'), 0, ms(9002)).tell, { ok: false });
});

t.test('the prober comes with who is to be asked, and is wanted with it', async (t) => {
  const program = { path: '/usr/bin/svinit', env: {} };
  const plain = good({ run: '#!/bin/sh' });
  t.same(withProber([plain], program), [plain]);
  const asked = good(withJson('{"alive": {"file": "/x"}, "wants": ["a"]}'));
  const [changed, prober] = withProber([asked], program);
  t.same(changed?.wants, ['a', 'svprobe']);
  t.match(prober, { name: 'svprobe', initially: 'down', early: true });
  const own = { ...plain, name: 'svprobe' };
  t.equal(withProber([asked, own], program).length, 2, 'a directory takes its place');
});

t.test('only a service whose lines are read says that it begins', async (t) => {
  const spec = good(withJson('{"ready": {"line": "up"}}'));
  const command = { path: '/x/run', argv: ['run', 'a b'] };
  const begun = withBeginning(spec, 'start', command, { 'with.dot': '1' });
  t.ok(begun.argv.includes('with.dot=1'), 'nothing is lost of its environment');
  t.equal(begun.path, '/bin/sh');
  t.same(begun.argv.slice(-2), ['/x/run', 'a b']);
  t.equal(withBeginning(spec, 'finish', command, {}).path, '/x/run');
  const other = good(withJson('{"ready": {"file": "/up"}}'));
  t.same(withBeginning(other, 'start', command, {}), command);
});

t.test('probeWords() are safe to show', async (t) => {
  t.equal(probeWords({ ...READY, retries: 1 }), 'tcp 127.0.0.1:1');
  const { tcp: _, ...rest } = READY;
  t.equal(probeWords({ ...rest, exec: ['a', '\u001b[2J'] }), 'exec a \\u{1b}[2J');
});
