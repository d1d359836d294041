/** The runtimes themselves: limit.ts as PID 1. What svinit takes beyond it is svinit's own. */
import { type Peer, programOf } from '../peer.ts';

export const limitBun: Peer = limit('limit (Bun)', ['/usr/lib/bench/limit-bun']);
export const limitNode: Peer = limit('limit (Node)', [
  ...['/usr/bin/node', '--disable-warning=ExperimentalWarning', '--max-old-space-size=128'],
  ...['--max-semi-space-size=2', '/usr/lib/bench/limit.mjs'],
]);

function limit(name: string, program: readonly string[]): Peer {
  return {
    name,
    root: 'peers',
    files: () => ({}),
    init: (services) => [...program, String(services.count), programOf(services)],
    status: program,
    once: true,
    readiness: false,
    waves: false,
    most: 5000,
  };
}
