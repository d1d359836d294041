/**
 * s6-svscan as PID 1, as in s6-linux-init and s6-overlay; a service has no logger. A need is waited
 * for in `run` with s6-svwait, as without s6-rc it must be: it fails when the other is not there yet,
 * and is tried again.
 */
import { eachIn, type Files, needs, type Peer, programOf, type Services } from '../peer.ts';

export const s6: Peer = {
  name: 's6',
  root: 'peers',
  files: (services) =>
    eachIn('service', services, (_, index): Files => {
      const needed = needs(services, index).map((name) => `/service/${name}`);
      const run = needed.length > 0 ? script(services, needed) : { program: services.program };
      return { run, ...(services.program === 'tick' ? {} : { 'notification-fd': '3\n' }) };
    }),
  // Without -c it has at most 500.
  init: ({ count }) => ['/usr/bin/s6-svscan', '-c', String(Math.max(500, count)), '/service'],
  stop: ['/usr/bin/s6-svscanctl', '-t', '/service'],
  status: ['/usr/bin/s6-svstat', '/service/NAME'],
  restart: ['/usr/bin/s6-svc', '-r', '/service/NAME'],
  control: { fifo: '/service/n0000/supervise/control', text: 'r' },
  readiness: true,
  waves: true,
  most: 5000,
};

const script = (services: Services, needed: readonly string[]): string =>
  `#!/bin/sh\n/usr/bin/s6-svwait -U ${needed.join(' ')} || exit 1\nexec ${programOf(services)}\n`;
