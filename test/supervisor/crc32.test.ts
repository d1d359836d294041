/** The sums of the ledger, which other images of svinit compare: whoever computes them. */
import { crc32 as zlib } from 'node:zlib';
import t from 'tap';
import { crc32, slow } from '../../src/supervisor/crc32.ts';

t.test('crc32() is that of zlib, with little to sum and with much', async (t) => {
  for (const length of [0, 1, 9, 300, 5000, 20_000, 300]) {
    const bytes = Uint8Array.from({ length }, (_, i) => (i * 7919 + 13) % 256);
    t.equal(crc32(bytes), zlib(bytes), `${length} bytes`);
    t.equal(slow(bytes), zlib(bytes), `${length} bytes, one by one`);
  }
});
