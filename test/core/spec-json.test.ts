/** service.json: its keys, what is said of wrong ones, and how it goes together with the files. */
import t from 'tap';
import { good, parse, refusals, withJson } from './spec-texts.ts';

t.test('every key is honoured', async (t) => {
  const spec = good({
    'service.json': JSON.stringify({
      $schema: 'https://example.org/service.schema.json',
      description: 'Caf\u00e9',
      type: 'longrun',
      dialect: 's6',
      command: ['httpd', '-f'],
      env: { PORT: '8080', 'with.dot': '' },
      cwd: '/srv',
      needs: ['b', 'a', 'b'],
      wants: ['w'],
      after: ['x'],
      before: ['y'],
      ready: { fd: 4 },
      initially: 'up',
      early: true,
      essential: true,
      tty: 'console',
      stop: { signal: 'INT', timeout: '1.5s' },
      start: { timeout: '2min' },
      finish: { timeout: null },
      restart: { when: 'on-failure', limit: 3, window: '1h' },
    }),
  });
  t.strictSame(spec, {
    name: 'web',
    type: 'longrun',
    dialect: 's6',
    directory: '/services/web',
    description: 'Caf\u00e9',
    start: { path: 'httpd', argv: ['httpd', '-f'] },
    finish: null,
    down: null,
    cwd: '/srv',
    env: Object.assign(Object.create(null), { PORT: '8080', 'with.dot': '' }),
    needs: ['a', 'b'],
    wants: ['w'],
    after: ['x'],
    before: ['y'],
    contents: [],
    ready: { by: 'fd', fd: 4 },
    initially: 'up',
    early: true,
    essential: true,
    tty: 'console',
    stopSignal: 2,
    stopWithin: 1500,
    upWithin: 120_000,
    downWithin: null,
    finishWithin: null,
    killsGroup: false,
    restart: { when: 'on-failure', limit: 3, window: 3_600_000 },
  });
});

t.test('the type of service.json counts as that of the file', async (t) => {
  const oneshot = good({
    'service.json': '{"type": "oneshot", "command": ["true"], "stop": {"timeout": "3s"}}',
  });
  t.same(oneshot.start, { path: 'true', argv: ['true'] });
  t.same([oneshot.initially, oneshot.restart.when], ['target', 'never']);
  t.same([oneshot.stopWithin, oneshot.downWithin], [10_000, 3000], 'stop.timeout is for `down`');
  const bundle = good({ 'service.json': '{"type": "bundle", "contents": ["b", "a"]}' });
  t.same(bundle.contents, ['a', 'b']);
  t.equal(good(withJson('{"ready": "spawn", "initially": "down"}')).initially, 'down');
});

const DURATION = 'expected a duration such as "5s", "200ms" or "2min", found';
/** A service.json, and everything that is said of it. */
const WRONG: readonly (readonly [string, readonly string[]])[] = [
  ['[]', ['service.json: expected an object, found an array']],
  ['3', ['service.json: expected an object, found 3']],
  ['{"descripton": ""}', ["service.json:1: unknown key 'descripton', did you mean 'description'?"]],
  [
    '{"banana": 1, "bananas": 2}',
    ["service.json:1: unknown key 'banana'", "service.json:1: unknown key 'bananas'"],
  ],
  [
    '{\n"stop": {\n"timout": "5s"}}',
    ["service.json:3: unknown key 'stop.timout', did you mean 'timeout'?"],
  ],
  ['{"stop": []}', ['service.json:1: stop: expected an object, found an array']],
  ['{"env": []}', ['service.json:1: env: expected an object, found an array']],
  ['{"stop": "5s"}', ["service.json:1: stop: expected an object, found '5s'"]],
  ['{\n"start": {"timeout": 5}}', [`service.json:2: start.timeout: ${DURATION} 5`]],
  ['{"start": {"timeout": "5"}}', [`service.json:1: start.timeout: ${DURATION} '5'`]],
  ['{"restart": {"window": null}}', [`service.json:1: restart.window: ${DURATION} null`]],
  ['{"needs": "db"}', ["service.json:1: needs: expected an array of service names, found 'db'"]],
  [
    '{"needs": {"db": {}}}',
    ['service.json:1: needs: expected an array of service names, found an object'],
  ],
  ['{"needs": ["a",\n"-b"]}', ["service.json:2: needs.1: the name '-b' begins with '-'"]],
  ['{"after": [1]}', ['service.json:1: after.0: expected a service name, found 1']],
  ['{"command": []}', ['service.json:1: command: expected at least the program, found an array']],
  ['{"command": [""]}', ['service.json:1: command: the program may not be empty']],
  ['{"command": "a b"}', ["service.json:1: command: expected an array of strings, found 'a b'"]],
  ['{"command": ["a\\u0000"]}', ['service.json:1: command.0: holds a NUL character']],
  [
    '{"type": "daemon"}',
    ["service.json:1: type: expected longrun, oneshot or bundle, found 'daemon'"],
  ],
  ['{"dialect": "s7"}', ["service.json:1: dialect: expected svinit, s6 or runit, found 's7'"]],
  ['{"cwd": "srv"}', ["service.json:1: cwd: expected an absolute path, found 'srv'"]],
  ['{"env": {"A": 1}}', ['service.json:1: env.A: expected a string, found 1']],
  ['{"env": {"A=B": ""}}', ["service.json:1: env.A=B: 'A=B' cannot be a variable"]],
  [
    '{"ready": {"fd": 2}}',
    ['service.json:1: ready.fd: expected a descriptor from 3 to 1023, found 2'],
  ],
  [
    '{"ready": "never"}',
    [
      'service.json:1: ready: expected "spawn", "notify", {"fd": N}, or an object with tcp, http, ' +
        "exec, file or line, found 'never'",
    ],
  ],
  ['{"initially": "on"}', ["service.json:1: initially: expected up, down or target, found 'on'"]],
  ['{"early": 1}', ['service.json:1: early: expected true or false, found 1']],
  [
    '{"tty": "/etc/passwd"}',
    [
      'service.json:1: tty: expected "console", "consoles", "pty" or a path below /dev, found \'/etc/passwd\'',
    ],
  ],
  [
    '{"tty": "/dev/../etc/passwd"}',
    [
      'service.json:1: tty: expected "console", "consoles", "pty" or a path below /dev, found \'/dev/../etc/passwd\'',
    ],
  ],
  [
    '{"stop": {"signal": "NOPE"}}',
    ['service.json:1: stop.signal: expected a signal such as "TERM", found \'NOPE\''],
  ],
  [
    '{"restart": {"when": "unless-stopped"}}',
    ["service.json:1: restart.when: expected always, on-failure or never, found 'unless-stopped'"],
  ],
  [
    '{"restart": {"limit": 0}}',
    ['service.json:1: restart.limit: expected a whole number from 1 to 1000, or null, found 0'],
  ],
  ['{"description": "a\\nb"}', ['service.json:1: description: holds a control character']],
];

