/** Clients that take more than their share lose their connection, and nobody else does. */
import { once } from 'node:events';
import t from 'tap';
import { RUNTIMES } from '../../scripts/compile.ts';
import { longrun } from './definitions.ts';
import { expectHealth, health } from './health.ts';
import { start } from './instance.ts';
import type { Peer } from './peer.ts';

const CLIENTS_MAX = 64;
const LS = `${JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ls' })}\n`;

for (const runtime of RUNTIMES) {
  t.test(`${runtime}: F15 C2 C22 more clients than are served`, async (t) => {
    const svinit = await start(t, { runtime, services: { a: longrun('a') } });
    const before = await health(svinit);
    const peers: Peer[] = [];
    for (let i = 0; i < CLIENTS_MAX; i += 1) {
      const peer = await svinit.dial();
      t.match(await peer.ask('version'), { result: { image: 1 } });
      peers.push(peer);
    }
    for (let i = 0; i < 6; i += 1) {
      const peer = await svinit.dial();
      peer.write(LS);
      t.match(await peer.reply(), {
        id: null,
        error: { message: /64 clients/, data: { exit: 1 } },
      });
      await peer.closed();
    }
    const other = await svinit.dial('status');
    t.match(await other.ask('version'), { result: { image: 1 } }, 'the other socket has its own');
    await other.close();
    t.match(await peers[0]?.ask('version'), { result: { image: 1 } }, 'the first is served on');
    for (const peer of peers) await peer.close();
    await expectHealth(t, svinit, before);

    // All at once, and gone before they can have been served.
    const many = await Promise.all(Array.from({ length: 100 }, () => svinit.dial()));
    for (const peer of many) peer.write(LS);
    await Promise.all(many.map((peer) => peer.close()));
    await expectHealth(t, svinit, before);
  });

  t.test(`${runtime}: F17 C2 one that asks and does not read`, async (t) => {
    const svinit = await start(t, { runtime, services: { a: longrun('a') } });
    const before = await health(svinit);
    const deaf = await svinit.dial('control', true);
    const other = await svinit.dial();
    // Whether there is room or not: the socket keeps what the kernel does not take.
    for (let i = 0; i < 100; i += 1) {
      deaf.write(LS.repeat(1000));
      await other.ask('version');
    }
    await deaf.closed();
    t.match(await other.ask('version'), { result: { image: 1 } }, 'others are served on');
    await other.close();
    await expectHealth(t, svinit, before);
  });

  t.test(`${runtime}: F17 connections that end in the middle`, async (t) => {
    const svinit = await start(t, { runtime, services: { a: longrun('a', { down: '' }) } });
    const before = await health(svinit);
    for (let i = 0; i < 50; i += 1) {
      const peer = await svinit.dial('control', i % 2 === 0);
      peer.write(i % 3 === 0 ? LS.slice(0, 20) : LS.repeat(500));
      if (i % 5 === 0) {
        peer.socket.end();
        await once(peer.socket, 'finish');
      }
      await peer.close();
    }
    // Somebody waits for what will never be, and leaves.
    const waiting = await svinit.dial();
    const answer = waiting.ask('wait', { conditions: [{ name: 'a', goal: 'up' }] });
    await svinit.call('version');
    await waiting.close();
    t.equal(await answer, null);
    await expectHealth(t, svinit, before);
  });

  t.test(`${runtime}: F15 lines that are never completed`, async (t) => {
    const svinit = await start(t, { runtime, services: { a: longrun('a') } });
    const before = await health(svinit);
    const half = await Promise.all([svinit.dial(), svinit.dial('status'), svinit.dial()]);
    half[0]?.write('{"jsonrpc":');
    half[1]?.write('{');
    // Byte by byte, so that there is always something new.
    const drip = setInterval(() => half[2]?.write(' '), 200);
    const silent = await svinit.dial();
    for (const peer of half) {
      t.match(await peer.reply(), { id: null, error: { message: /not complete/ } });
      await peer.closed();
    }
    clearInterval(drip);
    t.match(await silent.ask('version'), { result: { image: 1 } }, 'who says nothing may stay');
    await silent.close();
    await expectHealth(t, svinit, before);
  });

  t.test(`${runtime}: a re-exec with clients in all states`, async (t) => {
    const svinit = await start(t, { runtime, services: { a: longrun('a') } });
    const before = await health(svinit);
    const half = await svinit.dial();
    half.write('{"jsonrpc":');
    const deaf = await svinit.dial('control', true);
    deaf.write(LS.repeat(100));
    const idle = await svinit.dial('status');
    await idle.ask('version');
    t.match(await svinit.call('reexec'), { result: { image: 2 } });
    half.write('"2.0","id":7,"method":"version"}\n');
    t.match(await half.reply(), { id: 7, result: { image: 2 } }, 'a line goes on where it was');
    t.match(await idle.ask('version'), { result: { image: 2 } }, 'a connection goes on');
    for (const peer of [half, idle, deaf]) await peer.close();
    await expectHealth(t, svinit, { ...before, image: 2 });
  });
}
