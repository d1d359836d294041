/** s6-svscan as PID 1, as in s6-linux-init and s6-overlay; a service has no logger. */
import { eachIn, type Peer } from '../peer.ts';

export const s6: Peer = {
  name: 's6',
  root: 'peers',
  files: (services) =>
    eachIn('service', services, () => ({
      run: { program: services.program },
      ...(services.program === 'tick' ? {} : { 'notification-fd': '3\n' }),
    })),
  // Without -c it has at most 500.
  init: ({ count }) => ['/usr/bin/s6-svscan', '-c', String(Math.max(500, count)), '/service'],
  stop: ['/usr/bin/s6-svscanctl', '-t', '/service'],
  status: ['/usr/bin/s6-svstat', '/service/NAME'],
  restart: ['/usr/bin/s6-svc', '-r', '/service/NAME'],
  readiness: true,
  waves: false,
  most: 5000,
};
