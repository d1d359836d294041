/** The watchdog and the memory ceiling: what they ask of the kernel, and when. */
import t from 'tap';
import type { Fd } from '../../src/core/units.ts';
import { ms } from '../../src/core/units.ts';
import { Memory } from '../../src/supervisor/memory.ts';
import { Watchdog } from '../../src/supervisor/watchdog.ts';
import { errnoNumber } from '../../src/sys/errno.ts';
import { SysError } from '../../src/sys/libc.ts';
import type { CName } from '../../src/sys/signatures.ts';

const MIB: number = 1024 * 1024;

function begin(refuse: Readonly<Record<string, string>> = {}) {
  const done: string[] = [];
  const said: string[] = [];
  const act = (what: CName, text: string): void => {
    const code = refuse[what];
    if (code !== undefined) throw new SysError(what, errnoNumber(code), `${what} the watchdog`);
    done.push(text);
  };
  const watchdog = new Watchdog({
    kernel: {
      open: (path) => {
        act('open', `open ${path}`);
        return 9 as Fd;
      },
      close: (fd) => act('close', `close ${fd}`),
      write: (fd, bytes) => {
        act('write', `write ${[...bytes]} to ${fd}`);
        return bytes.length;
      },
      setWatchdogTimeout: (fd, seconds) => {
        act('ioctl', `set ${fd} to ${seconds}`);
        return Math.min(seconds, 30);
      },
    },
    info: (text) => said.push(text),
    warn: (text) => said.push(text),
  });
  return { watchdog, done, said };
}

t.test('Watchdog: opened, set, fed, and given time for the way down', async (t) => {
  const { watchdog, done, said } = begin();
  watchdog.feed();
  t.same(done, [], 'none that is not open is fed');
  watchdog.open(60);
  watchdog.feed();
  watchdog.goDown();
  t.same(done, [
    ...['open /dev/watchdog', 'set 9 to 60', 'write 0 to 9'],
    ...['set 9 to 180', 'write 0 to 9'],
  ]);
  t.same(said, ['the watchdog resets the machine after 30 s without svinit']);
});

t.test('Watchdog: let go of for good, so that the next init is not reset', async (t) => {
  const { watchdog, done, said } = begin();
  watchdog.disarm();
  t.same(done, [], 'none that is not open is written to');
  watchdog.open(60);
  watchdog.disarm();
  watchdog.feed();
  t.same(done.slice(2), [`write ${'V'.charCodeAt(0)} to 9`, 'close 9'], 'and not fed again');
  t.equal(said.length, 1);
});

t.test('Watchdog: none is no matter, one of somebody else is told', async (t) => {
  for (const code of ['ENOENT', 'ENODEV', 'ENXIO']) {
    const { watchdog, done, said } = begin({ open: code });
    watchdog.open(60);
    watchdog.feed();
    watchdog.goDown();
    t.same([done, said], [[], []], code);
  }
  const { watchdog, said } = begin({ open: 'EBUSY' });
  watchdog.open(60);
  t.match(said, [/open the watchdog: open failed with EBUSY/]);
});

t.test('Watchdog: one whose time cannot be set is fed all the same', async (t) => {
  const { watchdog, done, said } = begin({ ioctl: 'EOPNOTSUPP' });
  watchdog.open(60);
  watchdog.feed();
  watchdog.goDown();
  t.same(done, ['open /dev/watchdog', 'write 0 to 9']);
  t.equal(said.length, 2);
});

t.test('Memory: more than the ceiling is replaced, what a fresh image needs is not', async (t) => {
  const look = (sizes: readonly (readonly [at: number, mib: number])[]): string[] => {
    const replaced: string[] = [];
    let [now, size] = [0, 0];
    const memory = new Memory({
      now: () => ms(now),
      resident: () => size * MIB,
      giveBack: () => {},
      replace: (reason) => replaced.push(`${now}: ${reason}`),
    });
    for (const [at, mib] of sizes) {
      [now, size] = [at, mib];
      memory.look();
    }
    return replaced;
  };
  t.same(
    look([
      [0, 900],
      [4999, 900],
      [5000, 40],
      [6000, 128],
    ]),
    [],
  );
  t.match(
    look([
      [5000, 40],
      [6000, 129],
    ]),
    [/^6000: .* grown to 129 MiB, more than 128 MiB/],
  );
  t.match(
    look([
      [5000, 200],
      [6000, 399],
      [7000, 401],
    ]),
    [/^7000: .* more than 400 MiB/],
  );
  // The re-exec failed: it is tried again once it has grown still more.
  t.equal(
    look([
      [5000, 40],
      [6000, 150],
      [7000, 160],
      [8000, 321],
    ]).length,
    2,
  );
});

t.test('Memory: what has grown is given back, and not all the time', async (t) => {
  const gave: number[] = [];
  let [now, size] = [0, 0];
  const memory = new Memory({
    now: () => ms(now),
    resident: () => size * MIB,
    giveBack: () => gave.push(now),
    replace: () => t.fail('it is below the ceiling'),
  });
  for (const [at, mib] of [
    [5000, 60],
    // What is in use once the start is over: grown is what is a quarter more than that.
    [6000, 40],
    [12_000, 49],
    [15_000, 50],
    [16_000, 45],
    [17_000, 60],
    [25_000, 60],
    [40_000, 60],
    [41_000, 70],
  ] as const) {
    [now, size] = [at, mib];
    memory.look();
  }
  t.same(gave, [5000, 15_000, 25_000]);
});

t.test('Memory: once all is up the start is over', async (t) => {
  const gave: number[] = [];
  let now = 0;
  const given = new Promise<void>((resolve) => {
    const memory = new Memory({
      now: () => ms(now),
      resident: () => 40 * MIB,
      giveBack: () => {
        gave.push(now);
        resolve();
      },
      replace: () => t.fail('it is below the ceiling'),
    });
    now = 100;
    memory.booted();
    // Too early for a look of its own.
    memory.look();
    t.same(gave, []);
  });
  await given;
  t.same(gave, [100]);
});

t.test('Memory: more than the ceiling is given back before it is a reason to end', async (t) => {
  let [now, size] = [0, 100];
  const memory = new Memory({
    now: () => ms(now),
    resident: () => size * MIB,
    giveBack: () => {
      size = 100;
    },
    replace: () => t.fail('it had grown for a moment'),
  });
  for (const mib of [100, 250, 300]) {
    [now, size] = [now + 5000, mib];
    memory.look();
    t.equal(size, 100);
  }
});
