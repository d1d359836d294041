/**
 * Services of a machine that runs: they start in the order of their needs, come back when they are
 * killed, appear when a directory does, and stop in the reverse order. What is done to PID 1
 * meanwhile changes none of it.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, idle, STAMPS, serviceFiles, stamping, stampsOf } from './fixtures.ts';
import type { ExtraFile } from './harness.ts';
import { type Machine, start, within } from './machine.ts';

/**
 * A longrun that is ready when its partner is as far as itself: a word goes through a FIFO that
 * opens only when both are there. Started one after the other, neither ever would be.
 */
function meeting(at: string, side: 'says' | 'hears', ...needs: readonly string[]) {
  const meet = side === 'says' ? `echo here > ${at}` : `read -r _ < ${at}`;
  const steps = ['stamp start', `mkfifo ${at} 2> /dev/null`, meet, 'stamp ready', 'echo >&3'];
  const dependencies = needs.map((name) => `${name}\n`).join('');
  return { run: idle(steps.join('\n')), 'notification-fd': '3\n', dependencies };
}

const DEFINITIONS = {
  default: bundle('console'),
  one: meeting('/run/meet-1', 'says'),
  three: meeting('/run/meet-1', 'hears'),
  two: meeting('/run/meet-2', 'says', 'one'),
  four: meeting('/run/meet-2', 'hears', 'three'),
  gate: {
    run: idle('stamp start\necho > /run/gate-asks\nread -r _ < /run/gate\nstamp ready\necho >&3'),
    'notification-fd': '3\n',
    down: '',
  },
  behind: { run: idle('stamp start'), dependencies: 'gate\n', down: '' },
  phoenix: { run: idle('echo $$ > /run/phoenix') },
  base: stamping(),
  middle: stamping(['base']),
  top: stamping(['middle'], 'echo > /run/top-asks; read -r _ < /run/top'),
};

const FIFOS = ['gate-asks', 'gate', 'phoenix', 'top-asks', 'top', 'late'];

/** Processes that outlive their parent. */
const ORPHANS = 10_000;

/** Makes orphans, each of which leaves a line, and asks svctl now and then meanwhile. */
const STORM = `count() { awk '/^processes/ { print $2 }' /proc/stat; }
before=$(count)
(i=0; while [ $i -lt ${ORPHANS} ]; do i=$((i + 1)); (echo $i >> /run/orphans &); done) &
storm=$!
answers=0
while kill -0 $storm 2> /dev/null; do
  svctl version > /dev/null || exit 1
  answers=$((answers + 1))
  sleep 2
done
echo $answers $(($(count) - before))
`;

