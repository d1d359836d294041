/** Memory for C: numbers, texts, and the vectors of a program. */
import t from 'tap';
import { fakeLibc } from '../../src/sys/fake.ts';
import { cString, getU64, memory, packProgram, putU64, viewOf } from '../../src/sys/memory.ts';

t.test('putU64() and getU64() agree up to 2^53, and on no limit', async (t) => {
  const block = memory(16);
  const view = viewOf(block);
  for (const value of [0, 1, 0xffffffff, 2 ** 32, 0x7fff_1234_5678, Number.MAX_SAFE_INTEGER]) {
    putU64(view, 8, value);
    t.equal(getU64(view, 8), value);
    t.equal(view.getBigUint64(8, true), BigInt(value));
  }
  putU64(view, 8, Number.POSITIVE_INFINITY);
  t.equal(view.getBigUint64(8, true), 2n ** 64n - 1n);
  t.equal(getU64(view, 8), Number.POSITIVE_INFINITY);
  t.same([...block.subarray(0, 8)], [0, 0, 0, 0, 0, 0, 0, 0], 'nothing beside it was touched');
});

t.test('viewOf() of a part begins where the part begins', async (t) => {
  const block = memory(16);
  viewOf(block.subarray(4)).setUint8(0, 7);
  t.equal(block[4], 7);
});

t.test('cString() ends in one NUL and refuses another', async (t) => {
  t.same([...cString('aü')], [0x61, 0xc3, 0xbc, 0]);
  t.throws(() => cString('a\0b'), TypeError);
});

t.test('packProgram() lays out what C will find', async (t) => {
  const libc = fakeLibc();
  const cases: [string[], string[]][] = [
    [
      ['sh', '-c', 'echo größe'],
      ['PATH=/bin', 'EMPTY='],
    ],
    [[], []],
    [['a'], Array.from({ length: 3000 }, (_, i) => `KEY${i}=${'日'.repeat(20)}`)],
    [['b'], ['after=large']],
  ];
  for (const [argv, env] of cases) {
    const packed = packProgram(libc, '/bin/sh', argv, env);
    t.equal(libc.textAt(packed.path), '/bin/sh');
    t.same(libc.vectorAt(packed.argv), argv);
    t.same(libc.vectorAt(packed.envp), env);
  }
  t.throws(() => packProgram(libc, '/bin/sh', ['a\0b'], []), TypeError);
});
