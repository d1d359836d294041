/**
 * systemd as PID 1 with nothing but our units: no journal, no default dependencies, and so less work
 * than on any machine. It needs a cgroup it may write in; without controllers, as all here.
 */
import { type Files, names, needs, type Peer, programOf, type Services } from '../peer.ts';

const UNITS = 'etc/systemd/system';

export const systemd: Peer = {
  name: 'systemd',
  root: 'peers',
  files,
  init: () => ['/usr/bin/sh', '/bench/begin'],
  env: { container: 'bench' },
  stop: ['/usr/bin/systemctl', 'stop', 'n*'],
  status: ['/usr/bin/systemctl', 'status', '--no-pager', 'NAME'],
  restart: ['/usr/bin/systemctl', 'restart', 'NAME'],
  readiness: false,
  waves: true,
  most: 5000,
};

/** The cgroup of this instance: the namespace was made with it as its root. */
const BEGIN = [
  '#!/bin/sh',
  'mount -t cgroup2 cgroup2 /sys/fs/cgroup',
  'exec /usr/lib/systemd/systemd --unit=bench.target --show-status=no',
  '',
].join('\n');

function files(services: Services): Files {
  const all: Record<string, string | { link: string }> = {
    'bench/begin': BEGIN,
    'etc/machine-id': '0123456789abcdef0123456789abcdef\n',
    [`${UNITS}/bench.target`]: '[Unit]\nDefaultDependencies=no\nAllowIsolate=yes\n',
  };
  const type = services.program === 'tick' ? 'simple' : 'notify';
  for (const [index, name] of names(services).entries()) {
    const needed = needs(services, index).map((need) => `${need}.service`);
    all[`${UNITS}/${name}.service`] = [
      '[Unit]',
      'DefaultDependencies=no',
      // All of them are restarted more often than five times in ten seconds.
      'StartLimitIntervalSec=0',
      ...(needed.length > 0 ? [`Requires=${needed.join(' ')}`, `After=${needed.join(' ')}`] : []),
      '[Service]',
      `Type=${type}`,
      `ExecStart=${programOf(services)}`,
      'Restart=always',
      'StandardOutput=null',
      'StandardError=null',
      '',
    ].join('\n');
    all[`${UNITS}/bench.target.wants/${name}.service`] = { link: `../${name}.service` };
  }
  return all;
}
