/** pm2 of npm as PID 1, as `pm2-runtime` in containers; the services are no scripts of Node. */
import { names, type Peer, programOf } from '../peer.ts';

const PM2 = '/usr/lib/pm2/node_modules/pm2/bin';

const command = (...words: readonly string[]): readonly string[] => [
  ...['/usr/bin/busybox', 'env', 'PM2_HOME=/run/pm2', '/usr/bin/node', `${PM2}/pm2`],
  ...words,
];

export const pm2: Peer = {
  name: 'pm2',
  root: 'peers',
  files: (services) => ({
    'etc/pm2.json': JSON.stringify({
      apps: names(services).map((name) => ({
        name,
        script: programOf(services),
        interpreter: 'none',
        out_file: '/dev/null',
        error_file: '/dev/null',
        min_uptime: 0,
        max_restarts: 1_000_000,
      })),
    }),
  }),
  init: () => ['/usr/bin/node', `${PM2}/pm2-runtime`, 'start', '/etc/pm2.json'],
  env: { PM2_HOME: '/run/pm2' },
  stop: command('stop', 'all'),
  status: command('describe', 'NAME'),
  restart: command('restart', 'NAME'),
  readiness: false,
  waves: false,
  most: 1000,
  slow: true,
};
