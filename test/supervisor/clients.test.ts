/** Connections outlive the image of svinit that accepted them, and so do open requests. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun, script } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { type Instance, start } from './instance.ts';
import type { Peer } from './peer.ts';

/** Becomes ready when somebody says so, and that once. */
const slow = {
  run: script('[ -p /tmp/go ] || mkfifo /tmp/go; read line </tmp/go; echo >&3; idle'),
  'notification-fd': '3\n',
  down: '',
};
const READY = '{"jsonrpc":"2.0","id":"w","method":"wait","params":{"conditions":';

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: a re-exec: connections and open requests go on`, async (t) => {
    const svinit = await begin(t, runtime);
    const before = await health(svinit);
    t.match(await svinit.svctl('start', '--no-wait', 'slow'), { code: 0 });
    const waiting = await svinit.dial('status');
    waiting.write(`${READY}[{"name":"slow","goal":"ready"}]}}\n`);
    const late = await svinit.dial();
    late.write(`${READY}[{"name":"base","goal":"down"}],"timeoutMs":1500}}\n`);
    const gone = await svinit.dial();
    gone.write(`${READY}[{"name":"slow","goal":"done"}]}}\n`);
    await accepted(svinit, waiting, late, gone);

    for (const image of [2, 3]) t.match((await svinit.call('reexec'))?.result, { image });
    await gone.close();
    t.match(await late.reply(), { id: 'w', error: { data: { exit: 5 } } }, 'its time is up');
    t.match(await late.ask('version'), { result: { image: 3 } });
    await svinit.run(['sh', '-c', 'echo >/tmp/go']);
    t.match(await waiting.reply(), { id: 'w', result: { services: [{ name: 'slow' }] } });
    for (const peer of [waiting, late]) await peer.close();
    await expectHealth(t, svinit, { ...before, image: 3 }, 'nothing is left of them');
  });

  t.test(`${runtime}: a death: connections between two messages go on`, async (t) => {
    const svinit = await begin(t, runtime);
    const before = await health(svinit);
    t.match(await svinit.svctl('start', '--no-wait', 'slow'), { code: 0 });
    const [idle, waiting, half] = [
      await svinit.dial(),
      await svinit.dial('status'),
      await svinit.dial(),
    ];
    waiting.write(`${READY}[{"name":"slow","goal":"ready"}]}}\n`);
    half.write('{"jsonrpc":');
    await accepted(svinit, idle, waiting);

    // It connects while svinit dies.
    const svctl = svinit.svctl('wait', 'slow');
    const killer = await svinit.dial();
    killer.write('{"jsonrpc":"2.0","id":"f","method":"fault","params":{"kind":"abort"}}\n');
    await svinit.console.expect(/goes on as image 2/);
    t.same(await revived(idle), { image: 2, pending: [] });
    t.same(await revived(waiting), { image: 2, pending: ['w'] });
    t.equal(await half.reply(), null, 'half a line: nobody knows how it began');
    await svinit.run(['sh', '-c', 'echo >/tmp/go']);
    t.match(await waiting.reply(), { id: 'w', result: { services: [{ name: 'slow' }] } });
    t.match(await idle.ask('version'), { result: { image: 2 } });
    t.match(await svctl, { code: 0 }, 'and new ones are served');
    for (const peer of [idle, waiting, half, killer]) await peer.close();
    await expectHealth(t, svinit, { ...before, image: 2 }, 'nothing is left of them');
  });
}

type Test = Parameters<typeof start>[0];

async function begin(t: Test, runtime: (typeof RUNTIMES)[number]): Promise<Instance> {
  const services = { base: longrun('base'), slow };
  const svinit = await start(t, { runtime, services, args: ['--testing'], until: /@ start base/ });
  // Once, so that its FIFO is there whenever descriptors are counted.
  await svinit.svctl('start', '--no-wait', 'slow');
  await svinit.svctl('stop', 'slow');
  return svinit;
}

/** What each has sent has been read: it is answered something that comes after it. */
async function accepted(svinit: Instance, ...peers: readonly Peer[]): Promise<void> {
  for (const peer of peers) await peer.ask('version');
  await svinit.call('version');
}

/** What a client is told after a death. */
async function revived(peer: Peer): Promise<unknown> {
  for (;;) {
    const line = await peer.line();
    if (line === null) return null;
    const { method, params } = JSON.parse(line);
    if (method === 'revived') return params;
  }
}
