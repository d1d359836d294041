/**
 * The connections that are open: whole lines in, lines out, limits on everything. What the next
 * image needs to go on with them is noted whenever it changes. Who may do what is not known here.
 */
import type { Socket } from 'node:net';
import {
  CLIENTS_MAX,
  EXIT,
  encodeError,
  FRAME_BYTES_MAX,
  FRAME_WITHIN_MS,
  INVALID_REQUEST,
  PARSE_ERROR,
  type RpcError,
  refusal,
  UNSENT_BYTES_MAX,
} from '../core/protocol.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { letGo, wordsOf } from './let-go.ts';
import { descriptorOf, LineReader } from './lines.ts';

/** Who is at the other end. */
export type Peer = {
  /** Never given twice in the life of a pid. */
  readonly number: number;
  /** SO_PEERCRED at accept; -1, which may nothing, when it could not be had. */
  readonly uid: number;
  /** On the socket that is for looking. */
  readonly readOnly: boolean;
};

/** A connection as one image leaves it to the next. */
export type Passed = Peer & {
  readonly fd: Fd;
  /** What has come of the next line, in base64; null: something is half read or half sent. */
  readonly held: string | null;
};

export type ClientsPorts = {
  readonly kernel: Kernel;
  readonly now: () => number;
  readonly adopt: (fd: Fd) => Socket;
  readonly line: (peer: Peer, text: string) => void;
  readonly gone: (number: number) => void;
  readonly warn: (text: string) => void;
  /** Hears how the next image would find a connection, and with null of its end. */
  readonly note: (number: number, passed: Passed | null) => void;
};

type Client = Peer & {
  readonly socket: Socket;
  readonly lines: LineReader;
  /** When the line that is not complete yet began; null when there is none. */
  lineSince: number | null;
  /** What was noted last: nothing is half read or half sent. */
  isBetween: boolean;
};

export class Clients {
  readonly #ports: ClientsPorts;
  readonly #clients = new Map<number, Client>();
  #last = 0;
  #leaving = 0;
  /** Lines that wait for others to go out with, by client; null: each goes at once. */
  #waiting: Map<number, string[]> | null = null;

  constructor(ports: ClientsPorts) {
    this.#ports = ports;
  }

  has(number: number): boolean {
    return this.#clients.has(number);
  }

