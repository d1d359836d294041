/** Services that say of themselves what they are about (sd_notify(3)). */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, script } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { start, until } from './instance.ts';

/** Says what is written into a FIFO, line by line. */
const talking = {
  run: script('exec 3<>/tmp/say; while read line <&3; do svnotify "$line"; done'),
  'service.json': JSON.stringify({ ready: 'notify', start: { timeout: '2min' } }),
  down: '',
};
const hanging = {
  run: script('svnotify --ready WATCHDOG=1; echo $WATCHDOG_USEC; idle'),
  'service.json': JSON.stringify({ ready: 'notify', watchdog: '300ms' }),
  down: '',
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a service is up when it says so`, async (t) => {
    const services = { base: longrun('base'), talking, hanging };
    const svinit = await start(t, { runtime, services, until: /@ start base/ });
    await svinit.run(['mkfifo', '/tmp/say']);
    // Once, so that their FIFOs are there whenever descriptors are counted.
    await svinit.svctl('start', '--no-wait', 'talking', 'hanging');
    await svinit.svctl('stop', 'talking', 'hanging');
    const before = await health(svinit);
    const say = (text: string) => svinit.run(['sh', '-c', `echo '${text}' > /tmp/say`]);
    const seen = async (name: string) => (await svinit.services()).get(name);

    await svinit.svctl('start', '--no-wait', 'talking');
    await say('STATUS=reading');
    await until('its words are known', async () => {
      const view = await seen('talking');
      return (view?.note === 'reading' && view.state === 'starting') || null;
    });
    t.match(await svinit.call('reexec'), { result: { image: 2 } }, 'the socket goes along');
    const waiting = svinit.svctl('wait', 'talking');
    await say('READY=1');
    t.match(await waiting, { code: 0 });
    await say('NONSENSE=1');
    await say('STATUS=');
    await until('it is silent', async () => (await seen('talking'))?.note === '' || null);
    t.match(await svinit.svctl('stop', 'talking'), { code: 0 });

    const alone = await svinit.run([
      'sh',
      '-c',
      'NOTIFY_SOCKET=/run/svinit/notify svnotify --ready',
    ]);
    t.equal(alone.code, 0, 'who is of no service is heard, and not believed');

    await svinit.svctl('start', 'hanging');
    await until('the one without a sign of life is killed and started again', async () => {
      const view = await seen('hanging');
      return (view?.lastExit === 'killed by ABRT' && view.state === 'up') || null;
    });
    await svinit.svctl('stop', 'hanging');
    await expectHealth(t, svinit, { ...before, image: 2 }, 'nothing is left of it');
  });
}

const other = {
  run: script('sleep 1000000 & svnotify --ready --pid=$!; say main $!; wait; idle'),
  'service.json': JSON.stringify({ ready: 'notify' }),
  down: '',
};

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a main process that is nobody's child of ours`, async (t) => {
    const services = { base: longrun('base'), other };
    const svinit = await start(t, { runtime, services, until: /@ start base/ });
    t.match(await svinit.svctl('start', 'other'), { code: 0 });
    await svinit.console.expect(/@ main \d+/);
    const { pid } = await svinit.service('other');
    t.match(svinit.console.text(), `@ main ${pid}`);
    process.kill(svinit.pid, 'SIGSEGV');
    await svinit.console.expect(/goes on as image 2/);
    t.match(await svinit.service('other'), { pid, state: 'up', restarts: 0 }, 'it is recognised');
    await svinit.run(['kill', '-9', String(pid)]);
    await until('its end is seen', async () => {
      const view = await svinit.service('other');
      return (view.restarts === 1 && view.state === 'up' && view.pid !== pid) || null;
    });
    t.match(await svinit.svctl('stop', 'other'), { code: 0 });
  });
}
