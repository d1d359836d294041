/** The reader of JSON behind service.json, against the runtime's own. */
import t from 'tap';
import { parseJson } from '../../src/core/json.ts';

const GOOD = [
  ...['{}', '[]', '""', '0', '-0.5e+3', 'true', 'false', 'null', ' [1 , {"a" : [ ] } ] \n'],
  ...['"\\u00e9\\n\\"\\\\\\/"', '{"a":{"b":{"c":[[[1]]]}}}', '"\\ud83d\\ude00"', '1e5', '[-1]'],
];

t.test('parseJson() reads what JSON.parse reads', async (t) => {
  for (const text of GOOD) {
    const parsed = parseJson(text);
    t.ok(parsed.ok, text);
    t.equal(JSON.stringify(parsed.ok ? parsed.value : null), JSON.stringify(JSON.parse(text)));
  }
});

t.test('parseJson() says where it could not go on, and why', async (t) => {
  const cases: readonly (readonly [string, number, number, string])[] = [
    ['', 1, 1, 'expected a value, found the end of the text'],
    ['{', 1, 2, 'expected a key in quotes, found the end of the text'],
    ['{"a" 1}', 1, 6, "expected ':', found '1'"],
    ['{"a": 1 "b": 2}', 1, 9, "expected ',' or '}', found '\"'"],
    ['[1\n,\n2', 3, 2, "expected ',' or ']', found the end of the text"],
    ['[1,]', 1, 4, "a comma may not come before ']'"],
    ['{"a": 1,\n}', 2, 1, "a comma may not come before '}'"],
    ["{'a': 1}", 1, 2, "expected a key in quotes, found '''"],
    ['// no\n{}', 1, 1, "expected a value, found '/'"],
    ['{} {}', 1, 4, "expected the end, found '{'"],
    ['"abc', 1, 5, 'a string has no end'],
    ['"a\tb"', 1, 3, 'a string has a control character'],
    ['"\\x41"', 1, 1, 'a string has a backslash that JSON does not know'],
    ['[01]', 1, 2, "'01' is no number"],
    ['[-]', 1, 2, "'-' is no number"],
    ['[1.]', 1, 2, "'1.' is no number"],
    ['NaN', 1, 1, "expected a value, found 'N'"],
    ['{"a": 1,\n "a": 2}', 2, 2, "the key 'a' is there twice"],
    ['{"__proto__": 1}', 1, 2, "'__proto__' is no key"],
    ['\u001b[2J', 1, 1, "expected a value, found '\\u{1b}'"],
    ['['.repeat(33), 1, 33, 'more than 32 objects and arrays in each other'],
    [`[${'1'.repeat(40)}]`, 1, 2, `'${'1'.repeat(33)}' is no number`],
  ];
  for (const [text, line, column, reason] of cases) {
    t.strictSame(parseJson(text), { ok: false, line, column, reason }, JSON.stringify(text));
  }
});

t.test('parseJson() knows the line of each key and element', async (t) => {
  const parsed = parseJson('{\n"a": [\n1,\n2],\n"b":\n{"c": 3}}');
  const lines = parsed.ok ? Object.fromEntries(parsed.lines) : null;
  t.strictSame(lines, { a: 2, 'a.0': 3, 'a.1': 4, b: 5, 'b.c': 6 });
});

t.test('objects have no prototype', async (t) => {
  const parsed = parseJson('{"toString": 1}');
  t.equal(parsed.ok ? Object.getPrototypeOf(parsed.value) : 0, null);
});

t.test('parseJson() agrees with JSON.parse on texts that are slightly broken', async (t) => {
  let seed = 7;
  const next = (below: number): number => {
    seed = (Math.imul(seed, 1_664_525) + 1_013_904_223) >>> 0;
    return Math.floor((seed / 2 ** 32) * below);
  };
  const source = '{"a": [1, -2.5e3, "x\\ny", null], "b": {"c": true, "d": [[], {}]}}';
  const parts = ['{', '}', '[', ']', ',', ':', '"', '\\', '1', ' ', '-', '\n', 'null'];
  const native = (text: string): string | null => {
    try {
      return JSON.stringify(JSON.parse(text));
    } catch {
      return null;
    }
  };
  for (let round = 0; round < 5000; round += 1) {
    const at = next(source.length);
    const text =
      source.slice(0, at) + (parts[next(parts.length)] ?? '') + source.slice(at + next(3));
    const parsed = parseJson(text);
    const expected = native(text);
    if (!parsed.ok && parsed.reason.endsWith('is there twice')) continue;
    const got = parsed.ok ? JSON.stringify(parsed.value) : null;
    if (got !== expected) t.fail(`seed 7, round ${round}: ${JSON.stringify(text)}`);
  }
});
