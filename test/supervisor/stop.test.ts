/** How svinit ends as PID 1 of a container: the order, the exit code, and what will not end. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { type Definitions, longrun, needs, oneshot, script } from './definitions.ts';
import { start } from './instance.ts';

const helper: Definitions = { helper: longrun('helper') };

/** Definitions of a main service and one that it needs. */
const withMain = (text: string): Definitions => ({
  ...helper,
  app: { run: script(text), ...needs('helper') },
});

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: --main NAME`, async (t) => {
    const args = ['--main', 'app'];
    await t.test('its exit code is passed on when it ends', async (t) => {
      const services = withMain('say start app; exit 5');
      const svinit = await start(t, { runtime, services, args, until: /@ start app/ });
      t.same(await svinit.end(), { code: 5, signal: null });
      t.same(svinit.console.said(), ['start helper', 'start app', 'stop helper']);
    });
    await t.test('also when it is stopped by TERM', async (t) => {
      const services = withMain("trap 'say stop app; exit 7' TERM; say start app; idle");
      const svinit = await start(t, { runtime, services, args });
      await svinit.console.expect('@ start app');
      svinit.signal('SIGTERM');
      t.same(await svinit.end(), { code: 7, signal: null });
      t.same(svinit.console.said().slice(2), ['stop app', 'stop helper']);
    });
    await t.test('a signal is 128 more', async (t) => {
      const services = withMain('say start app; kill -9 $$');
      const svinit = await start(t, { runtime, services, args, until: /@ start app/ });
      t.same(await svinit.end(), { code: 128 + 9, signal: null });
    });
    await t.test('it survives a re-exec', async (t) => {
      const services = withMain("trap 'exit 9' TERM; say start app; idle");
      const svinit = await start(t, { runtime, services, args });
      await svinit.console.expect('@ start app');
      t.match(await svinit.svctl('reexec'), { code: 0 });
      svinit.signal('SIGTERM');
      t.same(await svinit.end(), { code: 9, signal: null });
    });
  });

  t.test(`${runtime}: -- COMMAND`, async (t) => {
    const text = 'svctl wait helper; echo "@ $0 $1 in $PWD" >>/proc/1/fd/2; exit 6';
    const args = ['--', 'sh', '-c', text, 'a b', 'c'];
    const svinit = await start(t, { runtime, services: helper, args, until: /@ a b/ });
    t.same(await svinit.end(), { code: 6, signal: null });
    t.same(svinit.console.said(), ['start helper', 'a b c in /', 'stop helper']);
  });

  t.test(`${runtime}: a command that cannot be run`, async (t) => {
    for (const [command, code] of [
      ['no-such-program', 127],
      ['/etc/no-such-program', 127],
      ['/etc/passwd', 126],
    ] as const) {
      const args = ['--', command];
      const svinit = await start(t, { runtime, services: helper, args, until: /Cannot start/ });
      t.match(await svinit.end(), { code }, `${command} gives ${code}`);
    }
  });

  t.test(`${runtime}: svctl poweroff`, async (t) => {
    const services = { ...helper, once: oneshot('once', needs('helper')) };
    const svinit = await start(t, { runtime, services });
    t.match(await svinit.svctl('poweroff'), { code: 0 });
    t.same(await svinit.end(), { code: 0, signal: null });
    t.same(svinit.console.said(), ['start helper', 'up once', 'down once', 'stop helper']);
  });

  t.test(`${runtime}: what does not stop is killed`, async (t) => {
    const deaf = script("trap '' TERM; say start deaf; idle");
    const services = {
      deaf: { run: deaf, 'timeout-kill': '200\n' },
      below: longrun('below', { 'dependencies.d/deaf': '' }),
    };
    const svinit = await start(t, { runtime, services });
    await svinit.console.expect('@ start below');
    // Not a service, and not a child of one: what is left over when all services are down.
    await svinit.run(['sh', '-c', '(trap "" TERM; sleep 1000000 & wait; wait) >/dev/null 2>&1 &']);
    svinit.signal('SIGTERM');
    t.same(await svinit.end(), { code: 0, signal: null });
    t.same(svinit.console.said().slice(2), ['stop below']);
    t.match(svinit.console.text(), /killing \d+ that did not end/);
  });
}
