/** What svinit found and chose, judged: what is lost of what it promises, and what is not. */
import t from 'tap';
import { diagnose, type Finding, type Surroundings } from '../../src/core/doctor.ts';
import type { Examined } from '../../src/core/examined.ts';

const WELL: Examined = {
  pid1: true,
  machine: true,
  uid: 0,
  canMount: true,
  unmounted: [],
  notices: [],
  run: '/run/svinit',
  runType: 'tmpfs',
  log: '/run/log/svinit',
  image: 1,
  safe: false,
  deaths: 0,
  revives: true,
  console: '/dev/ttyS0',
  cgroups: { isOpen: true, troubles: [] },
  watchdog: { askedS: 0, lacking: 'nobody asked for it', isMissing: false },
  nofile: { soft: 1_048_576, hard: 1_048_576 },
  logger: 'up',
  refused: 0,
};
const SEEN: Surroundings = {
  kernel: '6.1.0',
  entropy: 256,
  clock: { at: Date.parse('2026-01-01'), text: '2026-01-01T00:00:00.000Z' },
  logSpace: { free: 50_000_000, total: 64_000_000 },
  hasPressure: true,
};

/** What is not ok, as `lost cgroups`. */
function troubles(examined: Partial<Examined>, seen: Partial<Surroundings> = {}): string[] {
  const findings = diagnose({ ...WELL, ...examined }, { ...SEEN, ...seen });
  return findings.filter(({ is }) => is !== 'ok').map(({ is, what }) => `${is} ${what}`);
}

t.test('a machine on which all is well', async (t) => {
  const findings = diagnose(WELL, SEEN);
  t.same(troubles({}), []);
  t.equal(new Set(findings.map(({ what }) => what)).size, findings.length, 'each once');
});

t.test('what is lost on a machine', async (t) => {
  const none = { isOpen: false, troubles: [] };
  const broken = { isOpen: true, troubles: ['write to memory.max failed with EINVAL'] };
  const cases: readonly (readonly [Partial<Examined>, string])[] = [
    [{ unmounted: ['/sys/fs/cgroup (cgroup2)'] }, 'lost mounts'],
    [{ cgroups: none }, 'lost cgroups'],
    [{ cgroups: broken }, 'lost cgroups'],
    [{ logger: 'backoff' }, 'lost logger'],
    [{ revives: false }, 'lost revival'],
    [{ safe: true, deaths: 5 }, 'lost revival'],
    [{ watchdog: { askedS: 30, lacking: 'EBUSY', isMissing: false } }, 'lost watchdog'],
    [{ watchdog: { askedS: 60, lacking: 'ENOENT', isMissing: true } }, 'less watchdog'],
    [{ runType: null }, 'less run'],
    [{ console: null }, 'less console'],
    [{ nofile: { soft: 1024, hard: 1024 } }, 'less descriptors'],
    [{ refused: 2 }, 'less definitions'],
  ];
  for (const [examined, trouble] of cases) t.same(troubles(examined), [trouble]);
  t.same(troubles({ watchdog: { askedS: 30, lacking: null, isMissing: false } }), [], 'fed');
});

t.test('a container and a plain process do without what nobody gave them', async (t) => {
  const none = { isOpen: false, troubles: [] };
  const container = { machine: false, canMount: false, cgroups: none, console: null };
  t.same(troubles({ ...container, unmounted: ['/proc (proc)'] }), [
    ...['less mounts', 'less cgroups', 'less confinement'],
  ]);
  const plain = { ...container, pid1: false, uid: 1000, runType: null };
  t.same(troubles({ ...plain, unmounted: ['/proc (proc)'] }), [
    ...['less place', 'less cgroups', 'less confinement'],
  ]);
  const said = (examined: Partial<Examined>, what: string): string =>
    diagnose({ ...WELL, ...examined }, SEEN).find((found) => found.what === what)?.text ?? '';
  t.match(said(plain, 'confinement'), /privateTmp or readOnlyPaths does not start.*another user/);
  t.match(said(container, 'cgroups'), /limits does not start.*want of memory/);
});

t.test('what a client sees for itself', async (t) => {
  const cases: readonly (readonly [Partial<Surroundings>, string])[] = [
    [{ entropy: 10 }, 'less entropy'],
    [{ entropy: null }, 'less entropy'],
    [{ clock: { at: 0, text: '1970' } }, 'less clock'],
    [{ logSpace: { free: 1_000_000, total: 64_000_000 } }, 'lost log space'],
    [{ logSpace: { free: 900_000_000, total: 100_000_000_000 } }, 'lost log space'],
    [{ logSpace: null }, 'less log space'],
    [{ hasPressure: false }, 'less kernel'],
  ];
  for (const [seen, trouble] of cases) t.same(troubles({}, seen), [trouble]);
});

t.test('whatever is lost has a way on', async (t) => {
  const worst: Examined = { ...WELL, logger: 'down', revives: false, unmounted: ['/sys (sysfs)'] };
  const lost = diagnose(worst, SEEN).filter(({ is }) => is === 'lost');
  t.equal(lost.length, 3);
  t.same(
    lost.filter(({ help }: Finding) => help === null),
    [],
  );
});
