/**
 * Sockets that are opened for services before they run (systemd.socket(5)), kept while they
 * restart, and closed when they are not to run any more. A connection to one of a lazy service is
 * posted. What is listened at is closed and opened by looking at what is wanted, never by orders.
 */
import { chownSync, lstatSync, readFileSync, unlinkSync } from 'node:fs';
import { hasSockets, isListening } from '../core/lazy.ts';
import { parseSocketAddress } from '../core/socket-address.ts';
import type { Spec } from '../core/spec.ts';
import type { SocketSpec } from '../core/spec-sockets.ts';
import type { System, SystemEvent } from '../core/system.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { SysError } from '../sys/libc.ts';
import type { Holding, Holdings } from './holdings.ts';
import { letGo, wordsOf } from './let-go.ts';
import type { Watch } from './watch.ts';

export type ListenerPorts = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly holdings: Holdings;
  readonly watch: Watch;
  readonly post: (event: SystemEvent) => void;
  readonly warn: (text: string) => void;
};

export class Listeners {
  readonly #ports: ListenerPorts;
  /** Sockets of lazy services at rest. */
  readonly #watched = new Set<Fd>();
  /** Why sockets of a service could not be opened, so that it is told once. */
  readonly #troubles = new Map<string, string>();

  constructor(ports: ListenerPorts) {
    this.#ports = ports;
  }

  /** Of every service, as after a scan: those that have sockets, or shall have. */
  lookAtAll(): void {
    const { system, holdings } = this.#ports;
    const names = [...system.units].flatMap(([name, { spec }]) =>
      spec.sockets === undefined ? [] : [name],
    );
    this.look(new Set([...names, ...holdings.services()]));
  }

  /** Opens, closes and watches what is not as it should be. */
  look(names: Iterable<string>): void {
    const { system } = this.#ports;
    // Nothing moves in safe mode.
    if (system.options.safe) return;
    for (const name of names) {
      const unit = system.units.get(name);
      if (unit === undefined || !hasSockets(system, name, unit)) this.#close(name, []);
      else this.#prepare(name, unit.spec);
    }
  }

  /**
   * The sockets of a service that starts, in the order of its definition.
   * @throws {SysError} of the first that cannot be opened, with its address and the call.
   */
  forStart(spec: Spec): readonly Holding[] {
    const { kernel } = this.#ports;
    const open = this.#open(spec);
    for (const { fd } of open) {
      this.#unwatch(fd);
      // Whatever the service before made of it: each start finds it the same.
      kernel.setBlocking(fd);
    }
    return open;
  }

  #prepare(name: string, spec: Spec): void {
    const isLazy = isListening(this.#ports.system, name);
    try {
      for (const { fd } of this.#open(spec)) isLazy ? this.#watch(name, fd) : this.#unwatch(fd);
      this.#troubles.delete(name);
    } catch (error) {
      const reason = wordsOf(error);
      // Its start fails for the same reason, and is tried again.
      if (isLazy) return this.#ports.post({ type: 'called', name, cause: reason });
      if (this.#troubles.get(name) !== reason) this.#ports.warn(`${name}: ${reason}`);
      this.#troubles.set(name, reason);
    }
  }

  #open(spec: Spec): readonly Holding[] {
    const { holdings } = this.#ports;
    const { name: service, sockets = [] } = spec;
    const keys = sockets.map(keyOf);
    this.#close(service, keys);
    return sockets.map((socket, index) => {
      const key = keys[index] ?? '';
      const known = holdings.of(service).find((holding) => holding.socket === key);
      if (known !== undefined) return known;
      const fd = this.#bind(socket, spec);
      const name = socket.listen.startsWith('/') ? fileAt(socket.listen) : '';
      return holdings.take({ service, fd, socket: key, name, isPolled: false });
    });
  }

  /** All sockets of `service` but those. */
  #close(service: string, kept: readonly string[]): void {
    const { holdings } = this.#ports;
    for (const holding of holdings.of(service)) {
      if (holding.socket === null || kept.includes(holding.socket)) continue;
      this.#unwatch(holding.fd);
      holdings.letGo(holding);
      const { listen = '' } = JSON.parse(holding.socket) as Partial<SocketSpec>;
      // Whatever else is there now is somebody else's.
      if (holding.name !== '' && fileAt(listen) === holding.name) remove(listen);
    }
  }

