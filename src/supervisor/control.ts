/**
 * The two sockets: `control` for those who may change things, `status` for everyone to look. One
 * bad client never takes the listener away.
 */
import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { isReadOnly } from '../core/methods.ts';
import {
  decodeLine,
  EXIT,
  encodeError,
  encodeNotification,
  encodeResult,
  type RpcError,
  refusal,
} from '../core/protocol.ts';
import type { Asker, SystemEvent } from '../core/system.ts';
import type { Fd } from '../core/units.ts';
import { Clients, type ClientsPorts, type Peer } from './clients.ts';
import { letGo, wordsOf } from './let-go.ts';
import { descriptorOf } from './lines.ts';

export type ControlPorts = Omit<ClientsPorts, 'line' | 'gone'> & {
  readonly post: (event: SystemEvent) => void;
};

/** Connections the kernel keeps for us while we are busy or being replaced. */
const BACKLOG = 128;

/** For the pipes of services that start, and for reading definitions; half to say no with. */
const DESCRIPTORS_KEPT = 24;

export class Control {
  readonly #ports: ControlPorts;
  readonly #clients: Clients;
  readonly #servers: { server: Server; fd: Fd; path: string }[] = [];

  constructor(ports: ControlPorts) {
    this.#ports = ports;
    this.#clients = new Clients({
      ...ports,
      line: (peer, text) => this.#line(peer, text),
      gone: (client) => ports.post({ type: 'hangup', client }),
    });
  }

  get clients(): Clients {
    return this.#clients;
  }

  /**
   * Binds a socket at `path`, or goes on with `inherited`, bound by the image before.
   * @throws {Error} when another svinit answers there, {SysError} when it cannot be bound.
   */
  listen(path: string, readOnly: boolean, inherited: Fd | null): void {
    if (inherited !== null) return this.#serve(path, readOnly, inherited);
    if (this.#answers(path)) {
      throw new Error(`Cannot listen on ${path}: another svinit answers there`);
    }
    this.bind(path, readOnly);
  }

  serves(path: string): boolean {
    return this.#servers.some((server) => server.path === path);
  }

  /** The listening descriptors by path, for the next image. */
  listeners(): readonly { readonly fd: Fd; readonly path: string }[] {
    return this.#servers.map(({ fd, path }) => ({ fd, path }));
  }

  /** Closes the sockets; who is connected stays so. */
  close(): void {
    for (const { server } of this.#servers.splice(0)) server.close();
  }

  /**
   * Whatever is in the way, left by the last svinit or put there by others, is removed.
   * @throws {SysError} when it cannot be bound.
   */
  bind(path: string, readOnly: boolean): void {
    const found = lstatSync(path, { throwIfNoEntry: false });
    if (found?.isDirectory()) rmdirSync(path);
    else if (found !== undefined) unlinkSync(path);
    const mode = readOnly ? 0o666 : 0o600;
    this.#serve(path, readOnly, this.#ports.kernel.listenUnix(path, mode, BACKLOG));
  }

  reply(asker: Asker, result: unknown): void {
    this.#clients.send(asker.client, encodeResult(asker.id, result));
  }

  refuse(asker: Asker, error: RpcError): void {
    this.#clients.send(asker.client, encodeError(asker.id, error));
  }

  notify(client: number, method: string, params: unknown): void {
    this.#clients.send(client, encodeNotification(method, params));
  }

  #accept(socket: Socket, readOnly: boolean): void {
    socket.on('error', () => socket.destroy());
    const left = this.#descriptorsLeft(socket);
    if (left < DESCRIPTORS_KEPT / 2) return void socket.destroy();
    if (left < DESCRIPTORS_KEPT) {
      const hint = 'Close other connections, then ask again';
      const error = refusal(EXIT.failed, 'The last descriptors are kept for services', hint);
      return this.#clients.turnAway(socket, error);
    }
    const uid = this.#uidOf(socket);
    if (!readOnly && uid !== 0 && uid !== this.#ports.kernel.geteuid()) {
      const error = refusal(EXIT.permission, 'Only root may use this socket');
      return this.#clients.turnAway(socket, error);
    }
    this.#clients.admit(socket, uid, readOnly);
  }

  #serve(path: string, readOnly: boolean, fd: Fd): void {
    const server = createServer((socket) => this.#accept(socket, readOnly));
    server.on('error', (error) => this.#ports.warn(`Cannot listen on ${path}: ${error.message}`));
    server.listen({ fd });
    try {
      // Kept over every exec, so that nobody who connects meanwhile is turned away. Bun's listening
      // makes it close-on-exec, so this comes after.
      this.#ports.kernel.setCloexec(fd, false);
    } catch (error) {
      server.close();
      throw error;
    }
    this.#servers.push({ server, fd, path });
  }

  #answers(path: string): boolean {
    try {
      letGo(this.#ports.kernel, this.#ports.kernel.connectUnix(path, 'stream'));
      return true;
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      // Its backlog is full: it is there, and busy.
      if (code === 'EAGAIN') return true;
      if (code !== 'ENOENT' && code !== 'ECONNREFUSED') this.#ports.warn(wordsOf(error));
      return false;
    }
  }

  /**
   * How many may be opened after this connection. Clients are welcome to descriptors that services
   * do not need; the lowest free number is given, so a high one tells that few are left.
   */
  #descriptorsLeft(socket: Socket): number {
    const fd = descriptorOf(socket);
    try {
      return this.#ports.kernel.getNofile(0).soft - (fd ?? 0);
    } catch (error) {
      this.#ports.warn(wordsOf(error));
      return DESCRIPTORS_KEPT;
    }
  }

  /** SO_PEERCRED at accept; -1, which may nothing, when it cannot be had. */
  #uidOf(socket: Socket): number {
    const fd = descriptorOf(socket);
    try {
      return fd === null ? -1 : this.#ports.kernel.peerCredentials(fd).uid;
    } catch (error) {
      this.#ports.warn(String(error));
      return -1;
    }
  }

  #line(peer: Peer, text: string): void {
    const { number: client, uid, readOnly } = peer;
    const decoded = decodeLine(text);
    if (!decoded.ok) return this.#clients.send(client, encodeError(decoded.id, decoded.error));
    const { id, request } = decoded;
    const asker: Asker = { client, id, uid };
    if (readOnly && !isReadOnly(request.method)) {
      const hint = 'Use the control socket, as root';
      const why = `${request.method} changes things; this socket is for looking`;
      return this.refuse(asker, refusal(EXIT.permission, why, hint));
    }
    this.#ports.post({ type: 'request', asker, request });
  }
}
