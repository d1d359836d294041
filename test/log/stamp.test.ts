import t from 'tap';
import { nextLabel, Stamper, tai64n } from '../../src/log/stamp.ts';

function clocks(): { wallMs: number; fineMs: number; wall(): number; fine(): number } {
  return {
    wallMs: Date.UTC(2026, 10, 21, 0, 10, 0, 123),
    fineMs: 5000,
    wall() {
      return Math.floor(this.wallMs);
    },
    fine() {
      return this.fineMs;
    },
  };
}

t.test('Stamper writes UTC with microseconds, and a blank', (t) => {
  const clock = clocks();
  const stamper = new Stamper(clock);
  t.equal(stamper.head.toString(), '2026-11-21T00:10:00.123000Z ');
  clock.fineMs += 0.4567;
  stamper.tick();
  t.equal(stamper.head.toString(), '2026-11-21T00:10:00.123456Z ');
  clock.wallMs += 877;
  clock.fineMs += 877;
  stamper.tick();
  t.equal(stamper.head.toString(), '2026-11-21T00:10:01.000456Z ');
  t.end();
});

t.test('Stamper never leaves the millisecond of the wall clock', (t) => {
  const clock = clocks();
  const stamper = new Stamper(clock);
  let last = stamper.tick();
  const wrong: string[] = [];
  for (let i = 0; i < 5000; i += 1) {
    clock.fineMs += 0.313;
    // A wall clock that runs a little faster, and says whole milliseconds only.
    clock.wallMs += 0.317;
    const now = stamper.tick();
    if (Math.floor(now) !== clock.wall()) wrong.push(`${now} is not in ${clock.wall()}`);
    if (now < last) wrong.push(`${now} comes after ${last}`);
    last = now;
  }
  t.same(wrong, []);
  t.end();
});

t.test('Stamper follows the wall clock when it is set, back or forth', (t) => {
  const clock = clocks();
  const stamper = new Stamper(clock);
  for (const [wallMs, text] of [
    [0, '1970-01-01T00:00:00.000000Z '],
    [Date.UTC(2036, 1, 3), '2036-02-03T00:00:00.000000Z '],
    [-5, '1970-01-01T00:00:00.000000Z '],
    [Date.UTC(10000, 5, 1), '9999-12-31T23:59:59.999000Z '],
  ] as const) {
    clock.wallMs = wallMs;
    stamper.tick();
    t.equal(stamper.head.toString(), text);
  }
  t.end();
});

t.test('tai64n() counts leap seconds as s6 does', (t) => {
  // s6-tai64n on 2026-11-21T00:10:00Z: 2^62 + 37 + 1795219800.
  t.equal(tai64n(Date.UTC(2026, 10, 21, 0, 10, 0, 500)), '400000006b00e17d1dcd6500');
  t.equal(tai64n(0), '400000000000002500000000');
  t.end();
});

t.test('nextLabel() is later, by a nanosecond', (t) => {
  t.equal(nextLabel('400000006b00c1fd1dcd6500'), '400000006b00c1fd1dcd6501');
  t.equal(nextLabel('400000006b00c1ff3b9ac9ff'), '400000006b00c20000000000');
  t.end();
});
