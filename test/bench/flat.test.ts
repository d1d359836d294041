/** Whether memory grows, told from the saw of a collector. */
import t from 'tap';
import { growth } from '../../scripts/bench/flat.ts';

const saw = (rise: number) =>
  Array.from({ length: 60 }, (_, i) => ({ restarts: i * 1000, mib: 50 + (i % 7) + i * rise }));

t.test('growth()', async (t) => {
  t.equal(growth(saw(0)), 1, 'teeth are no growth');
  t.ok(growth(saw(0.2)) > 1.1);
  t.equal(growth([{ restarts: 0, mib: 80 }, ...saw(0)]), 1, 'nor is what the start had');
});
