/** Faults on the way down: what will not end, who asks twice, a storm of signals, a re-exec. */
import t, { type Test } from 'tap';
import { RUNTIMES, type Runtime } from '../../scripts/compile.ts';
import { longrun, needs, script } from '../supervisor/definitions.ts';
import { type Instance, until } from '../supervisor/instance.ts';
import { machine, sh } from './oracle.ts';

const SIGNALS = 50_000;

const DOWN = ['stop top', 'stop base'];

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F6 a service that was stopped by SIGSTOP`, async (t) => {
    const svinit = await machine(t, runtime);
    const { pid } = await svinit.service('top');
    await sh(svinit, `kill -STOP ${pid}`);
    await down(t, svinit);
  });

  t.test(`${runtime}: F26 ${SIGNALS} signals, then TERM`, async (t) => {
    const svinit = await machine(t, runtime);
    const storm = 'i=0; while [ $i -lt 12500 ]; do kill -CHLD 1; kill -HUP 1; i=$((i+1)); done';
    await sh(svinit, `(${storm}) & (${storm}) & wait`);
    t.match((await svinit.call('version'))?.result, { image: 1 }, 'the image has not changed');
    await down(t, svinit);
  });

  t.test(`${runtime}: F34 TERM in the middle of a re-exec`, async (t) => {
    const svinit = await machine(t, runtime);
    const peer = await svinit.dial();
    peer.write(`{"jsonrpc":"2.0","id":1,"method":"reexec","params":{}}\n`);
    svinit.signal('SIGTERM');
    // One that came while nobody listened is lost, as the documents say; who asks again is heard.
    const again = setInterval(() => svinit.signal('SIGTERM'), 1000);
    try {
      t.match(await svinit.end(), { code: 0 });
    } finally {
      clearInterval(again);
    }
    t.same(order(svinit), DOWN);
  });

  t.test(`${runtime}: F51 asked twice, and in the middle of the boot`, async (t) => {
    await duringBoot(t, runtime);
    const svinit = await machine(t, runtime, { slow: slowToStop });
    t.match(await svinit.svctl('poweroff'), { code: 0 });
    await svinit.console.expect('@ slow is asked');
    t.match(await svinit.svctl('poweroff'), { code: 0 }, 'once more: the same');
    t.match(await svinit.svctl('start', 'top'), { code: /^[1-9]$/ }, 'and nothing starts on it');
    await sh(svinit, 'echo >/tmp/end');
    t.match(await svinit.end(), { code: 0 });
    t.same(order(svinit), DOWN);
  });

  t.test(`${runtime}: F53 a container is stopped`, async (t) => {
    const deaf = { run: script("trap '' TERM; echo >&3; idle"), 'notification-fd': '3' };
    const svinit = await machine(t, runtime, { deaf: { ...deaf, 'timeout-kill': '500' } });
    await down(t, svinit);
    t.match(svinit.console.text(), /deaf/, 'who had to be killed is named');
  });
}

const slowToStop = {
  run: script(`
    mkfifo /tmp/end
    trap 'say slow is asked; read line </tmp/end; exit 0' TERM; echo >&3; idle
  `),
  'notification-fd': '3',
};

/** TERM, as a container engine sends it, ends everything in order. */
async function down(t: Test, svinit: Instance): Promise<void> {
  svinit.signal('SIGTERM');
  t.match(await svinit.end(), { code: 0 });
  t.match(order(svinit).at(-1), 'stop base', 'what is needed ends last');
}

/** A boot that is not over ends as any other does. */
async function duringBoot(t: Test, runtime: Runtime): Promise<void> {
  const never = { type: 'oneshot\n', up: script('say begun; idle') };
  const after = longrun('after', needs('never'));
  const svinit = await machine(t, runtime, { never, after }, { until: /@ begun/ });
  await until('base is up', async () => (await svinit.service('top')).state === 'up' || null);
  svinit.signal('SIGTERM');
  t.match(await svinit.end(), { code: 0 });
  t.same(order(svinit), DOWN, 'what had started stops in order');
  t.notOk(svinit.console.said().includes('start after'), 'and nothing else starts');
}

function order(svinit: Instance): string[] {
  return svinit.console.said().filter((line) => line.startsWith('stop '));
}
