/** Every row has its tests, every test that claims one is in the table, the document has it. */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { claims } from '../matrix/claims.ts';
import { ROWS, type Row, rowsTable } from './rows.ts';

const ROWS_COUNT = 52;
const testsOf = (row: Row): readonly string[] => ('tests' in row ? row.tests : []);
const claimed = claims('R');

t.test('every file of a row has it in a title', async (t) => {
  t.equal(ROWS.length, ROWS_COUNT);
  for (const row of ROWS) {
    t.ok('why' in row || row.tests.length > 0, `R${row.number} has a test, or a reason`);
    for (const file of testsOf(row)) {
      t.ok(existsSync(`test/${file}`), `${file} exists`);
      t.ok(claimed.get(file)?.has(row.number), `${file} has a title with R${row.number}`);
    }
  }
});

t.test('every number in a title is that of a row which names the file', async (t) => {
  for (const [file, numbers] of claimed) {
    for (const number of numbers) {
      const row = ROWS.find((one) => one.number === number);
      t.ok(row && testsOf(row).includes(file), `R${number} in ${file} is in the table`);
    }
  }
});

t.test('docs/clients.md has the table as it is', async (t) => {
  t.ok(readFileSync('docs/clients.md', 'utf8').includes(rowsTable()));
});