  /** Serves a new connection, unless there are enough. */
  admit(socket: Socket, uid: number, readOnly: boolean): void {
    const others = [...this.#clients.values()].filter((other) => other.readOnly === readOnly);
    if (others.length >= CLIENTS_MAX) {
      return this.turnAway(socket, refusal(EXIT.failed, `More than ${CLIENTS_MAX} clients`));
    }
    this.#last += 1;
    this.#serve(socket, { number: this.#last, uid, readOnly });
  }

  /** Goes on with a connection of the image before. Whether that was possible. */
  adopt(passed: Passed): boolean {
    const { fd, held, number } = passed;
    this.#last = Math.max(this.#last, number);
    const found = this.#look(passed);
    if (found === 'another') return false;
    if (held === null || found === 'unknown') {
      letGo(this.#ports.kernel, fd);
      return false;
    }
    const socket = this.#ports.adopt(fd);
    socket.on('error', () => socket.destroy());
    const client = this.#serve(socket, passed);
    if (held !== '') this.#received(client, Buffer.from(held, 'base64'));
    return true;
  }

  /** What the next image gets: as they are now, or as an image that dies would leave them. */
  passed(now: boolean): Passed[] {
    return [...this.#clients.values()].flatMap((client) => this.#passed(client, now) ?? []);
  }

  /** What `act` sends goes out in one piece for each client. */
  together(act: () => void): void {
    const waiting = new Map<number, string[]>();
    this.#waiting = waiting;
    try {
      act();
    } finally {
      this.#waiting = null;
      for (const [number, lines] of waiting) this.send(number, lines.join(''));
    }
  }

  send(number: number, line: string): void {
    const waiting = this.#waiting;
    if (waiting !== null) {
      const lines = waiting.get(number);
      if (lines === undefined) waiting.set(number, [line]);
      else lines.push(line);
      return;
    }
    const client = this.#clients.get(number);
    if (client === undefined || client.socket.destroyed) return;
    const { socket } = client;
    socket.write(line, () => this.#settle(client));
    // It asks and does not read: what it will never read is not kept for it.
    if (socket.writableLength > UNSENT_BYTES_MAX) socket.destroy();
    else this.#settle(client);
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

  /**
   * Says why and closes. What the client still sends is read and thrown away until it closes too,
   * or for some seconds: with bytes unread the kernel would reset the connection and the answer be
   * lost. So many may be leaving at once and no more.
   */
  turnAway(socket: Socket, error: RpcError): void {
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

  #serve(socket: Socket, { number, uid, readOnly }: Peer): Client {
    const lines = new LineReader(FRAME_BYTES_MAX);
    const peer = { number, uid, readOnly };
    const client: Client = { ...peer, socket, lines, lineSince: null, isBetween: true };
    this.#clients.set(number, client);
    socket.on('data', (bytes: Uint8Array) => this.#received(client, bytes));
    socket.on('close', () => {
      this.#forget(client);
      this.#ports.gone(number);
    });
    this.#hold(client);
    return client;
  }

  /** It outlives this image only once it is noted: a connection nobody knows of would be mute. */
  #hold(client: Client): void {
    const passed = this.#passed(client, false);
    if (passed === null) return;
    this.#ports.note(client.number, passed);
    try {
      this.#ports.kernel.setCloexec(passed.fd, false);
    } catch (error) {
      this.#ports.warn(wordsOf(error));
    }
  }

  #passed(client: Client, now: boolean): Passed | null {
    const fd = descriptorOf(client.socket);
    if (fd === null || client.socket.destroyed) return null;
    const { number, uid, readOnly, lines, socket } = client;
    const isSent = socket.writableLength === 0;
    const whole = now ? isSent : isSent && lines.isEmpty();
    return { number, uid, readOnly, fd, held: whole ? lines.held().toString('base64') : null };
  }

  /** Whether the descriptor still is what it was: after a death nothing is certain. */
  #look({ fd, uid }: Passed): 'same' | 'another' | 'unknown' {
    try {
      return this.#ports.kernel.peerCredentials(fd).uid === uid ? 'same' : 'another';
    } catch (error) {
      const code = error instanceof Error && 'code' in error ? error.code : null;
      return code === 'EBADF' || code === 'ENOTSOCK' ? 'another' : 'unknown';
    }
  }

  #settle(client: Client): void {
    const { socket, lines, number } = client;
    const isBetween = socket.writableLength === 0 && lines.isEmpty();
    if (isBetween === client.isBetween || !this.#clients.has(number)) return;
    client.isBetween = isBetween;
    const passed = this.#passed(client, false);
    if (passed !== null) this.#ports.note(number, passed);
  }

  #received(client: Client, bytes: Uint8Array): void {
    for (const line of client.lines.push(bytes)) {
      if (line === 'too long') {
        const text = `The line is longer than ${FRAME_BYTES_MAX} bytes`;
        return this.#end(client, INVALID_REQUEST, text);
      }
      if (line === 'not UTF-8') return this.#end(client, PARSE_ERROR, 'The line is not UTF-8');
      if (line.text !== '') this.#ports.line(client, line.text);
    }
    if (client.lines.isEmpty()) client.lineSince = null;
    else client.lineSince ??= this.#ports.now();
    this.#settle(client);
  }

  #end(client: Client, code: number, message: string): void {
    client.lineSince = null;
    this.#forget(client);
    client.socket.removeAllListeners('data');
    this.turnAway(client.socket, { code, message, data: { exit: EXIT.usage } });
  }

  #forget({ number }: Client): void {
    if (this.#clients.delete(number)) this.#ports.note(number, null);
  }
}
