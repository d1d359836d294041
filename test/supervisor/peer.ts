/**
 * A client of svinit's sockets that may send anything, in any pieces, and need not read. It knows
 * lines and JSON, not what they mean.
 */
import { connect, type Socket } from 'node:net';
import { WITHIN_MS } from './transcript.ts';

/** A reply as it came: one of `result` and `error` is there. */
export type Reply = {
  readonly id: string | number | null;
  readonly result?: unknown;
  readonly error?: {
    readonly code: number;
    readonly message: string;
    readonly data: { readonly exit: number; readonly hint?: string };
  };
};

export class Peer {
  readonly socket: Socket;
  readonly #lines: string[] = [];
  readonly #waiting: ((line: string | null) => void)[] = [];
  #rest = '';
  #ids = 0;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.once('close', () => {
      for (const give of this.#waiting.splice(0)) give(null);
    });
    // `close` follows.
    socket.on('error', () => {});
  }

  /** Connects; rejects with the error of connect(2). With `deaf` it never reads. */
  static dial(path: string, deaf = false): Promise<Peer> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path, allowHalfOpen: true });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        const peer = new Peer(socket);
        if (!deaf) peer.#listen();
        resolve(peer);
      });
    });
  }

  write(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** The next line, or null when the connection was closed before there was one. */
  line(): Promise<string | null> {
    const line = this.#lines.shift();
    if (line !== undefined) return Promise.resolve(line);
    if (this.socket.closed) return Promise.resolve(null);
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('Nothing was answered')), WITHIN_MS);
      this.#waiting.push((answer) => {
        clearTimeout(timer);
        resolve(answer);
      });
    });
  }

  /** The next line that is an answer; null as for `line`. */
  async reply(): Promise<Reply | null> {
    for (;;) {
      const line = await this.line();
      if (line === null) return null;
      const value: unknown = JSON.parse(line);
      if (isReply(value)) return value;
    }
  }

  /** Sends one request and gives the next answer. */
  ask(method: string, params: unknown = {}): Promise<Reply | null> {
    this.#ids += 1;
    this.write(`${JSON.stringify({ jsonrpc: '2.0', id: this.#ids, method, params })}\n`);
    return this.reply();
  }

  /** Waits until the connection is closed, whatever the reason. */
  closed(): Promise<void> {
    if (this.socket.closed) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error('It was not closed')), WITHIN_MS);
      this.socket.once('close', () => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  /** Closes the connection at once. */
  async close(): Promise<void> {
    this.socket.destroy();
    await this.closed();
  }

  #listen(): void {
    this.socket.setEncoding('utf8');
    this.socket.on('data', (text) => {
      const lines = `${this.#rest}${text}`.split('\n');
      this.#rest = lines.pop() ?? '';
      for (const line of lines) {
        const give = this.#waiting.shift();
        if (give === undefined) this.#lines.push(line);
        else give(line);
      }
    });
    this.socket.on('end', () => this.socket.end());
  }
}

function isReply(value: unknown): value is Reply {
  return typeof value === 'object' && value !== null && 'id' in value;
}
