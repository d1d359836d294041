/**
 * What a service is handed besides its output: its sockets, and behind them what it has left, from
 * descriptor 3 on, told by the variables of sd_listen_fds(3); LISTEN_PID is set by its chain.
 */
import type { Spec } from '../core/spec.ts';
import type { FileAction } from '../sys/spawn.ts';
import type { FdStore } from './fd-store.ts';
import type { Listeners } from './listeners.ts';

export type HandedPorts = {
  readonly listeners: Pick<Listeners, 'forStart'>;
  readonly store: Pick<FdStore, 'forStart'>;
};

export type Handed = {
  readonly files: readonly FileAction[];
  readonly env: Readonly<Record<string, string>>;
};

/** SD_LISTEN_FDS_START of sd-daemon.h. */
const FIRST = 3;
export const NOTHING: Handed = { files: [], env: {} };

/** @throws {Error} when a socket cannot be opened. */
export function handedTo(spec: Spec, { listeners, store }: HandedPorts): Handed {
  if (spec.sockets === undefined && spec.fdStoreMax === undefined) return NOTHING;
  const sockets = listeners.forStart(spec);
  const left = store.forStart(spec.name);
  const fds = [...sockets, ...left];
  if (fds.length === 0) return NOTHING;
  const names = [...(spec.sockets ?? []).map(({ name }) => name), ...left.map(({ name }) => name)];
  return {
    files: fds.map(({ fd }, index) => ({ fd: FIRST + index, dup: fd })),
    env: { LISTEN_FDS: String(fds.length), LISTEN_FDNAMES: names.join(':') },
  };
}