t.test('what is wrong is said with line, path and what was found', async (t) => {
  for (const [json, problems] of WRONG) t.same(refusals(withJson(json)), problems, json);
});

t.test('C9 what is not honoured yet is refused, never ignored', async (t) => {
  const keys = 'conflicts provides schedule instances log';
  for (const key of keys.split(' ')) {
    const refused = [`service.json:1: '${key}' is not supported yet`];
    t.same(refusals(withJson(`{"${key}": "x"}`)), refused);
  }
  t.same(refusals(withJson('{"restart": {"then": "halt"}, "stop": {"command": ["x"]}}')), [
    "service.json:1: 'stop.command' is not supported yet",
    "service.json:1: 'restart.then' is not supported yet",
  ]);
});

t.test('a key and a file may not disagree', async (t) => {
  const cases: readonly (readonly [Readonly<Record<string, string>>, string, string, string])[] = [
    [{ type: 'longrun' }, '{"type": "oneshot"}', 'type', 'type'],
    [{ 'dependencies.d/a': '' }, '{"needs": ["b"]}', 'needs', 'dependencies.d'],
    [{ 'notification-fd': '3' }, '{"ready": {"fd": 4}}', 'ready', 'notification-fd'],
    [{ 'notification-fd': '3' }, '{"ready": "spawn"}', 'ready', 'notification-fd'],
    [{ down: '' }, '{"initially": "up"}', 'initially', 'down'],
    [{ 'flag-essential': '' }, '{"essential": false}', 'essential', 'flag-essential'],
    [{ 'down-signal': 'INT' }, '{"stop": {"signal": "HUP"}}', 'stop.signal', 'down-signal'],
    [{ 'timeout-kill': '1' }, '{"stop": {"timeout": "1s"}}', 'stop.timeout', 'timeout-kill'],
    [{ 'timeout-up': '0' }, '{"start": {"timeout": "1s"}}', 'start.timeout', 'timeout-up'],
    [
      { 'timeout-finish': '1' },
      '{"finish": {"timeout": null}}',
      'finish.timeout',
      'timeout-finish',
    ],
    [{ 'env/A': '1' }, '{"env": {"A": "2"}}', 'env.A', 'env/A'],
  ];
  for (const [files, json, key, file] of cases) {
    const problems = refusals({ ...files, ...withJson(json) });
    t.same(problems, [`service.json:1: the key '${key}' and the file '${file}' disagree`]);
  }
  t.same(refusals(withJson('{"command": ["x"]}')), [
    "service.json:1: the key 'command' and the file 'run' cannot both be there",
  ]);
});

t.test('a key and a file may say the same, and add variables to each other', async (t) => {
  const spec = good({
    ...withJson('{"needs": ["b", "a"], "env": {"A": "1", "B": "2"}, "stop": {"timeout": "1s"}}'),
    'dependencies.d/a': '',
    'dependencies.d/b': '',
    'env/A': '1',
    'env/C': '3',
    'timeout-kill': '1000',
  });
  t.same(spec.needs, ['a', 'b']);
  t.same({ ...spec.env }, { A: '1', B: '2', C: '3' });
  t.equal(spec.stopWithin, 1000);
});

t.test('keys without a meaning in the type are refused', async (t) => {
  t.same(refusals(withJson('{"contents": ["a"]}')), [
    "service.json:1: a longrun has no 'contents'",
  ]);
  t.same(refusals({ 'service.json': '{"type": "oneshot", "restart": {}, "ready": "spawn"}' }), [
    "service.json:1: a oneshot has no 'ready'",
    "service.json:1: a oneshot has no 'restart'",
  ]);
  t.same(refusals({ 'service.json': '{"type": "bundle", "command": ["x"], "early": true}' }), [
    "service.json:1: a bundle has no 'command'",
    "service.json:1: a bundle has no 'early'",
  ]);
});

t.test('a syntax error is told with line and column', async (t) => {
  t.same(refusals(withJson('{\n  "env": {\n    "A": "1",\n  }\n}')), [
    "service.json:4: not JSON at column 3: a comma may not come before '}'",
  ]);
});

t.test('C7 the prototype of objects cannot be reached', async (t) => {
  for (const key of ['__proto__', 'constructor', 'prototype']) {
    t.match(refusals(withJson(`{"env": {"${key}": "x"}}`)), [/^service.json:1: not JSON at/]);
  }
  t.equal(parse(withJson('{"__proto__": {"early": true}}')).spec, null);
  t.equal(Reflect.get({}, 'early'), undefined);
});
