/** Each file that a service directory may have, with each kind of content that it cannot have. */
import t from 'tap';
import { parseSpec } from '../../src/core/spec-files.ts';
import { KNOWN_ENTRIES } from '../../src/core/spec-known.ts';
import { scan, tree } from './scan-tree.ts';

const BAD: Readonly<Record<string, string | Uint8Array>> = {
  empty: '',
  negative: '-1\n',
  words: 'next week\n',
  huge: '99999999999\n',
  nul: '3\0\n',
  binary: Uint8Array.of(0xff, 0xfe, 0x0a, 0x80),
  long: 'x'.repeat(70_000),
};
type Kind = keyof typeof BAD;

/** Of any text that is read whole. */
const UNREADABLE: Readonly<Record<Kind, RegExp>> = {
  binary: /it is not UTF-8 text/,
  long: /it is longer than 65536 bytes/,
};

const wrong = (reason: RegExp, ...kinds: readonly Kind[]): Readonly<Record<Kind, RegExp>> => ({
  ...Object.fromEntries(kinds.map((kind) => [kind, reason])),
  ...UNREADABLE,
});
const ALL = ['empty', 'negative', 'words', 'huge', 'nul'] as const;
const MILLISECONDS = wrong(/expected a whole number of milliseconds, found '/, ...ALL);
const SIGNAL = wrong(/expected a signal such as TERM, found '/, ...ALL);
const NAMES = wrong(/the name '/, 'negative', 'words', 'nul');
const LINE = wrong(/holds a NUL character/, 'nul');

/** What is said of which content; of any other, nothing: it means something. */
const SAID: Readonly<Record<string, Readonly<Record<Kind, RegExp>>>> = {
  type: wrong(/expected longrun, oneshot or bundle, found '/, ...ALL),
  'service.json': {
    ...wrong(/not JSON at column|expected an object, found/, ...ALL),
  },
  up: LINE,
  down: LINE,
  reload: LINE,
  dependencies: NAMES,
  contents: NAMES,
  'notification-fd': wrong(/expected a descriptor from 1 to 1023, found '/, ...ALL),
  'lock-fd': wrong(/expected a descriptor from 3 to 1023, found '/, ...ALL),
  'timeout-up': MILLISECONDS,
  'timeout-down': MILLISECONDS,
  'timeout-kill': MILLISECONDS,
  'timeout-finish': MILLISECONDS,
  'max-death-tally': wrong(/expected a whole number, found '/, ...ALL),
  'down-signal': SIGNAL,
  'reload-signal': SIGNAL,
};
/** Programs are the kernel's to judge, marks have no content, and pipelines a test of their own. */
const ANYTHING: ReadonlySet<string> = new Set([
  ...['run', 'finish', 'check', 'flag-essential', 'flag-newpidns', 'flag-timeout-killpg'],
  'flag-recommended',
]);
const ELSEWHERE: ReadonlySet<string> = new Set(['producer-for', 'consumer-for', 'pipeline-name']);

const BASES = {
  oneshot: { 'web/type': 'oneshot', 'web/up': 'true' },
  bundle: { 'web/type': 'bundle', 'web/contents': 'a' },
  longrun: { 'web/run': '#!/bin/sh' },
};
const NATIVE = { ...BASES.longrun, 'web/service.json': '{"dialect": "svinit"}' };
const baseOf = (entry: string): Readonly<Record<string, string>> => {
  if (['up', 'down', 'reload', 'timeout-down'].includes(entry)) return BASES.oneshot;
  return entry === 'contents' ? BASES.bundle : BASES.longrun;
};

t.test('each file, and all that it cannot hold', async (t) => {
  const files = KNOWN_ENTRIES.filter((entry) => !entry.endsWith('/') && !ELSEWHERE.has(entry));
  for (const entry of files) {
    t.ok(SAID[entry] !== undefined || ANYTHING.has(entry), `${entry} is in the table`);
    for (const [kind, content] of Object.entries(BAD)) {
      const { found, problems } = scan(tree({ ...baseOf(entry), [`web/${entry}`]: content }));
      const told = [...problems, ...found.flatMap((texts) => parseSpec(texts).problems)];
      const reason = SAID[entry]?.[kind];
      if (reason === undefined) t.same(told, [], `${entry}: ${kind} is good`);
      else {
        t.match(told, [{ name: 'web', file: entry, reason }], `${entry}: ${kind}`);
        t.match(told[0]?.reason, /^[ -~]{1,300}$/, 'it is safe to print');
      }
    }
  }
});

t.test('of two lines the first counts, as for s6', async (t) => {
  for (const entry of [
    'notification-fd',
    'lock-fd',
    'timeout-up',
    'down-signal',
    'reload-signal',
  ]) {
    const { found } = scan(tree({ ...BASES.longrun, [`web/${entry}`]: '10\nand more\n' }));
    t.same(
      found.flatMap((texts) => parseSpec(texts).problems),
      [],
      entry,
    );
  }
});

t.test('each directory, and all that cannot be in it', async (t) => {
  const cases: readonly (readonly [
    Readonly<Record<string, string | Uint8Array>>,
    string,
    RegExp,
  ])[] = [
    [{ ...BASES.longrun, 'web/dependencies.d/a b': '' }, 'dependencies.d/a b', /the name 'a b'/],
    [{ 'web/type': 'bundle', 'web/contents.d/-a': '' }, 'contents.d/-a', /begins with '-'/],
    [{ ...BASES.longrun, 'web/env/A': Uint8Array.of(0xff) }, 'env', /it is not UTF-8 text/],
    [{ ...NATIVE, 'web/env/A=B': '1' }, 'env', /'A=B' cannot be the name of a variable/],
    [{ ...BASES.longrun, 'web/notification-fd/x': '' }, 'notification-fd', /not a regular file/],
    [{ 'web/run/x': '' }, 'run', /not a regular file/],
  ];
  for (const [files, file, reason] of cases) {
    const { found, problems } = scan(tree(files));
    const told = [...problems, ...found.flatMap((texts) => parseSpec(texts).problems)];
    t.match(told[0], { file, reason }, file);
  }
});
