/** What the kernel tells of load, read from texts as it writes them. */
import t from 'tap';
import {
  cgroupUsage,
  fileMappings,
  loadOf,
  memoryOf,
  NO_PRESSURE,
  NO_USAGE,
  pressureIn,
  processorsOf,
  processUsage,
  shortBytes,
  worst,
} from '../../src/core/figures.ts';

t.test('a cgroup', async (t) => {
  const stat = 'usage_usec 1234567\nuser_usec 1000000\nsystem_usec 234567\n';
  t.same(cgroupUsage(stat, '8388608\n', '3\n'), {
    cpuMs: 1234.567,
    memoryBytes: 8_388_608,
    tasks: 3,
  });
  t.same(cgroupUsage(null, null, null), NO_USAGE);
  t.match(cgroupUsage(stat, null, 'max\n'), { memoryBytes: null, tasks: null });
});

t.test('a process, whatever its name', async (t) => {
  const stat = '42 (a) S 1 (x) S 1 42 42 0 -1 4194560 100 0 0 0 250 50 0 0 20 0 7 0 100 1000 20';
  const status = 'Name:\ta\nVmRSS:\t    1024 kB\nThreads:\t7\n';
  t.same(processUsage(stat, status), { cpuMs: 3000, memoryBytes: 1_048_576, tasks: 7 });
  t.same(processUsage(null, null), NO_USAGE);
  t.match(processUsage(stat, 'Name:\tkthreadd\n'), { memoryBytes: null }, 'a kernel thread');
});

t.test('what is mapped of files, and as they are', async (t) => {
  const one = (head: string, anonymous = 0): string =>
    `${head}\nSize:  8 kB\nPss_Anon:  4 kB\nAnonymous:  ${anonymous} kB\nVmFlags: rd ex mr\n`;
  const smaps = [
    one('00400000-00402000 r--p 00000000 fe:00 42                   /usr/bin/a program'),
    one('00402000-7f0000402000 r-xp 00002000 fe:00 42               /usr/bin/a program'),
    one('7f0000402000-7f0000403000 r--p 00002000 fe:00 42           /usr/bin/a program', 4),
    one('7f0000403000-7f0000404000 rw-p 00003000 fe:00 42           /usr/bin/a program'),
    one('7f0000405000-7f0000406000 r--s 00000000 fe:00 43           /shared'),
    one('7f0000407000-7f0000408000 r-xp 00000000 00:00 0            [vdso]'),
    one('7f0000409000-7f000040a000 r--p 00000000 00:00 0'),
    one('7f000040b000-7f000040c000 r-xp 00000000 fe:00 44           /lib/libc.so.6 (deleted)'),
  ].join('');
  t.same(fileMappings(smaps), [
    { from: 0x400000, bytes: 0x2000 },
    { from: 0x402000, bytes: 0x7f0000000000 },
    { from: 0x7f000040b000, bytes: 0x1000 },
  ]);
  t.same(fileMappings(''), []);
});

t.test('the machine', async (t) => {
  const meminfo = 'MemTotal:         481000 kB\nMemFree: 1 kB\nMemAvailable:     400000 kB\n';
  t.same(memoryOf(meminfo), { used: 81_000 * 1024, total: 481_000 * 1024 });
  t.equal(memoryOf('MemTotal: 5 kB\n'), null);
  const stat = 'cpu  100 0 50 800 50 0 0 0 40 0\ncpu0 1 2 3 4\n';
  t.same(processorsOf(stat), { busy: 150, all: 1000 });
  t.equal(processorsOf('intr 1\n'), null);
  t.same(loadOf('0.20 0.10 0.05 1/96 412\n'), { load: 0.2, tasks: 96 });
  t.equal(loadOf(''), null);
});

t.test('pressure', async (t) => {
  const text = 'some avg10=1.25 avg60=0.10 avg300=0.00 total=9\nfull avg10=9.00 avg60=0 total=1\n';
  t.equal(pressureIn(text), 1.25);
  t.equal(pressureIn(null), null);
  t.same(worst({ cpu: 0.5, memory: null, io: 7 }), { kind: 'i', percent: 7 });
  t.equal(worst(NO_PRESSURE), null);
});

t.test('bytes in a column', async (t) => {
  const cases: readonly (readonly [number, string])[] = [
    [0, '0B'],
    [999, '999B'],
    [1000, '1.0K'],
    [1024 * 1024 * 1.5, '1.5M'],
    [1024 * 1024 * 120, '120M'],
    [1024 * 1024 * 1000, '1.0G'],
    [1024 ** 4 * 2000, '2000T'],
  ];
  for (const [bytes, shown] of cases) t.equal(shortBytes(bytes), shown);
});
