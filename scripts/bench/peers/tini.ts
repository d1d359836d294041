/** tini as PID 1 of one program: no supervisor, but it takes orphans. */
import { type Peer, programOf } from '../peer.ts';

export const tini: Peer = {
  name: 'tini',
  root: 'peers',
  files: () => ({}),
  init: (services) => ['/usr/bin/tini', '--', programOf(services)],
  once: true,
  readiness: false,
  waves: false,
  most: 1,
};
