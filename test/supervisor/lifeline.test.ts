/** The lifeline: when a look at the world is late, and whether the alarm is put off by it. */
import t from 'tap';
import { ms } from '../../src/core/units.ts';
import { Lifeline, type LifelinePorts } from '../../src/supervisor/lifeline.ts';
import { fakeLibc } from '../../src/sys/fake.ts';
import { openKernel } from '../../src/sys/kernel.ts';

t.test('a look is late when there was none for more than a second', async (t) => {
  let now = 5000;
  const alarms: number[] = [];
  const kernel = {
    ...openKernel(fakeLibc()),
    monotonic: () => ms(now),
    putOffAlarm: (within: number) => alarms.push(within),
    installRevival: () => {},
  };
  const lifeline = new Lifeline({
    kernel,
    self: { path: '/init', program: ['/init'], given: [], env: [] },
    journal: { error: (text: string) => t.fail(text) },
    whole: () => ({ turns: [] }),
    system: {},
  } as unknown as LifelinePorts);
  lifeline.hold();
  t.same(alarms, [20_000], 'the first look has its time');
  now += 60_000;
  t.notOk(lifeline.isLate, 'before the first look nothing is late');
  lifeline.putOff();
  now += 1000;
  t.notOk(lifeline.isLate);
  now += 1;
  t.ok(lifeline.isLate);
  lifeline.putOff();
  t.notOk(lifeline.isLate);
  t.same(alarms, [20_000, 4006], 'a millisecond late, and six times that more patience');
});
