/**
 * The two sockets: `control` for those who may change things, `status` for everyone to look. Lines
 * in, lines out, limits on everything; one bad client never takes the listener away.
 */
import { lstatSync, rmdirSync, unlinkSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { isReadOnly } from '../core/methods.ts';
import {
  CLIENTS_MAX,
  decodeLine,
  EXIT,
  encodeError,
  encodeNotification,
  encodeResult,
  FRAME_BYTES_MAX,
  FRAME_WITHIN_MS,
  INVALID_REQUEST,
  PARSE_ERROR,
  type RpcError,
  refusal,
  UNSENT_BYTES_MAX,
} from '../core/protocol.ts';
import type { Asker, SystemEvent } from '../core/system.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo, wordsOf } from './let-go.ts';
import { descriptorOf, LineReader } from './lines.ts';

export type ControlPorts = {
  readonly kernel: Kernel;
  readonly now: () => number;
  readonly post: (event: SystemEvent) => void;
  readonly warn: (text: string) => void;
};

type Client = {
  readonly number: number;
  readonly socket: Socket;
  readonly uid: number;
  readonly readOnly: boolean;
  readonly lines: LineReader;
  /** When the line that is not complete yet began; null when there is none. */
  lineSince: number | null;
};

/** Connections the kernel keeps for us while we are busy or being replaced. */
const BACKLOG = 128;

export class Control {
  readonly #ports: ControlPorts;
  readonly #clients = new Map<number, Client>();
  readonly #servers: { server: Server; fd: Fd; path: string }[] = [];
  #last = 0;
  #leaving = 0;

  constructor(ports: ControlPorts) {
    this.#ports = ports;
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
    this.#send(asker.client, encodeResult(asker.id, result));
  }

  refuse(asker: Asker, error: RpcError): void {
    this.#send(asker.client, encodeError(asker.id, error));
  }

  notify(client: number, method: string, params: unknown): void {
    this.#send(client, encodeNotification(method, params));
  }

  /** The descriptor behind a client, so that its answer can come from the next image. */
  descriptorOf(client: number): Fd | null {
    const socket = this.#clients.get(client)?.socket;
    return socket === undefined ? null : descriptorOf(socket);
  }

  /** Drops clients whose line has been incomplete for too long. Called from the reconcile tick. */
  expire(): void {
    const now = this.#ports.now();
    for (const client of this.#clients.values()) {
      if (client.lineSince !== null && now - client.lineSince >= FRAME_WITHIN_MS) {
        this.#end(client, PARSE_ERROR, `The line was not complete after ${FRAME_WITHIN_MS} ms`);
      }
    }
  }

  #accept(socket: Socket, readOnly: boolean): void {
    socket.on('error', () => socket.destroy());
    const uid = this.#uidOf(socket);
    const number = ++this.#last;
    const lines = new LineReader(FRAME_BYTES_MAX);
    const client: Client = { number, socket, uid, readOnly, lines, lineSince: null };
    if (!readOnly && uid !== 0 && uid !== this.#ports.kernel.geteuid()) {
      return this.#turnAway(socket, refusal(EXIT.permission, 'Only root may use this socket'));
    }
    const sameSocket = [...this.#clients.values()].filter((other) => other.readOnly === readOnly);
    if (sameSocket.length >= CLIENTS_MAX) {
      return this.#turnAway(socket, refusal(EXIT.failed, `More than ${CLIENTS_MAX} clients`));
    }
    this.#clients.set(number, client);
    socket.on('data', (bytes: Uint8Array) => this.#received(client, bytes));
    socket.on('close', () => {
      this.#clients.delete(number);
      this.#ports.post({ type: 'hangup', client: number });
    });
  }

  #serve(path: string, readOnly: boolean, fd: Fd): void {
    try {
      // Kept over every exec, so that nobody who connects meanwhile is turned away.
      this.#ports.kernel.setCloexec(fd, false);
    } catch (error) {
      letGo(this.#ports.kernel, fd);
      throw error;
    }
    const server = createServer((socket) => this.#accept(socket, readOnly));
    server.on('error', (error) => this.#ports.warn(`Cannot listen on ${path}: ${error.message}`));
    server.listen({ fd });
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

  #received(client: Client, bytes: Uint8Array): void {
    for (const line of client.lines.push(bytes)) {
      if (line === 'too long') {
        const text = `The line is longer than ${FRAME_BYTES_MAX} bytes`;
        return this.#end(client, INVALID_REQUEST, text);
      }
      if (line === 'not UTF-8') return this.#end(client, PARSE_ERROR, 'The line is not UTF-8');
      if (line.text !== '') this.#line(client, line.text);
    }
    if (client.lines.isEmpty()) client.lineSince = null;
    else client.lineSince ??= this.#ports.now();
  }

  #line(client: Client, text: string): void {
    const decoded = decodeLine(text);
    if (!decoded.ok) return this.#send(client.number, encodeError(decoded.id, decoded.error));
    const { id, request } = decoded;
    const asker: Asker = { client: client.number, id, uid: client.uid };
    if (client.readOnly && !isReadOnly(request.method)) {
      const hint = 'Use the control socket, as root';
      const error = refusal(
        EXIT.permission,
        `${request.method} changes things; this socket is for looking`,
        hint,
      );
      return this.refuse(asker, error);
    }
    this.#ports.post({ type: 'request', asker, request });
  }

  #send(number: number, line: string): void {
    const client = this.#clients.get(number);
    if (client === undefined || client.socket.destroyed) return;
    client.socket.write(line);
    // It asks and does not read: what it will never read is not kept for it.
    if (client.socket.writableLength > UNSENT_BYTES_MAX) client.socket.destroy();
  }

  #end(client: Client, code: number, message: string): void {
    client.lineSince = null;
    this.#clients.delete(client.number);
    client.socket.removeAllListeners('data');
    this.#turnAway(client.socket, { code, message, data: { exit: EXIT.usage } });
  }

  /**
   * Says why and closes. What the client still sends is read and thrown away until it closes too,
   * or for some seconds: with bytes unread the kernel would reset the connection and the answer be
   * lost. So many may be leaving at once and no more.
   */
  #turnAway(socket: Socket, error: RpcError): void {
    if (this.#leaving >= CLIENTS_MAX) {
      socket.destroy();
      return;
    }
    this.#leaving += 1;
    const over = setTimeout(() => socket.destroy(), FRAME_WITHIN_MS);
    socket.once('close', () => {
      this.#leaving -= 1;
      clearTimeout(over);
    });
    socket.resume();
    socket.end(encodeError(null, error));
  }
}
