/** Labels of time on both scales, worked out by hand. */
import t from 'tap';
import { fromTai64n, tai64n } from '../../src/core/tai.ts';

const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');

t.test('labels of both scales', async (t) => {
  // 2^62 is 4000000000000000; 1970-01-01 00:00:10 TAI is the beginning of UTC as we count it.
  t.equal(hex(tai64n(0, 'leap')), '400000000000000a00000000');
  t.equal(hex(tai64n(0, 'ten')), '400000000000000a00000000');
  // 2026-06-22 00:00:00 UTC is 1782086400: 37 seconds for s6, 10 for runit.
  t.equal(hex(tai64n(1_782_086_400_000, 'leap')), '400000006a387b2500000000');
  t.equal(hex(tai64n(1_782_086_400_000, 'ten')), '400000006a387b0a00000000');
  t.equal(hex(tai64n(1500.5, 'ten')), '400000000000000b1dd50620', 'a fraction of a millisecond');
});

t.test('the table of leap seconds', async (t) => {
  const offset = (date: string): number => {
    const at = Date.parse(date);
    return (Number.parseInt(hex(tai64n(at, 'leap')).slice(8, 16), 16) - at / 1000) as number;
  };
  t.equal(offset('1972-06-30T23:59:59Z'), 10);
  t.equal(offset('1972-07-01T00:00:00Z'), 11);
  t.equal(offset('1998-12-31T23:59:59Z'), 31);
  t.equal(offset('1999-01-01T00:00:00Z'), 32);
  t.equal(offset('2016-12-31T23:59:59Z'), 36);
  t.equal(offset('2017-01-01T00:00:00Z'), 37);
});

t.test('there and back again', async (t) => {
  const near = ['2016-12-31T23:59:50', '2017-01-01T00:00:00', '2017-01-01T00:00:20'];
  const moments = [
    '1970-01-02',
    '1980-05-05',
    '1999-01-01',
    '2016-12-31',
    '2017-01-01',
    '2026-11-21',
  ];
  for (const moment of [...moments.map((day) => `${day}T12:34:56.789`), ...near]) {
    const at = Date.parse(`${moment}Z`);
    for (const scale of ['leap', 'ten'] as const) {
      const back = fromTai64n(tai64n(at, scale), scale) ?? 0;
      t.ok(Math.abs(back - at) < 0.001, `${moment} ${scale}: ${back - at}`);
    }
  }
});

t.test('what is no label', async (t) => {
  t.equal(fromTai64n(new Uint8Array(11), 'leap'), null, 'too short');
  t.equal(fromTai64n(new Uint8Array(12), 'leap'), null, 'before 1970');
  t.equal(fromTai64n(new Uint8Array(12).fill(0xff), 'leap'), null, 'no such time');
  t.equal(hex(tai64n(Number.NaN, 'ten')), '400000000000000a00000000', 'a clock that is not set');
  t.equal(hex(tai64n(-5, 'ten')), '400000000000000a00000000');
});
