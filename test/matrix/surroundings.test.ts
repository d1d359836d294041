/** Faults of what is around svinit: its sockets, /proc, /, definitions, and files of runtimes. */
import { mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import {
  type Definitions,
  longrun,
  needs,
  script,
  writeDefinitions,
} from '../supervisor/definitions.ts';
import { type Instance, until } from '../supervisor/instance.ts';
import { before, expectOracle, machine, sh } from './oracle.ts';

const DEFINITIONS = '/run/svinit/services';
const CHAIN = 300;

const services: Definitions = {
  slow: {
    run: script('read line </tmp/go; echo >&3; idle'),
    'notification-fd': '3',
    'timeout-up': '0',
    down: '',
  },
  stubborn: { run: script('trap "say asked" TERM; idle'), 'timeout-down': '0', down: '' },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: faults of the surroundings`, async (t) => {
    const svinit = await machine(t, runtime, services);
    const was = await before(svinit);
    await sh(svinit, 'mkfifo /tmp/go');

    await t.test(`${runtime}: F19 others in the place of the sockets`, async (t) => {
      await replacedSockets(t, svinit);
      await expectOracle(t, svinit, was);
    });

    await t.test(`${runtime}: F46 cycles, missing needs, a long chain`, async (t) => {
      await badGraphs(t, svinit);
      await expectOracle(t, svinit, was);
    });

    await t.test(`${runtime}: F47 definitions change while services start and stop`, async (t) => {
      await changed(t, svinit);
      await expectOracle(t, svinit, was);
    });

    await t.test(`${runtime}: F38 /proc is gone`, async (t) => {
      await sh(svinit, 'umount -l /proc');
      await sh(svinit, `kill -9 ${was.pids.get('base')}`);
      await until('it is up again', async () => {
        const { state, restarts } = await svinit.service('base');
        return (state === 'up' && restarts > 0) || null;
      });
      t.match(await svinit.svctl('restart', 'top'), { code: 0 }, 'services stop and start');
      await sh(svinit, 'mount -t proc proc /proc');
      await expectOracle(t, svinit, was, { moved: ['base', 'top'] });
    });
  });

  t.test(`${runtime}: F49 files that a runtime would read`, async (t) => {
    const inDirectory = { 'bunfig.toml': BUNFIG, '.env': 'BAD=1\n' };
    const odd = { run: script('say env $(env | grep -c BAD); idle'), ...inDirectory };
    const svinit = await machine(t, runtime, { odd }, { trees: { '/': { trap: inDirectory } } });
    await sh(svinit, 'cp /trap/bunfig.toml /trap/.env /; echo say BAD >/evil.js');
    const was = await before(svinit);
    t.match(await svinit.svctl('reexec'), { code: 0 });
    await expectOracle(t, svinit, was, { images: 1 });
    await svinit.console.expect('@ env 0');
    const environ = await sh(svinit, 'tr "\\0" "\\n" </proc/1/environ');
    t.notMatch(environ, /BAD/, 'PID 1 took nothing from them');
  });

  t.test(`${runtime}: F37 nothing is mounted, and there are no standard streams`, async (t) => {
    const svinit = await machine(t, runtime, {}, { bare: true });
    const was = await before(svinit);
    t.match(await svinit.svctl('reexec'), { code: 0 });
    await expectOracle(t, svinit, was, { images: 1 });
  });
}

/** bunfig.toml(5) of Bun: a module that it would load before any other. */
const BUNFIG = 'preload = ["/evil.js"]\n';

/** A link and a directory where the sockets were: nobody is followed, both are served again. */
async function replacedSockets(t: Test, svinit: Instance): Promise<void> {
  const [control, status] = ['control', 'status'].map((name) => svinit.path(`/run/svinit/${name}`));
  const precious = svinit.path('/tmp/precious');
  writeFileSync(precious, 'precious');
  rmSync(control ?? '');
  symlinkSync('/tmp/precious', control ?? '');
  rmSync(status ?? '');
  mkdirSync(status ?? '');
  svinit.signal('SIGUSR1');
  for (const socket of ['control', 'status'] as const) {
    const peer = await until(`${socket} is there`, () => svinit.dial(socket).catch(() => null));
    await peer.close();
  }
  t.equal(await sh(svinit, 'cat /tmp/precious'), 'precious', 'no link is followed');
  t.match(await sh(svinit, 'stat -c %F,%a /run/svinit/control'), /socket,600/);
}

/** What cannot be is refused with its path, and who runs goes on. */
async function badGraphs(t: Test, svinit: Instance): Promise<void> {
  const links = Array.from({ length: CHAIN }, (_, i): readonly [string, Definitions[string]] => [
    `link${i}`,
    { run: script('idle'), down: '', ...(i === 0 ? {} : needs(`link${i - 1}`)) },
  ]);
  writeDefinitions(svinit.path(DEFINITIONS), {
    ring1: longrun('ring1', needs('ring2')),
    ring2: longrun('ring2', needs('ring1')),
    self: longrun('self', needs('self')),
    lonely: longrun('lonely', needs('nobody')),
    ...Object.fromEntries(links),
  });
  const { stdout, stderr } = await svinit.svctl('scan');
  const told = `${stdout}${stderr}${(await svinit.svctl('ls')).stdout}`;
  t.match(told, /ring1.*ring2|ring2.*ring1/s, 'the ring is shown');
  t.match(told, /lonely.*nobody|nobody.*lonely/s, 'what is missing is named');
  t.match(told, /self/);
  t.match(await svinit.svctl('start', '--no-wait', `link${CHAIN - 1}`), { code: 0 });
  t.match(await svinit.svctl('wait', `link${CHAIN - 1}`), { code: 0 }, `a chain of ${CHAIN}`);
  await sh(svinit, `rm -r ${DEFINITIONS}/link* ${DEFINITIONS}/ring* ${DEFINITIONS}/self`);
  await sh(svinit, `rm -r ${DEFINITIONS}/lonely`);
  t.match(await svinit.svctl('scan', '--prune'), { code: 0 });
}

/** A service that starts or stops goes by what it was started with, whatever is written meanwhile. */
async function changed(t: Test, svinit: Instance): Promise<void> {
  const file = (name: string): string => svinit.path(`/etc/svinit/services/${name}/timeout-up`);
  t.match(await svinit.svctl('start', '--no-wait', 'slow'), { code: 0 });
  writeFileSync(file('slow'), '1000');
  t.match(await svinit.svctl('scan'), { code: 0 });
  t.match(await svinit.service('slow'), { state: 'starting', restarts: 0 }, 'it goes on starting');
  writeFileSync(file('slow'), 'not a number');
  await svinit.svctl('scan');
  await sh(svinit, 'echo >/tmp/go');
  t.match(await svinit.svctl('wait', 'slow'), { code: 0 }, 'as it was defined when it started');
  t.match(await svinit.service('slow'), { state: 'up', restarts: 0 });
  t.match(await svinit.svctl('stop', 'slow'), { code: 0 });
  writeFileSync(file('slow'), '0');

  t.match(await svinit.svctl('start', 'stubborn'), { code: 0 });
  t.match(await svinit.svctl('stop', '--no-wait', 'stubborn'), { code: 0 });
  await svinit.console.expect('@ asked');
  rmSync(svinit.path('/etc/svinit/services/stubborn'), { recursive: true });
  t.match(await svinit.svctl('scan'), { code: 0 });
  const { pid, state } = await svinit.service('stubborn');
  t.equal(state, 'stopping', 'it is not forgotten while it stops');
  await sh(svinit, `kill -9 ${pid}`);
  await until('it is forgotten', async () => !(await svinit.services()).has('stubborn') || null);
}