const extraFiles: readonly ExtraFile[] = [
  ...serviceFiles(DEFINITIONS),
  { path: '/etc/svinit/storm.sh', content: STORM },
  // Before any service, and on the tmpfs that is mounted by then.
  ...serviceFiles({
    fifos: {
      type: 'oneshot\n',
      'service.json': '{ "early": true, "initially": "up" }\n',
      up: `#!/bin/sh\ncd /run && exec mkfifo ${FIFOS.join(' ')}\n`,
    },
  }),
];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: services of a machine that runs`, async (t) => {
    const m = await start(t, runtime, { extraFiles });
    const test = (title: string, run: (t: Test, m: Machine) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, m));
    await test('1 and 3 start together, then 2 and 4', waves);
    await test('a need that is not ready holds back what needs it', readiness);
    await test('a service that is killed comes back', restart);
    await test('F25 no signal but those it answers to moves PID 1', immunity);
    await test('a directory that is moved in is found without a scan', bell);
    await test('a need is stopped with --cascade only, and last', cascade);
    await test('F1 10,000 orphans leave no zombie', orphans);
    await test('SIGTERM to PID 1 is a power-off', terminated);
  });
}

async function waves(t: Test, m: Machine): Promise<void> {
  const all = stampsOf(await m.sh(`cat ${STAMPS}`));
  const at = (what: string): number => all.findIndex((stamp) => stamp.what === what);
  for (const name of ['one', 'two', 'three', 'four']) {
    t.equal(all.filter(({ what }) => what === `${name} start`).length, 1, `${name} starts once`);
  }
  // What is written counts, not when: two that run at once may write in either order.
  t.ok(at('one ready') < at('two start'), '2 starts when 1 is ready');
  t.ok(at('three ready') < at('four start'), '4 starts when 3 is ready');
  t.ok(Math.max(at('one start'), at('three start')) < at('one ready'), '1 does not wait for 3');
  t.match(
    await m.sh('svctl waves one two three four'),
    /one\W+three\n.*two|one, three/,
    'svctl agrees',
  );
}

async function readiness(t: Test, m: Machine): Promise<void> {
  await m.sh('svctl start --no-wait behind');
  await m.sh(within('read -r _ < /run/gate-asks'));
  t.match(await m.service('gate'), { state: 'starting', pid: Number });
  t.match(await m.service('behind'), { state: 'waiting', waitingFor: ['gate'], pid: null });
  const waited = await m.run('svctl wait behind:ready --timeout 50ms');
  t.equal(waited.code, 5, 'svctl wait runs out of time');
  t.match(waited.output, /behind is waiting \(waits for gate\), not ready/);
  t.notMatch(await m.sh(`cat ${STAMPS}`), 'behind start');
  await m.sh(within('echo > /run/gate; svctl wait behind:ready'));
  const order = stampsOf(await m.sh(`cat ${STAMPS}`)).map(({ what }) => what);
  t.ok(order.includes('gate ready'));
  t.ok(order.indexOf('gate ready') < order.indexOf('behind start'), 'it started after the need');
}

async function restart(t: Test, m: Machine): Promise<void> {
  const first = Number(await m.sh(within('cat /run/phoenix')));
  t.match(await m.service('phoenix'), { pid: first, restarts: 0, state: 'up' });
  await m.sh(`kill -KILL ${first}`);
  const second = Number(await m.sh(within('cat /run/phoenix')));
  t.not(second, first, 'another process');
  t.match(await m.service('phoenix'), {
    pid: second,
    restarts: 1,
    state: 'up',
    lastExit: 'killed by KILL',
  });
  t.match(await m.sh('svctl status phoenix'), /^ {2}last exit +killed by KILL, .* ago$/m);
  t.match(await m.sh('svctl'), new RegExp(`^\\* phoenix +up +\\S+ +1 +${second}`, 'm'));
  t.equal(await m.sh('svctl ls --failed --json | grep -c phoenix; true'), '0', 'it is well again');
}

/** ILL, TRAP, ABRT, BUS, FPE, SEGV, ALRM, SYS. */
const FAULTS = [4, 5, 6, 7, 8, 11, 14, 31];

async function immunity(t: Test, m: Machine): Promise<void> {
  const pids = async () => [...(await m.services())].map(([name, { pid }]) => [name, pid]);
  const before = await pids();
  // INT and TERM end the machine, USR2 re-executes, 32 and 33 belong to the C library.
  // and those of a fault, and the alarm of a hang, begin a fresh image: see revive.test.ts.
  const meant = [2, 12, 15, 32, 33, ...FAULTS];
  const signals = Array.from({ length: 64 }, (_, i) => i + 1).filter((n) => !meant.includes(n));
  await m.sh(`for n in ${signals.join(' ')}; do kill -$n 1 || exit 1; done`);
  t.match(await m.version(), { pid: 1, image: 1, halting: null }, 'it answers, as the same image');
  t.match(await m.sh('grep State /proc/1/status'), /[SR] \((sleeping|running)\)/);
  t.same(await pids(), before, 'nothing else ended or started');
  for (const name of ['KILL', 'STOP']) {
    await m.sh(`kill -${name} 1`);
    t.match(await m.version(), { pid: 1, image: 1 }, `after SIG${name}`);
  }
}

async function bell(t: Test, m: Machine): Promise<void> {
  const found = await m.run('svctl status late');
  t.equal(found.code, 4, 'not known yet');
  await m.sh(
    'cd /run/svinit && mkdir new && printf "#!/bin/sh\\necho \\$\\$ > /run/late\\nexec sleep 1000000\\n" > new/run',
  );
  await m.sh('chmod 755 new/run && mv new services/late && cd');
  const pid = Number(await m.sh(within('cat /run/late')));
  await m.sh('svctl wait late:ready --timeout 60s');
  const directory = '/run/svinit/services/late';
  t.match(await m.service('late'), { pid, directory, restarts: 0, definition: 'current' });
}

async function cascade(t: Test, m: Machine): Promise<void> {
  const refused = await m.run('svctl stop base');
  t.equal(refused.code, 6);
  t.match(refused.output, /middle, top would stop too, for want of base\n.*--cascade/);
  t.match(await m.service('base'), { state: 'up', want: 'up' }, 'nothing happens');

  await m.sh(`: > ${STAMPS}`);
  await m.sh('svctl stop --cascade --no-wait base');
  await m.sh(within('read -r _ < /run/top-asks'));
  const meanwhile = await m.services();
  t.match(meanwhile.get('top'), { state: 'stopping' });
  for (const name of ['middle', 'base']) {
    t.match(meanwhile.get(name), { state: 'up', want: 'down' }, `${name} waits for top`);
  }
  await m.sh(within('echo > /run/top; svctl wait base:down middle:down top:down'));
  const stops = ['top', 'middle', 'base'].flatMap((name) => [`${name} term`, `${name} end`]);
  t.same(
    stampsOf(await m.sh(`cat ${STAMPS}`)).map(({ what }) => what),
    stops,
    'in reverse',
  );

  await m.sh(`: > ${STAMPS}; svctl start base; svctl wait top:ready --timeout 60s`);
  const starts = ['base start', 'middle start', 'top start'];
  t.same(
    stampsOf(await m.sh(`cat ${STAMPS}`)).map(({ what }) => what),
    starts,
    'all come back',
  );
}

async function orphans(t: Test, m: Machine): Promise<void> {
  const [answers, forks] = (await m.sh('sh /etc/svinit/storm.sh')).split(' ').map(Number);
  t.equal(Number(await m.sh('sort -nu /run/orphans | wc -l')), ORPHANS, 'each has been there');
  t.ok((forks ?? 0) >= 2 * ORPHANS, `${forks} processes were forked: each orphan had a parent`);
  t.ok((answers ?? 0) > 0, `svctl answered ${answers} times meanwhile`);
  const zombies = `grep -l '^State:.Z' /proc/[0-9]*/status 2> /dev/null`;
  t.equal(await m.sh(within(`while ${zombies} > /dev/null; do :; done; ${zombies}; true`)), '');
  t.match(await m.version(), { image: 1 }, 'as the same image');
}

async function terminated(t: Test, { vm }: Machine): Promise<void> {
  // Top asks whether it may end: yes.
  vm.send('(echo > /run/top &); read -r _ < /run/top-asks & kill -TERM 1');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /svinit: all services are down\n/);
  t.match(transcript, /reboot: Power down/);
}
