/** Every fault has its tests, every test that claims one is in the matrix, the document has it. */
import { existsSync, readFileSync } from 'node:fs';
import t from 'tap';
import { claims } from './claims.ts';
import { FAULTS, type Fault, faultsTable } from './faults.ts';

const FAULTS_COUNT = 60;
const testsOf = (fault: Fault): readonly string[] => ('tests' in fault ? fault.tests : []);
const claimed = claims('F');

t.test('every file of a fault has it in a title', async (t) => {
  t.equal(FAULTS.length, FAULTS_COUNT);
  for (const fault of FAULTS) {
    t.ok('why' in fault || fault.tests.length > 0, `F${fault.number} has a test, or a reason`);
    for (const file of testsOf(fault)) {
      t.ok(existsSync(`test/${file}`), `${file} exists`);
      t.ok(claimed.get(file)?.has(fault.number), `${file} has a title with F${fault.number}`);
    }
  }
});

t.test('every number in a title is that of a fault which names the file', async (t) => {
  for (const [file, numbers] of claimed) {
    for (const number of numbers) {
      const fault = FAULTS.find((one) => one.number === number);
      t.ok(fault && testsOf(fault).includes(file), `F${number} in ${file} is in the matrix`);
    }
  }
});

t.test('docs/reliability.md has the matrix as it is', async (t) => {
  t.ok(readFileSync('docs/reliability.md', 'utf8').includes(faultsTable()));
});
