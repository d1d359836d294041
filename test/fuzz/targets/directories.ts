/** Random service directories: what people write, and what they should not have written. */
import type { Dialect } from '../../../src/core/spec.ts';
import type { Random } from '../../core/support/random.ts';
import { randomBytes, randomLength } from '../bytes.ts';
import { type Json, mutateJson, randomJson } from '../json.ts';

export const DIALECTS: readonly Dialect[] = ['svinit', 's6', 'runit'];

const NAMES: readonly string[] = ['db', 'web', 'getty@tty1', 'svinit', '-x', '.x', 'a b', 'é', 'a'];

/** {name, dialect, files}: see definitions.ts. Half of them are nearly good. */
export function randomDirectory(random: Random): Json {
  const tame = random.chance(0.5);
  const own = tame ? tamed(random) : random;
  const type = own.pick(['longrun', 'oneshot']);
  const files = Object.entries(FILES).flatMap(([path, text]): [string, Json][] => {
    const needed = tame && path === (type === 'longrun' ? 'run' : 'type');
    if (!needed && !random.chance(USUAL.has(path) && !tame ? 0.5 : 0.06)) return [];
    const written = random.chance(tame ? 0.03 : 0.15) ? oddText(random) : text(own);
    const executable = random.chance(PROGRAMS.has(path) ? 0.8 : 0.05);
    return [[path, executable ? [written] : written]];
  });
  if (tame && type === 'oneshot') files.push(['type', random.pick(['oneshot', 'oneshot\n'])]);
  if (random.chance(0.1)) files.push([oddPath(random), oddText(random)]);
  return {
    name: random.pick(['a', 'web', 'x'.repeat(64)]),
    dialect: random.pick(DIALECTS),
    files: Object.fromEntries(files),
  };
}

/** Picks one of the first two most of the time: these are the good ones in every list here. */
function tamed(random: Random): Random {
  const pick = <T>(list: readonly T[]): T =>
    random.pick(random.chance(0.9) ? list.slice(0, 2) : list);
  return { ...random, pick };
}

type Text = (random: Random) => string;

const mark: Text = () => '';
const of =
  (...texts: readonly string[]): Text =>
  (random) =>
    random.pick(texts) + random.pick(['\n', '', '\r\n', ' \n', '\n\n', '\nmore\n']);

const script = of(
  '#!/bin/sh',
  '#! /usr/bin/env -S sh',
  '#!',
  '#!/bin/sh\0x',
  '#!/a b\0',
  '#!\t',
  '',
  '\x7fELF',
  '#!/a b c',
);
const number = of('3', '5000', '0', '1', '2', '4294967295', '4294967296', '-1', '1.5', '0x10', '');
const command = of(
  ...['mount /data', '/bin/true', '# nothing', 'a && b', 'echo "x"', '#!/bin/sh -e', '#!', ''],
  ...['foreground { a } b', 'a;', '\t', 'a # b', '$x'],
);
const names: Text = (random) => {
  const line = (): string =>
    random.pick([...NAMES, '', '# x', `${random.pick(NAMES)} # y`, '\t', '\u2028#']);
  const ends = random.pick(['\n', '\n', '\r\n', '\u2028']);
  return Array.from({ length: random.below(6) }, line).join(ends);
};

const FILES: Readonly<Record<string, Text>> = {
  type: of('longrun', 'oneshot', 'bundle', 'longrum', 'ONESHOT', ''),
  'service.json': serviceJson,
  run: script,
  finish: script,
  up: command,
  down: command,
  dependencies: names,
  'dependencies.d/': mark,
  'dependencies.d/db': mark,
  'dependencies.d/.hidden': mark,
  'dependencies.d/a b': mark,
  contents: names,
  'contents.d/': mark,
  'contents.d/web': mark,
  'contents.d/\x1b[2J': mark,
  'env/': mark,
  'env/PORT': of('80', 'a\0b', ' \t ', ''),
  'env/__proto__': of('x'),
  'env/A=B': of('x'),
  'env/\x1b': of('x'),
  'notification-fd': number,
  'timeout-up': number,
  'timeout-down': number,
  'timeout-kill': number,
  'timeout-finish': number,
  'max-death-tally': number,
  'down-signal': of('TERM', 'SIGINT', '15', '0', '65', 'term', 'TERMM', ''),
  'flag-essential': mark,
  'log/': mark,
  check: mark,
  'lock-fd': mark,
  'instance/': mark,
};

const USUAL: ReadonlySet<string> = new Set(['type', 'service.json', 'run', 'finish', 'up']);
const PROGRAMS: ReadonlySet<string> = new Set(['run', 'finish']);

