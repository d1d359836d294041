/**
 * Every error that s6-rc-compile(8) reports of a source definition is reported here too, with the
 * file it is in. Those of pipelines have a test of their own.
 */
import t from 'tap';
import { buildGraph } from '../../src/core/graph.ts';
import { nameProblem } from '../../src/core/names.ts';
import type { Spec } from '../../src/core/spec.ts';
import { parseSpec } from '../../src/core/spec-files.ts';
import { good, parse, refusals, texts } from './spec-texts.ts';

type Files = Readonly<Record<string, string>>;

const ONESHOT = { type: 'oneshot\n', up: 'true\n' };
const LONGRUN = { type: 'longrun\n', run: '#!/bin/sh\n' };

/** What is in one directory, and what is said of it. */
const IN_ONE: readonly (readonly [string, Files, readonly string[]])[] = [
  [
    'an invalid type',
    { ...LONGRUN, type: 'longrunner\n' },
    ["type:1: expected longrun, oneshot or bundle, found 'longrunner', did you mean 'longrun'?"],
  ],
  ['no run', { type: 'longrun\n' }, ["run: is missing: a longrun has 'run' or the key 'command'"]],
  ['a quote that is not closed', { ...ONESHOT, up: 'echo "a b\n' }, ['up:1: a " is not closed']],
  [
    'a block that is not closed',
    { ...ONESHOT, down: 'if {\n  true\n' },
    ['down:1: a { is not closed'],
  ],
  ['a block that was not opened', { ...ONESHOT, up: 'true\n}\n' }, ['up:2: a } closes no {']],
  ['the same of reload', { ...ONESHOT, reload: 'if { true\n' }, ['reload:1: a { is not closed']],
  [
    'an invalid timeout',
    { ...ONESHOT, 'timeout-up': '5s\n' },
    ["timeout-up:1: expected a whole number of milliseconds, found '5s'"],
  ],
  [
    'another one',
    { ...ONESHOT, 'timeout-down': '-1\n' },
    ["timeout-down:1: expected a whole number of milliseconds, found '-1'"],
  ],
  [
    'an invalid notification-fd',
    { ...LONGRUN, 'notification-fd': 'three\n' },
    ["notification-fd:1: expected a descriptor from 1 to 1023, found 'three'"],
  ],
  [
    'one descriptor for two things',
    { ...LONGRUN, 'notification-fd': '4', 'lock-fd': '4' },
    ['lock-fd:1: expected another descriptor than notification-fd has, 4'],
  ],
  [
    'an invalid signal',
    { ...LONGRUN, 'reload-signal': 'RELOAD\n' },
    ["reload-signal:1: expected a signal such as TERM, found 'RELOAD'"],
  ],
  [
    'an invalid name in a list',
    { ...ONESHOT, dependencies: '# these\n-x\n' },
    ["dependencies:2: the name '-x' begins with '-'"],
  ],
  [
    'an invalid name of a file',
    { type: 'bundle\n', 'contents.d/s6-rc-x': '' },
    ["contents.d/s6-rc-x: the name 's6-rc-x' begins with 's6-rc-', kept by s6-rc"],
  ],
];

t.test('what is wrong in one directory', async (t) => {
  for (const [what, files, said] of IN_ONE) t.same(refusals(files, 's6'), said, what);
});

t.test('what is right with quotes and blocks', async (t) => {
  for (const up of ['if { test -e "/a b" } echo "}" \\{ # { "', 'echo "two\nlines"', '{ }']) {
    t.same(good({ ...ONESHOT, up }, 's6').start?.argv.slice(0, 2), ['execlineb', '-P'], up);
  }
});

t.test('names that s6-rc keeps, and names that nobody can have', async (t) => {
  t.match(nameProblem('s6rc-web'), /kept by s6-rc/);
  t.match(nameProblem('s6-rc-web'), /kept by s6-rc/);
  t.match(nameProblem('a\nb'), /has a character other than/);
  t.match(nameProblem('a/b'), /\//);
});

const spec = (name: string, files: Files): Spec => {
  const { spec: made } = parseSpec(texts(files, 's6', name));
  if (made === null) throw new Error(`${name} is refused`);
  return made;
};

/** Definitions by name, and what is said of them together. */
const TOGETHER: readonly (readonly [string, Readonly<Record<string, Files>>, RegExp])[] = [
  ['an undefined name', { a: { ...ONESHOT, 'dependencies.d/b': '' } }, /needs 'b', .*not defined/],
  [
    'an undefined member',
    { a: { type: 'bundle', 'contents.d/b': '' } },
    /member 'b' .*not defined/,
  ],
  [
    'a cycle of dependencies',
    {
      a: { ...ONESHOT, 'dependencies.d/b': '' },
      b: { ...LONGRUN, 'dependencies.d/a': '' },
    },
    /a.*b.*a|b.*a.*b/,
  ],
  [
    'a cycle of bundles',
    {
      a: { type: 'bundle', 'contents.d/b': '' },
      b: { type: 'bundle', 'contents.d/a': '' },
    },
    /a.*b.*a|b.*a.*b/,
  ],
];

t.test('what is wrong between directories', async (t) => {
  for (const [what, definitions, said] of TOGETHER) {
    const specs = Object.entries(definitions).map(
      ([name, files]) => [name, spec(name, files)] as const,
    );
    const { problems } = buildGraph(new Map(specs));
    t.ok(problems.length > 0, what);
    t.match(problems.map(({ file, reason }) => `${file}: ${reason}`).join('\n'), said, what);
    for (const { file } of problems) t.match(file, /^(dependencies|contents)\.d/, what);
  }
});

t.test('what s6-rc only warns of', async (t) => {
  const { notices } = parse({ ...LONGRUN, 'notification-fd': '1' }, 's6');
  t.match(notices, [/notification-fd 1 takes the place of its output/]);
});
