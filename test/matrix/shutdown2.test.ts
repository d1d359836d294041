/** The way down while it is under way, and before: what blocks it, who is given up, another time. */
import t, { type Test } from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import type { Results } from '../../src/core/methods.ts';
import { longrun, script } from '../supervisor/definitions.ts';
import { type Instance, until } from '../supervisor/instance.ts';
import { machine } from './oracle.ts';

/** Does not end by itself, and is never killed by itself. */
const stuck = {
  run: script("trap 'say stuck is asked' TERM; echo >&3; while :; do idle; done"),
  'notification-fd': '3',
  'timeout-kill': '0',
  dependencies: 'under',
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: what blocks the way down is named, and let go`, async (t) => {
    const svinit = await machine(t, runtime, { under: longrun('under'), stuck });
    const { pid } = await svinit.service('stuck');
    t.match(await svinit.svctl('shutdown', 'skip', 'stuck'), {
      code: 1,
      stderr: /nothing is going/,
    });
    t.match(await svinit.svctl('poweroff'), { code: 0 });
    await svinit.console.expect('@ stuck is asked');
    const { waitingFor } = await blockers(svinit);
    const held = waitingFor.find(({ name }) => name === 'under');
    t.match(held, { state: 'up', heldBy: ['stuck'] });
    const blocker = waitingFor.find(({ name }) => name === 'stuck');
    t.match(blocker, { state: 'stopping', pid, killInMs: null, heldBy: [] });
    const status = await svinit.svctl('shutdown');
    t.match(status.stdout, /^going down: poweroff by uid \d+; /);
    t.match(
      status.stdout,
      new RegExp(`^ {2}stuck: stopping for .*, pid ${pid}, is not killed`, 'm'),
    );
    t.match(status.stdout, /^ {2}under: pid \d+, stops after stuck$/m);
    await svinit.console.expect(
      /svinit: exit waits for stuck \(pid \d+, stopping for [^\n]+more\n/,
    );
    t.match(await svinit.svctl('shutdown', 'skip', 'under'), {
      code: 1,
      stderr: /not told to stop yet: stuck must stop first\n {2}svctl shutdown skip stuck/,
    });
    t.match(await svinit.svctl('shutdown', 'skip', 'stuck'), { code: 0 });
    t.match(await svinit.end(), { code: 0 });
    t.ok(svinit.console.said().includes('stop under'), 'what it held has stopped in order');
  });

  t.test(`${runtime}: a way down that is to begin later survives re-execs`, async (t) => {
    const svinit = await machine(t, runtime, {}, { args: ['--testing'] });
    t.match(await svinit.svctl('reboot', '--in', '10m', '--message', 'first'), { code: 0 });
    await svinit.console.expect('This container ends in 10 min: first');
    t.match(await svinit.svctl('shutdown', 'cancel'), { code: 0, stdout: /^cancelled: / });
    await svinit.console.expect(/does not go down: cancelled/);
    t.match(await svinit.svctl('shutdown', 'cancel'), { code: 0, stdout: /^nothing was/ });

    await svinit.svctl('poweroff', '--in', '10m', '--message', 'second');
    t.match(await svinit.svctl('reexec'), { code: 0 });
    const text = /^scheduled: exit in .* \(poweroff by uid \d+\): second$/m;
    t.match((await svinit.svctl('version')).stdout, text);
    t.match((await svinit.svctl('status')).stdout, text);
    t.match((await svinit.svctl('shutdown', 'status')).stdout, text);
    await revived(t, svinit);
    t.match((await svinit.svctl('version')).stdout, text, 'and a death');

    await svinit.svctl('poweroff', '--in', '1s', '--message', 'third');
    await svinit.console.expect('This container ends now: third');
    t.match(await svinit.end(), { code: 0 });
    t.same(
      svinit.console.said().filter((line) => line.startsWith('stop ')),
      ['stop top', 'stop base'],
    );
  });
}

async function blockers(svinit: Instance): Promise<Results['shutdown']> {
  const reply = await svinit.call('shutdown');
  return reply?.result as Results['shutdown'];
}

/** This image dies, and the next one goes on. */
async function revived(t: Test, svinit: Instance): Promise<void> {
  await svinit.call('fault', { kind: 'abort' });
  const image = await until('the next image answers', async () => {
    const reply = await svinit.call('version').catch(() => null);
    const found = (reply?.result as Results['version'] | undefined)?.image;
    return found === 3 ? found : null;
  });
  t.equal(image, 3);
}
