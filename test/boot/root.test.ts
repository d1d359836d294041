/**
 * The root of a machine whose svinit stays outside of it: what is wrong is named and tried again
 * with other words, its services live in it, overlays keep the disk as it was, and at the end
 * every filesystem is clean.
 */
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { execa } from 'execa';
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { FILESYSTEM_AT } from '../../scripts/disk.ts';
import { copyOf, directoryFor, faultsOn, smallDisk } from './disks.ts';
import type { Definition } from './fixtures.ts';
import { type Machine, start } from './machine.ts';
import { noModules } from './modules.ts';

const TREE = '/run/svinit/roots/os';

const SERVICES: Readonly<Record<string, Definition>> = {
  hello: {
    type: 'longrun\n',
    'notification-fd': '3\n',
    finish: '#!/bin/sh\necho "finish of $3 in $(cat /etc/marker)"\n',
    run: '#!/bin/sh\necho "hello $1 from $(cat marker /etc/marker)"\necho >&3\nexec sleep 1000000\n',
    marker: 'here',
  },
  once: {
    type: 'oneshot\n',
    up: '#!/bin/sh\ntouch /var/written && echo "written by $(id -u)"\n',
    down: '#!/bin/sh\necho "undone in $(cat /etc/marker)"\n',
  },
  // The image has one too, and its own counts.
  console: { type: 'longrun\n', run: '#!/bin/sh\nexec sleep 1000000\n' },
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a root`, { skip: noModules ?? false }, async (t) => {
    const directory = directoryFor(t);
    const files = { '/etc/marker': 'root', '/etc/passwd': 'root:x:0:0::/root:/bin/sh\n' };
    const { file } = await smallDisk(directory, 'good', { services: SERVICES, files });
    const bad = await copyOf(file, directory, 'bad.img');
    await spoil(bad);
    const before = digest(file);
    const m = await start(t, runtime, {
      modules: true,
      append: 'root=LABEL=nope rd.timeout=2 svinit.ask=1',
      disks: [file, bad].map((disk) => ({ file: disk, bus: 'virtio-blk', keep: true })),
    });
    await missing(t, m);
    await wrong(t, m);
    await repaired(t, m);
    await overlaid(t, m);
    await changed(t, m);
    await goesDown(t, m);
    t.equal(digest(file), before, 'below the overlay not a byte has changed');
    t.equal(await faultsOn(bad), '', 'what was repaired is clean');
  });
}

/** Errors that no check repairs without being told to. */
async function spoil(file: string): Promise<void> {
  const requests = 'clri <7>\nset_super_value state 2\n';
  const at = `${file}?offset=${FILESYSTEM_AT}`;
  await execa('/usr/sbin/debugfs', ['-w', '-f', '-', at], { input: requests });
}

const digest = (file: string): string =>
  createHash('sha256').update(readFileSync(file)).digest('hex');

async function missing(t: Test, m: Machine): Promise<void> {
  t.match(await m.service('root'), { state: 'failed' });
  const log = await m.sh('svctl logs root');
  t.match(
    log,
    /Cannot find the root LABEL=nope: .* there is \/dev\/vda, \/dev\/vda1 \(ext4, LABEL=s/,
  );
  t.match(await m.service('web'), { state: 'up' }, 'the machine does what it can without');
  t.match(await m.run('svroot status'), { output: 'there is no root', code: 0 });
  t.match(await m.sh('svctl why root'), /last said: svroot: Cannot find the root LABEL=nope/);
}

/** What goes wrong, by the words that lead to it. */
const WRONG: Readonly<Record<string, RegExp>> = {
  'root=/dev/vda1 rootfstype=xfs': /the kernel has no xfs, and there is no module for it/,
  'root=/dev/vdb1': /Cannot use \/dev\/vdb1 .* left errors \(exit status 4\); fsck.repair=yes/,
  'root=tmpfs': /Cannot enter the root: .*\/bin\/sh/,
};

async function wrong(t: Test, { run, sh }: Machine): Promise<void> {
  for (const [words, reason] of Object.entries(WRONG)) {
    t.match(await run(`svroot try ${words}`), { output: /root is failed/, code: 1 }, words);
    t.match((await sh('svctl logs root')).split('\n').at(-1), reason);
    t.equal(await sh(`grep -c ${TREE} /proc/mounts; true`), '0', 'and leaves nothing behind');
  }
}

async function repaired(t: Test, { sh, service }: Machine): Promise<void> {
  const words = 'root=/dev/vdb1 fsck.repair=yes svinit.overlay=state svinit.etc_overlay';
  const status = await sh(`svroot try ${words}`);
  t.match(status, /^root=\/dev\/vdb1: \/dev\/vdb1 \(ext4\), read-only$/m);
  await sh('svctl wait --timeout=1min hello:ready once:done');
  t.match(await sh('svctl logs once'), /written by 0$/, '/var can be written to');
  await sh(`nsenter --mount=${TREE}.ns /bin/sh -c "echo new:x:9:9::/: >> /etc/passwd"`);
  const touch = await sh(`nsenter --mount=${TREE}.ns /bin/sh -c "touch /x 2>&1; true"`);
  t.match(touch, /Read-only/, 'and the rest cannot');
  t.match(await service('console'), { state: 'up', directory: /^\/usr\/lib/ }, 'the image wins');
  t.match(await sh('svctl scan'), /console: the root 'os' has one too/, 'which is told');
}

async function overlaid(t: Test, { sh, service }: Machine): Promise<void> {
  const status = await sh('svroot try root=/dev/vda1 rw svinit.overlay=overlay');
  t.match(status, /vda1 \(ext4\), writable\nwhatever is written stays in memory/);
  t.match(
    await sh('svctl logs root'),
    /accounts .* are lost: passwd \(new: new\)/,
    'drift is told',
  );
  await sh('svctl wait --timeout=1min hello:ready once:done');
  const { pid, directory } = await service('hello');
  t.equal(directory, 'os:/etc/svinit/services/hello');
  t.match(await sh(`cat /proc/${pid}/root/etc/marker`), /^root/, 'it runs in the root');
  t.match(await sh('cat /etc/marker 2>&1; true'), /No such file/, 'and svinit does not');
  await sh('svctl restart --timeout=1min hello');
  const log = await sh('svctl logs hello');
  t.match(log, /hello hello from hereroot$/m, 'its output is logged as any');
  t.match(log, /finish of hello in root/, 'its finish runs there too');
  t.match(await sh(`cat /proc/${pid}/cgroup 2>&1; true`), /No such/);
  await sh(`mount | grep '${TREE}.lower.*(ro'`);
  const before = await service('hello');
  await sh('svctl reexec');
  t.match(await service('hello'), { state: 'up', pid: before.pid, directory: before.directory });
}

/** Definitions of the root come and go while it is there. */
async function changed(t: Test, { sh, run }: Machine): Promise<void> {
  const late = `${TREE}/etc/svinit/services/late`;
  await sh(`mkdir ${late} && printf '#!/bin/sh\\nexec sleep 1000000\\n' > ${late}/run`);
  await sh(`chmod +x ${late}/run && chmod 777 ${TREE}/etc/svinit/services/once`);
  t.match(await run('svctl scan'), { output: /added: late/ }, 'a scan reads them anew');
  t.match(await sh('svctl logs root; svroot sync'), /once: .*others than its owner may write/);
  await sh('svctl start --timeout=1min late');
  t.match(await run('svctl stop root'), { code: 6 }, 'the root is needed');
  await sh('svctl stop --cascade --timeout=1min root');
  t.equal(await sh(`grep -c ${TREE} /proc/mounts; true`), '0', 'and goes without');
  await sh('svctl start --timeout=1min hello');
  t.match(await sh('svroot status'), /vda1/, 'it comes back with who needs it');
}

async function goesDown(t: Test, { vm }: Machine): Promise<void> {
  vm.send('poweroff');
  const { code, transcript } = await vm.ended;
  t.equal(code, 0, 'QEMU ends');
  t.match(transcript, 'reboot: Power down');
  t.notMatch(
    transcript,
    /still mounted|cannot unmount|took too long|Kernel panic|going on without/,
  );
}
