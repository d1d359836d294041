/** An act of the nemesis: clients that come, say half of something, and die. */
import type { Peer } from '../../test/supervisor/peer.ts';
import { pause, type Stage, someTime } from './stage.ts';

/** Svinit serves 64 at a time: the rest of the soak has to get through. */
const PEERS_MAX = 16;
const ROUNDS_MAX = 30;

/** Some tens of clients, one after the other; some stay, and the oldest of those leave. */
export async function clients(stage: Stage): Promise<string> {
  const { random, peers, svinit } = stage;
  const count = 5 + random.below(ROUNDS_MAX);
  let refused = 0;
  for (let i = 0; i < count; i += 1) {
    try {
      const peer = await svinit.dial('control', random.chance(0.2));
      const manner = random.pick(Object.keys(MANNERS) as (keyof typeof MANNERS)[]);
      await MANNERS[manner](peer, stage);
      if (random.chance(0.2)) peers.push(peer);
      else await peer.close();
    } catch {
      refused += 1;
    }
  }
  while (peers.length > PEERS_MAX) await peers.shift()?.close();
  return `${count} clients, ${refused} refused, ${peers.length} stay`;
}

const MANNERS = {
  silent: async () => {},
  asking: async (peer) => peer.write(`${request('ls', {})}\n`),
  flooding: async (peer) => peer.write(`${request('version', {})}\n`.repeat(200)),
  half: async (peer, { random }) => {
    const whole = request('status', { names: ['*'] });
    peer.write(whole.slice(0, 1 + random.below(whole.length - 1)));
  },
  slow: async (peer, stage) => {
    for (const piece of request('version', {}).match(/.{1,9}/g) ?? []) {
      peer.write(piece);
      await pause(someTime(stage, 0, 5));
    }
  },
  waiting: async (peer) => {
    peer.write(`${request('wait', { conditions: [{ name: 'i0', goal: 'down' }] })}\n`);
  },
  garbage: async (peer, { random }) => {
    peer.write(Uint8Array.from({ length: 1 + random.below(4000) }, () => random.below(256)));
    peer.write('\n');
  },
} as const satisfies Readonly<Record<string, (peer: Peer, stage: Stage) => Promise<void>>>;

const request = (method: string, params: unknown): string =>
  JSON.stringify({ jsonrpc: '2.0', id: 1, method, params });
