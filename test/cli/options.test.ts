import t from 'tap';
import { Failure } from '../../src/cli/failure.ts';
import { COMMON, parseOptions, parseTimeout, splitVerb } from '../../src/cli/options.ts';
import { VERBS, verbOf } from '../../src/cli/verbs.ts';

const parse = (...args: string[]): ReturnType<typeof parseOptions> =>
  parseOptions(args, [{ name: 'cascade', about: '' }, ...COMMON], 'svctl stop NAME...');

t.test('C8 parseOptions() takes options anywhere and stops at --', async (t) => {
  const parsed = parse('a', '--cascade', '--timeout', '5s', 'b', '-v', '--', '--json', '-x');
  t.strictSame(parsed.names, ['a', 'b', '--json', '-x']);
  t.ok(parsed.has('cascade') && parsed.has('verbose') && !parsed.has('json'));
  t.equal(parsed.value('timeout'), '5s');
  t.equal(parsed.value('socket'), null);
});

t.test('parseOptions() refuses what it does not know, by name and with usage', async (t) => {
  const cases: readonly (readonly [readonly string[], string])[] = [
    [['--cascde'], 'There is no option --cascde; did you mean --cascade?'],
    [['--qqqqqqqq'], 'There is no option --qqqqqqqq'],
    [['-q'], 'There is no option -q'],
    [['-vq'], 'There is no option -q'],
    [['--timeout'], '--timeout needs a value: DUR'],
    [['--timeout', '--json'], '--timeout needs a value: DUR'],
    [['--json=yes'], '--json takes no value'],
    [['--__proto__'], 'There is no option --__proto__'],
  ];
  for (const [args, message] of cases) {
    t.throws(() => parse(...args), { message, exit: 2, hint: 'usage: svctl stop NAME...' });
  }
});

t.test('parseTimeout() knows units, and a plain number is seconds', async (t) => {
  const cases: readonly (readonly [string, number])[] = [
    ['5s', 5000],
    ['500ms', 500],
    ['2m', 120_000],
    ['2min', 120_000],
    ['1h', 3_600_000],
    ['3', 3000],
    ['1.5', 1500],
    ['0', 0],
  ];
  for (const [text, duration] of cases) t.equal(parseTimeout(text, ''), duration, text);
  for (const text of ['', 'x', '-1', '5 s', '1e3', '2d', '1.2.3', 'm']) {
    t.throws(() => parseTimeout(text, ''), { name: 'Failure', exit: 2 }, text);
  }
});

t.test('splitVerb() finds the verb behind common options', async (t) => {
  const of = (...argv: string[]): unknown => splitVerb(argv);
  t.strictSame(of(), { word: null, rest: [] });
  t.strictSame(of('--json'), { word: null, rest: ['--json'] });
  t.strictSame(of('stop', 'a'), { word: 'stop', rest: ['a'] });
  t.strictSame(of('--socket', '/s', '-v', 'stop', 'a'), {
    word: 'stop',
    rest: ['--socket', '/s', '-v', 'a'],
  });
  t.strictSame(of('--socket=/s', 'stop'), { word: 'stop', rest: ['--socket=/s'] });
  t.strictSame(of('--', 'stop'), { word: null, rest: ['--', 'stop'] });
});

t.test('verbOf() suggests the verb that was meant', async (t) => {
  t.equal(verbOf(null).name, 'ls');
  const meant = (word: string): string => {
    try {
      return verbOf(word).name;
    } catch (error) {
      return error instanceof Failure ? error.message : String(error);
    }
  };
  t.match(meant('strat'), /did you mean start\?/);
  t.match(meant('stat'), /did you mean status\?/);
  t.match(meant('re'), /^There is no verb 're'$/);
  t.match(meant('frobnicate'), /^There is no verb 'frobnicate'$/);
});

t.test('the rows of the verbs do not contradict each other', async (t) => {
  t.equal(new Set(VERBS.map(({ name }) => name)).size, VERBS.length);
  for (const { name, usage, about, options } of VERBS) {
    t.ok(usage.startsWith(name), `usage of ${name}`);
    t.notMatch(about, /\.$/, `about of ${name}`);
    const rows = [...options, ...COMMON];
    const letters = rows.flatMap(({ short }) => (short === undefined ? [] : [short]));
    t.equal(new Set(rows.map((row) => row.name)).size, rows.length, `options of ${name}`);
    t.equal(new Set(letters).size, letters.length, `letters of ${name}`);
  }
});
