/**
 * Who is measured: those that Debian packages and npm has, and that could be fetched; and who is
 * not, and why.
 */
import { existsSync } from 'node:fs';
import type { Peer } from './peer.ts';
import { busybox } from './peers/busybox.ts';
import { floor } from './peers/floor.ts';
import { limitBun, limitNode } from './peers/limit.ts';
import { pm2 } from './peers/pm2.ts';
import { runit } from './peers/runit.ts';
import { s6 } from './peers/s6.ts';
import { supervisord } from './peers/supervisord.ts';
import { bun, node } from './peers/svinit.ts';
import { systemd } from './peers/systemd.ts';
import { tini } from './peers/tini.ts';

/** Whether they are here or not. */
export const ALL: readonly Peer[] = [
  ...[floor, limitBun, limitNode, bun, node],
  ...[s6, runit, busybox, systemd, supervisord, pm2, tini],
];

const NEEDED: Readonly<Record<string, string>> = {
  'limit (Bun)': 'build/bench/peers',
  'limit (Node)': 'build/bench/peers/usr',
  s6: 'build/bench/peers/usr/bin/s6-svscan',
  runit: 'build/bench/peers/usr/bin/runsvdir',
  'busybox init': 'build/bench/peers/usr/bin/busybox',
  systemd: 'build/bench/peers/usr/lib/systemd/systemd',
  supervisord: 'build/bench/peers/usr/bin/supervisord',
  pm2: 'build/bench/pm2/node_modules/pm2/bin/pm2-runtime',
  tini: 'build/bench/peers/usr/bin/tini',
};

export const PEERS: readonly Peer[] = ALL.filter(({ name }) => existsSync(NEEDED[name] ?? '/'));

/** Who is not measured, and why. */
export function absent(): Record<string, string> {
  const lost = ALL.filter((peer) => !PEERS.includes(peer));
  return {
    's6-rc': 'not in Debian 12',
    dinit: 'not in Debian 12',
    's6-linux-init': 'not in Debian 12; s6-svscan is what it runs as PID 1',
    journald: 'it stores more than lines, and only for systemd',
    ...Object.fromEntries(lost.map(({ name }) => [name, 'its package could not be fetched'])),
  };
}
