/**
 * busybox init: a line of inittab a service. It has no command for a single service, and it takes
 * two lines with the same command for one.
 */
import { names, type Peer, programOf } from '../peer.ts';

export const busybox: Peer = {
  name: 'busybox init',
  root: 'peers',
  files: (services) => ({
    'etc/inittab': names(services)
      .map((name) => `::respawn:${programOf(services)} ${name}\n`)
      .join(''),
  }),
  init: () => ['/usr/bin/busybox', 'init'],
  // Power off: it tells everyone to end, waits a second, and kills.
  stop: ['/usr/bin/busybox', 'kill', '-USR2', '1'],
  readiness: false,
  waves: false,
  most: 5000,
};
