/**
 * Debian as the root of a machine whose init stays where it is: the daemons of the root run in a
 * mount namespace of their own, and the filesystem is clean when the machine has gone down, also
 * when not everybody in there wants to go.
 */
import { existsSync } from 'node:fs';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { DEBIAN } from '../../scripts/debian.ts';
import { FILESYSTEM_AT } from '../../scripts/disk.ts';
import { copyOf, directoryFor, faultsOn } from './disks.ts';
import { type Machine, poweredOff, start, within } from './machine.ts';
import { noModules } from './modules.ts';

const noDebian = existsSync(DEBIAN.file) ? noModules : `${DEBIAN.file} is not there: make debian`;

/** In the root, from the console, which is outside. */
const IN_ROOT = 'nsenter --mount=/run/svinit/roots/os.ns';
const SSH = `${IN_ROOT} /usr/bin/ssh -o StrictHostKeyChecking=no -o LogLevel=ERROR root@127.0.0.1`;

/** Neither asked nor hung up on does this go, and it has both its place and a file on the root. */
const SQUATTER = `trap "" TERM HUP; cd /var/tmp; exec >> kept; while :; do echo more; sleep 0.1; done`;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: Debian, and svinit stays`, { skip: noDebian ?? false }, async (t) => {
    const directory = directoryFor(t);
    const file = await copyOf(DEBIAN.file, directory, 'debian.img');
    const m = await start(t, runtime, {
      modules: true,
      append: `root=LABEL=${DEBIAN.label} rw`,
      disks: [{ file, bus: 'virtio-blk', keep: true }],
    });
    const test = (title: string, run: (t: Test, m: Machine) => Promise<void>) =>
      t.test(`${runtime}: ${title}`, (t) => run(t, m));
    await test('its daemons run, in the root', daemons);
    await test('and do what they are for', answers);
    await test('PID 1 and the console hold nothing of the root', apart);
    await test('it goes down though some do not want to', goesDown);
    t.equal(await faultsOn(file), '', 'the filesystem is clean');
    const kept = ['-R', 'cat /var/tmp/kept', `${file}?offset=${FILESYSTEM_AT}`];
    const { stdout } = await execa('/usr/sbin/debugfs', kept);
    t.match(stdout, /^more\n/, 'and holds what was written to it');
  });
}

async function daemons(t: Test, m: Machine): Promise<void> {
  await m.sh('svctl wait --timeout=2min sshd:ready cron nginx');
  for (const [name, program] of Object.entries({ sshd: 'sshd', cron: 'cron', nginx: 'nginx' })) {
    const { pid, state } = await m.service(name);
    t.equal(state, 'up', `${name} is up`);
    t.equal(await m.sh(`readlink /proc/${pid}/exe`), `/usr/sbin/${program}`, 'it is the daemon');
    t.match(await m.sh(`cat /proc/${pid}/root/etc/debian_version`), /^12\./, 'in Debian');
  }
  t.match(await m.sh('svctl logs sshd'), 'Server listening on 0.0.0.0 port 22', 'with its log');
}

async function answers(t: Test, { sh, run }: Machine): Promise<void> {
  t.match(await sh('sleep 1 | nc 127.0.0.1 22'), /^SSH-2\.0-OpenSSH/, 'the banner of sshd');
  t.match(await sh('wget -q -O - http://127.0.0.1/'), 'Welcome to nginx!', 'the page of nginx');
  t.equal(await sh(within(`until ${IN_ROOT} /bin/cat /run/at-boot; do sleep 1; done`)), 'debian');
  t.equal(await sh(`${SSH} cat /etc/hostname`), 'debian', 'a login');
  t.match(await sh(`${SSH} -tt tty 2>&1`), /^\/dev\/pts\/\d+$/m, 'with a terminal');
  t.match(await sh('svctl logs syslog'), /CRON.*@reboot jobs/i, 'syslog reaches svinit');
  t.match(await run('cat /etc/debian_version'), { code: 1 }, 'while / is what it was');
}

async function apart(t: Test, { sh }: Machine): Promise<void> {
  const device = await sh('stat -c %d /run/svinit/roots/os');
  for (const pid of ['1', '$$']) {
    const paths = `/proc/${pid}/root /proc/${pid}/cwd /proc/${pid}/exe /proc/${pid}/fd/*`;
    const devices = await sh(`stat -L -c %d ${paths} 2> /dev/null; true`);
    t.notOk(devices.split('\n').includes(device), `${pid}: no root, directory, program or file`);
    t.notMatch(await sh(`cat /proc/${pid}/maps`), /roots\/os/, `${pid}: nothing mapped`);
  }
}

async function goesDown(t: Test, { vm, sh, service }: Machine): Promise<void> {
  await sh(`kill -STOP ${(await service('nginx')).pid}`);
  vm.send(`${SSH} -n '${SQUATTER}' &`);
  await sh(within('until [ -s /run/svinit/roots/os/var/tmp/kept ]; do sleep 1; done'));
  await sh('cd /run/svinit/roots/os/var');
  vm.send('poweroff');
  const { code, transcript } = await poweredOff(vm);
  t.equal(code, 0, 'QEMU ends');
  t.notMatch(transcript, /still mounted|cannot|took too long|Kernel panic|going on without/);
}
