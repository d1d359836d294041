/** Every security rule has its tests, and every test that claims to prove one is in the table. */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { claims, numbersOf } from '../matrix/claims.ts';
import { RULES, type Rule, rulesTable } from './rules.ts';

const RULES_COUNT = 22;
const DOCUMENT = 'docs/reliability.md';
const HEADING = '## Security rules';

const testsOf = (rule: Rule): readonly string[] => ('tests' in rule ? rule.tests : []);
const claimed = claims('C');

t.test('every rule is there once', async (t) => {
  const numbers = RULES.map(({ number }) => number);
  t.same(
    numbers,
    Array.from({ length: RULES_COUNT }, (_, i) => i + 1),
  );
  for (const rule of RULES) {
    t.ok('why' in rule || rule.tests.length > 0, `C${rule.number} has a test, or a reason`);
    t.match(rule.rule, /^[^.|]+(?:\w\.\w[^.|]*)*\.$/, `C${rule.number} is one sentence`);
  }
});

t.test('every file of a rule has it in a title', async (t) => {
  for (const rule of RULES) {
    for (const file of testsOf(rule)) {
      t.ok(existsSync(`test/${file}`), `${file} exists`);
      t.ok(claimed.get(file)?.has(rule.number), `${file} has a title with C${rule.number}`);
    }
  }
});

t.test('every number in a title is that of a rule which names the file', async (t) => {
  t.ok(claimed.size > 10, `${claimed.size} files have numbers`);
  for (const [file, numbers] of claimed) {
    for (const number of numbers) {
      const rule = RULES.find((one) => one.number === number);
      t.ok(rule && testsOf(rule).includes(file), `C${number} in ${file} is in the table`);
    }
  }
});

t.test('a number is read as a whole', async (t) => {
  t.same(numbersOf('C', 'C10 fds'), [10]);
  t.same(numbersOf('C', 'bun: C1 C7 frames'), [1, 7]);
  t.same(numbersOf('C', 'TLC5 and C5x'), []);
});

const text = readFileSync(DOCUMENT, 'utf8');
const skip = !text.includes(HEADING) && `${DOCUMENT} has no section '${HEADING}'`;
t.test(`${DOCUMENT} has the table as it is`, { skip }, async (t) => {
  const section = text.slice(text.indexOf(HEADING)).split(/\n## /, 1)[0] ?? '';
  t.ok(section.includes(rulesTable()), 'rulesTable() of test/security/rules.ts prints it');
});
