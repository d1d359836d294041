/** Who watches hears of everything that moves, whatever becomes of svinit meanwhile. */
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { start } from './instance.ts';
import type { Peer } from './peer.ts';

const services = { alpha: longrun('alpha'), beta: longrun('beta') };
const ID = 77;

/** Reads until `name` is told to be `state`. @throws {Error} when the connection ends first. */
async function heard(peer: Peer, name: string, state: string): Promise<void> {
  for (;;) {
    const line = await peer.line();
    if (line === null) throw new Error(`Nobody told that ${name} is ${state}`);
    const { method, params } = JSON.parse(line);
    if (method === 'revived' && !params.pending.includes(ID)) throw new Error('It was forgotten');
    if (method !== 'progress' || params.id !== ID) continue;
    if (params.name === name && params.state === state) return;
  }
}

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: watching, over a re-exec and a death`, async (t) => {
    const svinit = await start(t, { runtime, services });
    const before = await health(svinit);
    const peer = await svinit.dial('status');
    peer.write(`${JSON.stringify({ jsonrpc: '2.0', id: ID, method: 'watch' })}\n`);
    t.match(await peer.ask('version'), { result: { image: 1 } }, 'it is noted by then');
    await svinit.svctl('stop', 'alpha');
    await heard(peer, 'alpha', 'down');
    await svinit.svctl('reexec');
    await svinit.svctl('start', 'alpha');
    await heard(peer, 'alpha', 'up');
    process.kill(svinit.pid, 'SIGSEGV');
    await svinit.console.expect(/goes on as image 3/);
    await svinit.svctl('stop', 'beta');
    await heard(peer, 'beta', 'down');
    await svinit.svctl('start', 'beta');
    await heard(peer, 'beta', 'up');
    await peer.close();
    await expectHealth(t, svinit, { ...before, image: 3 });
  });
}
