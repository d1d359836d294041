/**
 * runsvdir as PID 1, as in containers; a service has no logger. A need is a check in `run`, as
 * runit's own documentation has it: when one is not up, `run` fails and is tried again.
 */
import { eachIn, type Files, needs, type Peer, programOf, type Services } from '../peer.ts';

export const runit: Peer = {
  name: 'runit',
  root: 'peers',
  files: (services) =>
    eachIn('service', services, (_, index): Files => {
      const needed = needs(services, index).map((name) => `/service/${name}`);
      if (services.wave === undefined) return { run: { program: services.program } };
      return { run: script(services, needed), check: CHECK };
    }),
  init: () => ['/usr/bin/runsvdir', '/service'],
  stop: ['/usr/bin/sh', '-c', '/usr/bin/sv -w 30 down /service/*'],
  status: ['/usr/bin/sv', 'status', '/service/NAME'],
  restart: ['/usr/bin/sv', 'restart', '/service/NAME'],
  control: { fifo: '/service/n0000/supervise/control', text: 't' },
  readiness: false,
  waves: true,
  // MAXSERVICES of runsvdir.c.
  most: 1000,
};

/** Ready is what has left the file that `ready` makes. */
const CHECK = '#!/bin/sh\n[ -e ready ]\n';

function script(services: Services, needed: readonly string[]): string {
  const wait = needed.length === 0 ? '' : `/usr/bin/sv -w 30 check ${needed.join(' ')} || exit 1\n`;
  return `#!/bin/sh\nexec >/dev/null 2>&1\n${wait}exec ${programOf(services)} 3>ready\n`;
}
