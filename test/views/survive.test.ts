/**
 * Views outlive re-execs and deaths of svinit, and their own: clients that wait are not disturbed,
 * moments are kept. A client that writes nonsense, or for ever, harms nobody.
 */
import { closeSync, constants, openSync, readFileSync, writeSync } from 'node:fs';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { script } from '../supervisor/definitions.ts';
import { until } from '../supervisor/instance.ts';
import { idle, SKIP, type Viewed, viewed } from './clients.ts';

const ready = idle({
  run: script("trap 'exit 0' TERM; echo >&3; idle"),
  'notification-fd': '3\n',
});

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: svinit becomes another image, or dies`, { skip: SKIP }, async (t) => {
    const v = await viewed(t, runtime, { ready, late: { ...ready, down: '' } });
    await v.statIs('ready', /ready/);
    const status = (): string => readFileSync(`${v.s6('ready')}/supervise/status`, 'hex');
    const before = status();
    const pid = (await v.svinit.service('views')).pid;
    const ear = v.listen('late');

    t.match((await v.svinit.call('reexec'))?.result, { image: 2 });
    t.match(await v.client('s6-svc', '-wU', '-T20000', '-u', 'late'), { code: 0, stderr: '' });
    await v.svinit.svctl('call', 'fault', '{"kind":"exit"}');
    await until('it died and goes on', async () => {
      const version = (await v.svinit.call('version'))?.result as { image: number } | undefined;
      return version?.image === 3 || null;
    });
    t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'late'), { code: 0, stderr: '' });
    t.equal(await ear.hear('uUdD'), 'uUdD', 'each event came once');
    ear.close();
    t.equal(status(), before, 'what did not move is shown as it was');
    t.equal((await v.svinit.service('views')).pid, pid, 'views is the same process');
  });
}

t.test('bun: svviews is killed', { skip: SKIP }, async (t) => {
  const v = await viewed(t, 'bun', { ready, paused: idle() });
  await v.statIs('ready', /ready/);
  t.match(await v.client('s6-svc', '-p', 'paused'), { code: 0 });
  await v.statIs('paused', /paused$/);
  const status = (name: string): string => readFileSync(`${v.s6(name)}/supervise/status`, 'hex');
  const before = [status('ready'), status('paused')];
  t.match(await v.svinit.svctl('call', 'signal', '{"names":["views"],"signal":9}'), { code: 0 });
  await until('views is back', async () => {
    const { state, restarts } = await v.svinit.service('views');
    return (state === 'up' && restarts > 0) || null;
  });
  t.same([status('ready'), status('paused')], before, 'the moments and the pause are still known');
  t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'ready'), { code: 0, stderr: '' });
});

t.test('bun: a client writes nonsense, and as much as it can', { skip: SKIP }, async (t) => {
  const v = await viewed(t, 'bun', { flooded: idle(), other: ready });
  await v.statIs('other', /ready/);
  for (const path of [v.s6('flooded'), v.runit('flooded')]) {
    const fd = openSync(`${path}/supervise/control`, constants.O_WRONLY | constants.O_NONBLOCK);
    flood(fd, Buffer.from(Array.from({ length: 4096 }, (_, i) => (i * 7) % 256)).filter(isNoise));
    flood(fd, Buffer.from('uc'.repeat(2048)));
    closeSync(fd);
  }
  const began = await v.svinit.service('flooded');
  t.match(await v.client('s6-svc', '-wR', '-T20000', '-r', 'other'), { code: 0, stderr: '' });
  t.match(await v.client('s6-svc', '-wD', '-T20000', '-d', 'other'), { code: 0, stderr: '' });
  t.match(
    await v.svinit.service('flooded'),
    { state: 'up', pid: began.pid },
    'it was not disturbed',
  );
  t.equal((await v.svinit.service('views')).restarts, 0, 'and neither was svviews');
  await letters(v);
});

/** What no supervisor knows. */
const isNoise = (byte: number): boolean => !/[a-zA-Z0-9]/.test(String.fromCharCode(byte));

/** Writes `bytes` again and again until the FIFO is full. */
function flood(fd: number, bytes: Uint8Array): void {
  try {
    for (let i = 0; i < 64; i += 1) writeSync(fd, bytes);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
  }
}

/** The flood is worked off in the end, and what is asked then is done. */
async function letters(v: Viewed): Promise<void> {
  await v.client('s6-svc', '-wD', '-T20000', '-d', 'flooded');
  await v.statIs('flooded', /^down/);
}
