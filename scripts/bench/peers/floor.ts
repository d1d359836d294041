/**
 * The floor: a C program as PID 1 that starts the services in a loop of vfork and execve, starts
 * again what ends, and does nothing else. Less work cannot start them on one processor.
 */
import { type Peer, programOf } from '../peer.ts';

export const floor: Peer = {
  name: 'floor',
  root: 'bun',
  files: () => ({}),
  init: (services) => [
    ...['/usr/lib/bench/meter', 'floor'],
    ...[String(services.count), programOf(services)],
  ],
  stop: ['/usr/bin/busybox', 'kill', '-USR2', '1'],
  readiness: false,
  waves: false,
  most: 5000,
};
