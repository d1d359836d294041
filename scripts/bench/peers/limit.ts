/**
 * The runtimes themselves: limit.ts as PID 1, with the settings that svinit gives its own runtime.
 * What svinit takes beyond it is svinit's own.
 */

import { readFileSync } from 'node:fs';
import { stage0Environment } from '../../../src/core/environment.ts';
import { type Peer, programOf, type Services } from '../peer.ts';

export const limitBun: Peer = limit('limit (Bun)', ['/usr/lib/bench/limit-bun']);
export const limitNode: Peer = limit('limit (Node)', ['/usr/lib/bench/limit-node']);

function limit(name: string, program: readonly string[]): Peer {
  return {
    name,
    root: 'peers',
    files: () => ({}),
    init: (services) => [
      ...[...program, String(services.count), programOf(services), how(services)],
      ...[...program, 'wait'],
    ],
    env: settings(),
    stop: [...program, 'ask', 'stop'],
    status: [...program, 'ask', 'status'],
    bare: program,
    restart: [...program, 'ask', 'restart'],
    readiness: false,
    waves: true,
    most: 5000,
    talk: { socket: '/bench/limit', line: '"status"' },
  };
}

const how = ({ wave, program }: Services): string =>
  wave === undefined ? (program === 'tick' ? 'bare' : 'full') : String(wave);

/** What stage 0 sets for the runtime, and nothing else of it. */
function settings(): Record<string, string> {
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const all = stage0Environment({}, { machine: true, cwd: '/', meminfo });
  const pairs = all.map((pair) => [pair.slice(0, pair.indexOf('=')), pair] as const);
  const own = pairs.filter(([key]) => /^(BUN_JSC_|MIMALLOC_)/.test(key));
  return Object.fromEntries(own.map(([key, pair]) => [key, pair.slice(key.length + 1)]));
}