/** Words that mean something in a service.json. */
export const WORDS: readonly string[] = [
  ...['longrun', 'oneshot', 'bundle', 'svinit', 's6', 'runit', 'up', 'down', 'target', 'spawn'],
  ...['db', '/', '/x', 'console', '/dev/ttyS0', '5s', '1.5min', '200ms', 'TERM', 'HUP', 'always'],
  ...['on-failure', 'never', 'description', 'command', 'fd', 'signal', 'timeout', 'when', 'user'],
  ...['then', 'notify', 'files', 'name', 'dialect', 'run', 'type', '#!/bin/sh', 'service.json'],
];

function serviceJson(random: Random): string {
  const whole = Object.entries(KEYS).flatMap(([key, value]): [string, Json][] =>
    random.chance(0.12) ? [[key, value(random)]] : [],
  );
  const json = Object.fromEntries(whole);
  const text = JSON.stringify(
    random.chance(0.3) ? mutateJson(random, json, WORDS) : json,
    null,
    random.pick([0, 1]),
  );
  if (random.chance(0.9)) return text;
  const at = random.below(text.length + 1);
  return text.slice(0, at) + random.pick(BREAKS) + text.slice(at + random.below(3));
}

const BREAKS: readonly string[] = [
  ...['{', '}', '[', ']', ',', ',,', ':', '"', '\\', '//', 'NaN', '\n', '\r', '\0', '\ufeff', "'"],
  ...['"__proto__":{},', '"a":1,"a":2,', '[['.repeat(40), '1e5', '01', '.5', '\u2028'],
];

type Value = (random: Random) => Json;
const value =
  (...values: readonly Json[]): Value =>
  (random) =>
    random.pick(values);
const timeout = value('5s', null, '0ms', '999999999d', '1.234h', '5', 5);
const nameList: Value = (random) => random.some(['db', 'web', 'log', 'b'], 0.4);

const KEYS: Readonly<Record<string, Value>> = {
  $schema: value('../service.schema.json'),
  description: value('One line', '', 'x'.repeat(201), 'ünï', '\u202e'),
  type: value('longrun', 'oneshot', 'bundle', 'x'),
  dialect: value('svinit', 's6', 'runit'),
  command: value(['/bin/a'], ['a', '', 'b c'], ['a', 'ü'], [''], [], ['a\0b'], 'a'),
  env: value({ A: '1' }, { PORT: '80', a: '' }, { '1': 'x' }, { A: '\0' }, {}, []),
  cwd: value('/', '/x ü', 'x', '/\0'),
  needs: nameList,
  wants: nameList,
  after: nameList,
  before: nameList,
  contents: nameList,
  ready: value(
    'spawn',
    'notify',
    { fd: 1023 },
    { fd: 3 },
    { fd: 2 },
    { fd: 1e9 },
    { notify: true },
    [],
  ),
  initially: value('up', 'down', 'target'),
  watchdog: timeout,
  cgroup: value(
    { 'memory.max': '64M', 'pids.max': '100' },
    { 'cpu.max': '50000 100000' },
    ...[{ 'memory.max': '-1' }, { 'io.max': 'x' }, { '../x': '1' }, { 'cpu.weight': '1\n2' }, []],
  ),
  early: value(true, false),
  essential: value(true, false),
  tty: value('console', '/dev/ttyS0', '/dev/../x', ''),
  stop: (random) => ({ signal: random.pick(['INT', '15', '1', 'X']), timeout: timeout(random) }),
  start: (random) => ({ timeout: timeout(random) }),
  finish: (random) => ({ timeout: timeout(random) }),
  restart: (random) => ({
    when: random.pick(['always', 'on-failure', 'never', 'x']),
    limit: random.pick([1, 1000, 1001, null, 0, 1.5]),
    window: random.pick(['1min', '0s', null]),
  }),
  user: value('nobody'),
  env2: (random) => randomJson(random, WORDS),
};

function oddText(random: Random): string {
  const length = randomLength(random, 65_536);
  const text = Buffer.from(randomBytes(random, random.chance(0.3) ? length : random.below(60)));
  const alphabet = random.pick(['#', '#!/ \n', '{"a":[]}', ' \t', '\n', 'a', '"\\{}$', ',"[']);
  const same = Buffer.from(randomBytes(random, length, alphabet));
  const word = random.pick([
    `${'#'.repeat(length)}\u2028`,
    '#!/bin/sh\0x',
    '#!/\x1b[2J',
    '\ufefflongrun',
    '\u2028',
    'a\0b',
    '',
  ]);
  return random.pick([text.toString('utf8'), text.toString('latin1'), same.toString(), word]);
}

function oddPath(random: Random): string {
  const last = Buffer.from(randomBytes(random, 1 + random.below(8))).toString('utf8');
  return random.pick(['', 'env/', 'dependencies.d/', 'contents.d/', 'data/', '/']) + last;
}