  #bind(socket: SocketSpec, { root }: Spec): Fd {
    const { kernel } = this.#ports;
    const { listen } = socket;
    const address = parseSocketAddress(listen);
    if (typeof address === 'string') throw new TypeError(`Cannot listen: ${listen} ${address}`);
    const isFile = listen.startsWith('/');
    // Its file would be one of the initramfs, where nobody of the root looks.
    if (isFile && root !== undefined) {
      throw new Error(`Cannot listen on ${listen}: it is a file of the root, use '@' or a port`);
    }
    const owner = isFile ? ownerOf(socket) : null;
    try {
      return owned(kernel, kernel.listenAt(address, socket), listen, owner);
    } catch (error) {
      if (!isFile || !(error instanceof SysError) || error.code !== 'EADDRINUSE') throw error;
      if (!removeDead(kernel, listen)) throw error;
      return owned(kernel, kernel.listenAt(address, socket), listen, owner);
    }
  }

  #watch(name: string, fd: Fd): void {
    if (this.#watched.has(fd)) return;
    this.#watched.add(fd);
    this.#ports.watch.add(fd, () => {
      // Once: from now on it is the service's, until it is at rest again.
      this.#unwatch(fd);
      this.#ports.post({ type: 'called', name, cause: `a connection to ${this.#placeOf(fd)}` });
    });
  }

  #unwatch(fd: Fd): void {
    if (this.#watched.delete(fd)) this.#ports.watch.release(fd);
  }

  #placeOf(fd: Fd): string {
    const holding = this.#ports.holdings.held().find((held) => held.fd === fd);
    const { listen = '' } = JSON.parse(holding?.socket ?? '{}') as Partial<SocketSpec>;
    return listen;
  }
}

/** What makes it another socket: all but its name. */
function keyOf({ name: _, ...socket }: SocketSpec): string {
  return JSON.stringify(Object.fromEntries(Object.entries(socket).sort()));
}

type Owner = { readonly uid: number; readonly gid: number };

/** What cannot be given to its owner is not left for others: the file goes. */
function owned(kernel: Kernel, fd: Fd, path: string, owner: Owner | null): Fd {
  if (owner === null) return fd;
  try {
    chownSync(path, owner.uid, owner.gid);
    return fd;
  } catch (error) {
    letGo(kernel, fd);
    unlinkSync(path);
    throw new Error(`Cannot listen on ${path}: chown failed with ${wordsOf(error)}`);
  }
}

/** Null: it stays ours. A user alone brings no group along (systemd.socket(5), SocketUser=). */
function ownerOf({ listen, user, group }: SocketSpec): Owner | null {
  if (user === undefined && group === undefined) return null;
  return {
    uid: user === undefined ? -1 : numberOf(listen, '/etc/passwd', user),
    gid: group === undefined ? -1 : numberOf(listen, '/etc/group', group),
  };
}

/** A number, or that of a name in passwd(5) or group(5). */
function numberOf(listen: string, file: string, account: string): number {
  if (/^[0-9]+$/.test(account)) return Number(account);
  const line = readFileSync(file, 'utf8')
    .split('\n')
    .find((text) => text.startsWith(`${account}:`));
  const number = Number.parseInt(line?.split(':')[2] ?? '', 10);
  if (number >= 0) return number;
  throw new Error(`Cannot listen on ${listen}: ${account} is not in ${file}`);
}

/** Removes a socket that nobody listens at: what is left of an owner that has gone. */
function removeDead(kernel: Kernel, path: string): boolean {
  try {
    if (!lstatSync(path).isSocket()) return false;
    letGo(kernel, kernel.connectUnix(path, 'stream'));
    return false;
  } catch (error) {
    if (!(error instanceof SysError) || error.code !== 'ECONNREFUSED') return false;
  }
  return remove(path);
}

function remove(path: string): boolean {
  try {
    unlinkSync(path);
    return true;
  } catch {
    return false;
  }
}

/** Device and inode of the socket file at `path`; empty when there is none. */
function fileAt(path: string): string {
  const found = lstatSync(path, { throwIfNoEntry: false });
  return found?.isSocket() === true ? `${found.dev}:${found.ino}` : '';
}
