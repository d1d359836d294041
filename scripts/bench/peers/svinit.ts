/**
 * svinit, on Bun and on Node: a directory a service, each with a log of its own, as it is by
 * default.
 */
import type { Runtime } from '../../compile.ts';
import { eachIn, type File, type Files, needs, type Peer, type Services } from '../peer.ts';

export const bun: Peer = svinit('bun');
export const node: Peer = svinit('node');

function svinit(root: Runtime): Peer {
  return {
    name: `svinit (${root === 'bun' ? 'Bun' : 'Node'})`,
    root,
    files,
    init: () => ['/usr/bin/svinit'],
    stop: ['/usr/bin/svctl', 'stop', 'n*'],
    status: ['/usr/bin/svctl', 'status', 'NAME'],
    restart: ['/usr/bin/svctl', 'restart', 'NAME'],
    readiness: true,
    waves: true,
    most: 5000,
    talk: {
      socket: '/run/svinit/control',
      line: '{"jsonrpc":"2.0","id":1,"method":"status","params":{"names":["n0000"]}}',
    },
  };
}

function files(services: Services): Files {
  return eachIn('etc/svinit/services', services, (_, index) => {
    const all: Record<string, File> = { run: { program: services.program } };
    if (services.program !== 'tick') all['notification-fd'] = '3\n';
    for (const need of needs(services, index)) all[`dependencies.d/${need}`] = '';
    return all;
  });
}
