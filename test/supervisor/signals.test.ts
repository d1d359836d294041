/** What signals to PID 1 mean, and that the others mean nothing. */
import { rmSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, needs, script, writeDefinitions } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start, until } from './instance.ts';
import type { Peer } from './peer.ts';

const three = {
  base: longrun('base'),
  middle: longrun('middle', needs('base')),
  top: longrun('top', needs('middle')),
};

/** By number, as in asm-generic/signal.h: TERM and INT end it, these give a fresh image. */
const ENDING = [2, 15];
const FATAL = [4, 5, 6, 7, 8, 11, 14, 31];
const REEXEC = 12;
const HARMLESS = Array.from({ length: 31 }, (_, i) => i + 1).filter(
  (number) => ![...ENDING, ...FATAL, REEXEC].includes(number),
);

/** Fewer than make a crash loop. */
const FATAL_AT_ONCE = 4;

for (const runtime of RUNTIMES) {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    t.test(`${runtime}: ${signal} stops all in reverse order`, async (t) => {
      const svinit = await start(t, { runtime, services: three });
      svinit.signal(signal);
      t.same(await svinit.end(), { code: 0, signal: null });
      t.same(svinit.console.said(), [
        ...['start base', 'start middle', 'start top'],
        ...['stop top', 'stop middle', 'stop base'],
      ]);
    });
  }

  t.test(`${runtime}: SIGHUP reads the definitions again`, async (t) => {
    // While the boot has not settled nothing else looks at the directories.
    const held = { type: 'oneshot\n', up: script('say waiting; idle') };
    const svinit = await start(t, { runtime, services: { held }, until: /^@ waiting$/m });
    writeDefinitions(svinit.path('/run/svinit/services'), { added: longrun('added') });
    t.notOk((await svinit.services()).has('added'), 'nobody has looked yet');
    svinit.signal('SIGHUP');
    await svinit.console.expect('@ start added');
    t.match(await svinit.service('held'), { state: 'starting', restarts: 0 });
  });

  t.test(`${runtime}: F19 SIGUSR1 makes sockets that were deleted again`, async (t) => {
    const svinit = await start(t, { runtime, services: three });
    const before = await health(svinit);
    const old = await svinit.dial();
    // Served, that is: what is only in the backlog goes with the socket.
    await old.ask('version');
    const control = svinit.path('/run/svinit/control');
    rmSync(control);
    rmSync(svinit.path('/run/svinit/status'));
    await t.rejects(svinit.dial(), { code: 'ENOENT' });
    svinit.signal('SIGUSR1');
    // One after the other: a connection to the first is not to be forgotten while there is no second.
    const dialled = [await dialAgain(svinit, 'control'), await dialAgain(svinit, 'status')];
    for (const peer of [...dialled, old]) {
      t.match((await peer.ask('version'))?.result, { image: 1 }, 'old and new ones are served');
      await peer.close();
    }
    await expectHealth(t, svinit, before);
  });

  t.test(`${runtime}: SIGUSR2 replaces the image`, async (t) => {
    const svinit = await start(t, { runtime, services: three });
    const pids = await pidsOf(svinit);
    for (const image of [2, 3]) {
      svinit.signal('SIGUSR2');
      await reaches(svinit, image);
    }
    t.same(await pidsOf(svinit), pids, 'all processes are the same');
    t.same(svinit.console.said().length, 3, 'and were not started again');
    svinit.signal('SIGTERM');
    await svinit.end();
    t.same(svinit.console.said().slice(3), ['stop top', 'stop middle', 'stop base']);
  });

  t.test(`${runtime}: F25 F28 C19 no other signal does anything`, async (t) => {
    const svinit = await start(t, { runtime, services: three });
    const pids = await pidsOf(svinit);
    for (const number of HARMLESS) {
      await kill(svinit, number);
      t.equal(await imageOf(svinit), 1, `signal ${number} changes nothing`);
    }
    t.same(await pidsOf(svinit), pids, 'all processes are the same');
    t.same(svinit.console.said().length, 3, 'nothing was started or stopped');
  });

  for (const signals of [FATAL.slice(0, FATAL_AT_ONCE), FATAL.slice(FATAL_AT_ONCE)]) {
    t.test(`${runtime}: F25 signals ${signals} are survived by a fresh image`, async (t) => {
      const svinit = await start(t, { runtime, services: three });
      const pids = await pidsOf(svinit);
      for (const [i, number] of signals.entries()) {
        await kill(svinit, number);
        await reaches(svinit, i + 2);
        t.same(await pidsOf(svinit), pids, `after signal ${number} all processes are the same`);
      }
      t.same(svinit.console.said().length, 3, 'nothing was started or stopped');
      svinit.signal('SIGTERM');
      t.match(await svinit.end(), { code: 0 });
      t.same(svinit.console.said().slice(3), ['stop top', 'stop middle', 'stop base']);
    });
  }
}

function dialAgain(svinit: Instance, socket: 'control' | 'status'): Promise<Peer> {
  return until(`${socket} is there`, () => svinit.dial(socket).catch(() => null));
}

/** Sends a signal to PID 1 from inside. */
async function kill(svinit: Instance, number: number): Promise<void> {
  const { code, stderr } = await svinit.run(['/usr/bin/busybox', 'kill', `-${number}`, '1']);
  if (code !== 0) throw new Error(`Cannot send signal ${number}: ${stderr}`);
}

/** Waits for `image`, and with it no other: what svinit itself says is in the error. */
async function reaches(svinit: Instance, image: number): Promise<void> {
  try {
    await until(`image ${image} answers`, async () => (await imageOf(svinit)) === image || null);
  } catch (error) {
    throw new Error(`${error}:\n${svinit.log('svinit').join('\n')}`);
  }
}

/** Which image it is that answers, as soon as one does. */
function imageOf(svinit: Instance): Promise<number> {
  return until('svinit answers', async () => {
    try {
      const reply = await svinit.call('version');
      return (reply?.result as { image: number } | undefined)?.image ?? null;
    } catch {
      // The sockets are being made anew (USR1).
      return null;
    }
  });
}

async function pidsOf(svinit: Instance): Promise<Record<string, number | null>> {
  const services = await svinit.services();
  return Object.fromEntries([...services].map(([name, { pid }]) => [name, pid]));
}
