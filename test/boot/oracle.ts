/**
 * What must hold on a machine after every fault, whatever it was: PID 1 is the same process and the
 * image it should be, it answers, nobody is a zombie, no service is lost or there twice, what is
 * wanted is up, no log line is missing, and PID 1 holds nothing more open.
 *
 * What a fault may change is for its test to say. How long things take is not judged.
 */
import type { Results, ServiceView } from '../../src/core/methods.ts';
import type { Definition } from './fixtures.ts';
import type { ExtraFile } from './harness.ts';
import type { Machine } from './machine.ts';

/** Prints 1, 2, 3 … for as long as it runs: a line that is missing, or there twice, shows. */
export const BEAT: Definition = {
  run: '#!/bin/sh\nn=0\nwhile :; do n=$((n + 1)); echo $n; sleep 0.2; done\n',
};

/** What is compared with later. */
export type Condition = {
  readonly version: Results['version'];
  readonly services: readonly ServiceView[];
  /** When PID 1 began, in ticks since boot. */
  readonly bornAt: string;
  /** Children of PID 1 that lead a session, as every service does. */
  readonly leaders: readonly number[];
  readonly zombies: number;
  /** What PID 1 has open, without numbers and without what a runtime opens for itself. */
  readonly open: readonly string[];
  /** Gaps and repetitions in what `beat` printed, and the last number. */
  readonly gaps: readonly string[];
  readonly lastBeat: number;
};

export type Expected = {
  /** Services whose process may be another one, or gone, now. */
  readonly moved?: readonly string[];
  /** Services that need not be as they are wanted. */
  readonly failing?: readonly string[];
  /** Images of PID 1 since: one for each re-exec and each death. */
  readonly images?: number;
};

/** What of tap's `t` is needed. */
type Test = {
  equal(found: unknown, wanted: unknown, message: string): unknown;
  match(found: unknown, pattern: object, message: string): unknown;
  ok(found: unknown, message: string): unknown;
  same(found: unknown, wanted: unknown, message: string): unknown;
};

/** To be put into the image of a machine whose condition is asked for. */
export const oracleFiles: readonly ExtraFile[] = [
  { path: '/etc/svinit/oracle.sh', content: oracleScript() },
];

export async function condition(m: Machine): Promise<Condition> {
  const [version = '', services = '', ...rest] = (await m.sh(ORACLE)).split('\n');
  const all = (word: string): readonly string[] =>
    rest.flatMap((line) => (line.startsWith(`${word} `) ? [line.slice(word.length + 1)] : []));
  return {
    version: JSON.parse(version),
    services: (JSON.parse(services) as Results['ls']).services,
    bornAt: all('born')[0] ?? '',
    leaders: all('leader').map(Number),
    zombies: all('zombie').length,
    open: all('open'),
    gaps: all('gap'),
    lastBeat: Number(all('beat')[0]),
  };
}

/** Fails unless the machine soon is as it was, but for what was to be expected. */
export async function expectOracle(
  t: Test,
  m: Machine,
  was: Condition,
  { moved = [], failing = [], images = 0 }: Expected = {},
): Promise<Condition> {
  const isRight = (now: Condition): boolean =>
    lacking(now, failing).length === 0 &&
    now.zombies === 0 &&
    unknown(now).length === 0 &&
    added(was, now).length === 0 &&
    now.lastBeat > was.lastBeat;
  const now = await soon(m, isRight);
  t.same(lacking(now, failing), [], 'what is wanted is up');
  const lost = now.services.filter(({ definition }) => definition !== 'current');
  t.same(lost, [], 'every definition is known');
  t.equal(now.zombies, 0, 'nobody is a zombie');
  t.same(added(was, now), [], 'PID 1 holds nothing more open');
  const image = was.version.image + images;
  const version = { pid: 1, image, halting: null, safe: false };
  t.match(now.version, version, `PID 1 answers, and is image ${image}`);
  t.equal(now.bornAt, was.bornAt, 'it is the same process');
  const others = (pids: ReadonlyMap<string, number>) =>
    [...pids].filter(([name]) => !moved.includes(name) && !failing.includes(name)).sort();
  t.same(others(pidsOf(now)), others(pidsOf(was)), 'every other service has its process');
  t.same(unknown(now), [], 'nobody is there twice');
  t.same(now.gaps, [], 'every line of a log is there, once');
  t.ok(now.lastBeat > was.lastBeat, 'and there are new ones');
  return now;
}

export function pidsOf({ services }: Condition): ReadonlyMap<string, number> {
  return new Map(services.flatMap(({ name, pid }) => (pid === null ? [] : [[name, pid]])));
}

/**
 * Leaders that are no service's process. What was asked first may be the past when the processes
 * are looked at, so one that is seen once proves nothing.
 */
function unknown({ leaders, services }: Condition): readonly number[] {
  const known = new Set(services.map(({ pid }) => pid));
  return leaders.filter((pid) => !known.has(pid));
}

const ORACLE = 'sh /etc/svinit/oracle.sh';

/** The condition once it is right, or the last one seen: what is wrong with it is then told. */
async function soon(m: Machine, isRight: (now: Condition) => boolean): Promise<Condition> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (;;) {
    const now = await condition(m);
    if (isRight(now) || performance.now() >= endsAt) return now;
  }
}

/** What was disturbed shall be as it is wanted within half a minute. */
const PATIENCE_MS = 30_000;

function lacking({ services }: Condition, failing: readonly string[]): readonly string[] {
  return services.flatMap(({ name, type, want, state, note }) => {
    if (type === 'bundle' || failing.includes(name)) return [];
    const isUp = state === 'up' || state === 'done';
    const isAsWanted = want === 'up' ? isUp : !isUp && state !== 'stopping';
    return isAsWanted ? [] : [`${name} is ${state}, ${want} is wanted: ${note}`];
  });
}

/** What is open more often than it was, and than it is once it has been used. */
function added(was: Condition, now: Condition): readonly string[] {
  return [...new Set(now.open)].filter((name) => {
    const count = (open: readonly string[]): number => open.filter((one) => one === name).length;
    return count(now.open) > Math.max(count(was.open), onceUsed(name));
  });
}

/**
 * The log of a service stays open from its first start on, the console from the first line that an
 * image says, besides the three standard streams.
 */
function onceUsed(name: string): number {
  if (name.startsWith('/run/svinit/log/')) return 1;
  return name === '/dev/console' ? 4 : 0;
}

/**
 * Fields of proc_pid_stat(5) without the name, which may hold anything: 1 state, 2 parent, 4
 * session, 20 start. The lines of a log begin with their time.
 */
function oracleScript(): string {
  return `svctl version --json
svctl ls --json
sed 's/.*) //' /proc/1/stat | awk '{ print "born", $20 }'
for stat in /proc/[0-9]*/stat; do
  pid=\${stat#/proc/}
  { sed "s/.*) /\${pid%/stat} /" $stat; } 2> /dev/null
done | awk '$2 == "Z" { print "zombie", $1 } $3 == 1 && $5 == $1 { print "leader", $1 }'
for fd in /proc/1/fd/*; do readlink $fd; done |
  grep -v anon_inode | sed 's/[0-9]*]$//' | sort | sed 's/^/open /'
cat /run/log/svinit/beat/* | awk '
$2 != n + 1 && $2 != 1 { print "gap after", n, "comes", $2 } { n = $2 } END { print "beat", n }'
`;
}
