/**
 * Instructions until services are up, as the processor counts them, of PID 1 and all it starts: what
 * else the machine does is not in them, so that they say more than times do when it is busy.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { KIND, Life } from './life.ts';
import type { Samples } from './measure.ts';
import type { Peer, Services } from './peer.ts';
import { stage } from './roots.ts';

/** Until perf is attached, as it does not say. */
const ATTACHED_MS = 700;

/** @throws {Error} where there is no perf, or the machine does not let it count. */
export async function work(peer: Peer, count: number): Promise<Samples> {
  const services: Services = { count, program: peer.readiness ? 'tick-ready' : 'tick' };
  const staged = stage(peer, `${peer.name.replaceAll(/[^\w-]/g, '_')}-work`, peer.files(services));
  const life = await Life.held(staged, peer.init(services), peer.env);
  try {
    const perf = countOf(life.pid);
    await sleep(ATTACHED_MS);
    life.go();
    await life.stamped(peer.readiness ? KIND.ready : KIND.started, count);
    return { [`work/${count}`]: [(await perf.end()) / 1e6] };
  } finally {
    await life.end();
  }
}

function countOf(pid: number): { end(): Promise<number> } {
  const events = 'instructions:u,instructions:k';
  const perf = spawn('perf', ['stat', '-x', ',', '-e', events, '-p', String(pid)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  let told = '';
  perf.stderr.on('data', (data: Buffer) => {
    told += data.toString();
  });
  const ended = once(perf, 'close').catch(() => {});
  return {
    end: async () => {
      perf.kill('SIGINT');
      await ended;
      const counts = [...told.matchAll(/^(\d+),[^,]*,instructions/gm)].map(([, n]) => Number(n));
      if (counts.length !== 2) throw new Error('Instructions cannot be counted here with perf');
      return counts.reduce((sum, n) => sum + n, 0);
    },
  };
}
