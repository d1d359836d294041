/**
 * Definitions that cannot be used are refused by name, with a reason, and harm nobody else; put in
 * order, they start. Directories are found by `svctl scan` alone: there are no inotify watches left
 * for the bell of svinit.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, IDLE, SERVICES, serviceFiles } from './fixtures.ts';
import { type Machine, start } from './machine.ts';

/** Each is wrong in one way; `good` in none. */
const DEFINITIONS = {
  default: bundle('console'),
  // Not before svlog works, for it has a watch itself; the bell is hung when this is done.
  deaf: {
    type: 'oneshot\n',
    'service.json': '{ "initially": "up" }\n',
    up:
      '#!/bin/sh\nuntil [ -s /run/log/svinit/svinit/current ]; do sleep 1; done\n' +
      'echo 0 > /proc/sys/fs/inotify/max_user_watches\n',
  },
  egg: { run: IDLE, dependencies: 'hen\n' },
  hen: { run: IDLE, dependencies: 'nest\n' },
  nest: { run: IDLE, dependencies: 'egg\n' },
  lost: { run: IDLE, dependencies: 'nowhere\n' },
  absent: { type: 'longrun\n', 'service.json': '{ "initially": "up" }\n' },
  plain: { run: { notExecutable: IDLE } },
  syntax: { run: IDLE, 'service.json': '{\n  "description": "x",\n  "needs": [}\n}\n' },
  good: { run: IDLE },
};

/** What is said of each; a cycle is told with its path. */
const REFUSED: ReadonlyMap<string, RegExp> = new Map([
  ['egg', /dependency cycle: egg -> hen -> nest -> egg$/],
  ['hen', /dependency cycle: egg -> hen -> nest -> egg$/],
  ['nest', /dependency cycle: egg -> hen -> nest -> egg$/],
  ['lost', /needs 'nowhere', which is not defined anywhere$/],
  ['absent', /^run: is missing/],
  ['plain', /^run:1: is not executable; chmod \+x makes it so$/],
  ['syntax', /^service\.json:3: not JSON/],
]);

const extraFiles = serviceFiles(DEFINITIONS);

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: definitions, good and bad`, async (t) => {
    const m = await start(t, runtime, { extraFiles });
    const test = (title: string, run: (t: Test, m: Machine) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, m));
    await test('a bad definition is refused by name, the rest runs', refused);
    await test('what was refused starts once it is in order', repaired);
    await test('a definition that goes bad leaves its service running', spoiled);
    await test('a directory that is moved in starts at svctl scan', added);
    await test('a directory that is gone is stopped by svctl scan --prune', removed);
    await test('SIGINT to PID 1 is a reboot', interrupted);
  });
}

async function refused(t: Test, m: Machine): Promise<void> {
  const said = m.vm.console.transcript;
  const before = await m.services();
  const scan = await m.run('svctl scan');
  t.equal(scan.code, 8, 'svctl scan says so with its exit code');
  const ls = await m.sh('svctl ls');
  for (const [name, reason] of REFUSED) {
    const line = new RegExp(`^refused: ${name}: (.*)$`, 'm');
    t.match(line.exec(scan.output)?.[1], reason, `svctl scan: ${name}`);
    t.match(line.exec(ls)?.[1], reason, `svctl ls: ${name}`);
    const status = await m.run(`svctl status ${name}`);
    t.equal(status.code, 8, `svctl status: ${name}`);
    t.match(status.output, `svctl: ${name} is refused: `);
    t.match(said, `[!!] ${name} is refused: `, `the console: ${name}`);
    t.notOk(before.has(name), `${name} is not there`);
  }
  t.equal((await m.run('svctl start lost')).code, 8, 'nor can it be started');
  for (const name of ['good', 'console', 'svlog']) t.equal(before.get(name)?.state, 'up', name);
  t.same(pids(await m.services()), pids(before), 'a scan that refuses changes nothing');
}

async function repaired(t: Test, m: Machine): Promise<void> {
  const before = pids(await m.services());
  await m.sh(`cd ${SERVICES} && rm nest/dependencies && cp -r good nowhere`);
  await m.sh('cp good/run absent && chmod +x plain/run && echo {} > syntax/service.json; cd');
  const scan = await m.sh('svctl scan');
  t.notMatch(scan, /refused/);
  const names = [...REFUSED.keys(), 'nowhere'];
  t.equal(scan, `added: ${names.toSorted().join(', ')}`);
  await m.sh(`svctl wait --timeout 60s ${names.join(' ')}`);
  const services = await m.services();
  for (const name of names) t.match(services.get(name), { state: 'up', restarts: 0 }, name);
  t.same(services.get('egg')?.needs, ['hen']);
  t.same(
    pids(services).filter(([name]) => !names.includes(name)),
    before,
    'the rest is as it was',
  );
}

async function spoiled(t: Test, m: Machine): Promise<void> {
  const { pid } = await m.service('good');
  await m.sh(`echo '{' > ${SERVICES}/good/service.json`);
  const scan = await m.run('svctl scan');
  t.equal(scan.code, 8);
  t.match(scan.output, /^refused: good: service\.json/m);
  t.match(await m.service('good'), { pid, state: 'up', restarts: 0 });
  await m.sh(`rm ${SERVICES}/good/service.json`);
  t.equal(await m.sh('svctl scan'), 'nothing changed');
  t.match(await m.service('good'), { pid, state: 'up', definition: 'current' });
}

async function added(t: Test, m: Machine): Promise<void> {
  t.match(await m.sh('cat /run/log/svinit/svinit/current'), /Cannot watch .* failed with ENOSPC/);
  await m.sh(`cd /run/svinit && cp -r ${SERVICES}/good new && mv new services/late; cd`);
  t.equal((await m.run('svctl status late')).code, 4, 'nobody has looked yet');
  t.equal(await m.sh('svctl scan'), 'added: late');
  await m.sh('svctl wait late:ready --timeout 60s');
  t.match(await m.service('late'), { state: 'up', directory: '/run/svinit/services/late' });
  t.equal(await m.sh('svctl scan'), 'nothing changed', 'a second scan finds nothing');
}

async function removed(t: Test, m: Machine): Promise<void> {
  const { pid } = await m.service('late');
  await m.sh('rm -r /run/svinit/services/late');
  t.equal(await m.sh('svctl scan'), 'removed: late');
  t.match(await m.service('late'), { pid, state: 'up', definition: 'removed' }, 'it still runs');
  await m.sh('svctl scan --prune');
  await m.run('svctl wait late:down --timeout 60s');
  t.equal((await m.run('svctl status late')).code, 4, 'and is forgotten');
  t.equal((await m.run(`kill -0 ${pid}`)).code, 1, 'its process is gone');
  t.equal((await m.run('ls /run/svinit/log/late')).code, 1, 'and so is its FIFO');
}

async function interrupted(t: Test, { vm }: Machine): Promise<void> {
  vm.send('kill -INT 1');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, /svinit: all services are down\n/);
  t.match(transcript, /reboot: Restarting system/);
}

function pids(services: Awaited<ReturnType<Machine['services']>>): [string, number | null][] {
  return [...services].map(([name, { pid }]) => [name, pid]);
}
