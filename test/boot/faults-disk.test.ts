/**
 * A filesystem that does not answer any more: who writes to it cannot be killed, and what is stored
 * on it can neither be synced nor unmounted. svinit goes on, and in the end it goes down.
 *
 * The machines of both runtimes run side by side: most of the time they only wait.
 */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { bundle, IDLE, serviceFiles } from './fixtures.ts';
import { type Machine, start, within } from './machine.ts';
import { MODULES, moduleFiles, noModules } from './modules.ts';
import { BEAT, condition, expectOracle, oracleFiles, pidsOf } from './oracle.ts';

/**
 * Less than a way down takes that has to wait for everything (halt.ts): should nobody tell the
 * watchdog, it would end the machine.
 */
const WATCHDOG_S = 30;

/** /mnt/a is on a file, and /mnt/b on a file in /mnt/a: when the former is frozen, both hang. */
const DISKS = `set -e
for module in watchdog softdog loop; do insmod ${MODULES}/$module.ko; done
mkdir /mnt/a /mnt/b
truncate -s 8M /var/disk
mke2fs -F /var/disk > /dev/null
mount -o loop /var/disk /mnt/a
dd if=/dev/zero of=/mnt/a/disk bs=1M count=4 2> /dev/null
mke2fs -F /mnt/a/disk > /dev/null
mount -o loop /mnt/a/disk /mnt/b
sync
`;

const WRITER = {
  run: '#!/bin/sh\nwhile :; do echo more > /mnt/a/file; usleep 50000; done\n',
  'timeout-kill': '500\n',
  down: '',
};

const LATER_MS = 240_000;

t.test('a filesystem that is stuck', { skip: noModules ?? false }, async (t) => {
  const extraFiles = [
    ...serviceFiles({
      default: bundle('console'),
      beat: BEAT,
      victim: { run: IDLE },
      writer: WRITER,
    }),
    ...oracleFiles,
    ...moduleFiles('watchdog', 'softdog', 'loop'),
    { path: '/etc/svinit/disks.sh', content: DISKS },
  ];
  const append = `svinit.watchdog=${WATCHDOG_S}`;
  const machines = await Promise.all(
    RUNTIMES.map(async (runtime) => {
      const m = await start(t, runtime, { extraFiles, append });
      await m.sh('sh /etc/svinit/disks.sh');
      return { runtime, m };
    }),
  );
  for (const { runtime, m } of machines) {
    await t.test(`${runtime}: F7 a service that cannot be killed`, (t) => undying(t, m));
  }
  for (const { m } of machines) m.vm.send('poweroff');
  for (const { runtime, m } of machines) {
    await t.test(`${runtime}: F52 sync and unmount hang on the way down`, (t) => wentDown(t, m));
  }
});

/** It is killed and stays; everybody else goes on; and it is gone as soon as that is possible. */
async function undying(t: Test, m: Machine): Promise<void> {
  const was = await condition(m);
  await stuck(m);
  t.match(await m.run('svctl stop --timeout=2s writer'), { code: /[^0]/ }, 'who waits is answered');
  const { pid, state } = await m.service('writer');
  t.equal(state, 'stopping');
  // Bit 8 of the signals that wait is SIGKILL.
  await m.sh(
    within(`until grep -q '^S[hi][dg]Pnd:.*[13579bdf]..$' /proc/${pid}/status; do :; done`),
  );
  t.match(await m.sh(`cat /proc/${pid}/status`), /^State:\tD/m, 'killed, and still there');
  t.match(await m.run('svctl restart victim'), { code: 0 }, 'others stop and start');
  const moved = ['victim'];
  await expectOracle(t, m, was, { moved, failing: ['writer'] });
  await m.sh('fsfreeze --unfreeze /mnt/a');
  t.match(await m.run('svctl wait --timeout=1min writer:down'), { code: 0 }, 'then it is gone');
  await expectOracle(t, m, was, { moved });
  // Nothing is on its way then, or the next write might wait for it.
  await m.sh('sync');
  await stuck(m);
  await m.sh('echo more > /mnt/b/file');
}

/** The filesystem is frozen, and the writer waits for it. */
async function stuck(m: Machine): Promise<void> {
  await m.sh('fsfreeze --freeze /mnt/a; svctl start writer');
  const pid = pidsOf(await condition(m)).get('writer');
  await m.sh(within(`until grep -q '^State:.D' /proc/${pid}/status; do :; done`));
}

/** Every step of the way down has its time, and the watchdog waits for all of them. */
async function wentDown(t: Test, { vm }: Machine): Promise<void> {
  await vm.console.expect('reboot: Power down', LATER_MS);
  const { code, transcript } = await vm.ended;
  t.equal(code, 0);
  for (const line of [
    'going on without',
    'sync took too long, going on',
    'unmount /mnt/b took too long, going on',
    /still mounted: .*\/mnt\/a/,
  ]) {
    t.match(transcript, line);
  }
  t.notMatch(transcript, /Kernel panic|Initiating system reboot/);
}
