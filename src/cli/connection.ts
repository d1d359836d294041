/**
 * One connection: requests out, replies in, matched by id, however the stream cuts the lines. It
 * does not retry and keeps no time; client.ts does.
 */
import { connect, type Socket } from 'node:net';
import { EXIT, Failure } from './failure.ts';

/** The connection ended before the answer came. */
export class ConnectionLost extends Error {
  override readonly name = 'ConnectionLost';
}

export type ProgressNote = {
  readonly name: string;
  readonly state: string;
  readonly note: string;
};

type Pending = {
  readonly resolve: (result: unknown) => void;
  readonly reject: (error: Error) => void;
  readonly onProgress: (note: ProgressNote) => void;
};

/** A reply longer than this is not svinit's: a thousand services are about half a megabyte. */
const REPLY_CHARS_MAX: number = 64 * 1024 * 1024;

export class Connection {
  readonly #path: string;
  readonly #socket: Socket;
  readonly #pending = new Map<number, Pending>();
  /** Pieces of the line that is not complete yet. */
  #parts: string[] = [];
  #chars = 0;
  #open = true;

  private constructor(path: string, socket: Socket) {
    this.#path = path;
    this.#socket = socket;
    // The decoder keeps a character whole when the stream cuts it in two.
    socket.setEncoding('utf8');
    socket.on('data', (chunk) => this.#receive(String(chunk)));
    // `close` follows every error and is where the pending requests learn of it.
    socket.on('error', () => {});
    socket.on('close', () => this.#end(new ConnectionLost('The connection was closed')));
  }

  /** Connects. Rejects with the error of connect(2), whose `code` is the errno name. */
  static dial(path: string): Promise<Connection> {
    return new Promise((resolve, reject) => {
      const socket = connect({ path });
      socket.once('error', reject);
      socket.once('connect', () => {
        socket.removeListener('error', reject);
        resolve(new Connection(path, socket));
      });
    });
  }

  /** Sends one request. Rejects with `Failure` when it is refused, or `ConnectionLost`. */
  ask(
    id: number,
    method: string,
    params: unknown,
    onProgress: (note: ProgressNote) => void,
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (!this.#open) return reject(new ConnectionLost('The connection was closed'));
      this.#pending.set(id, { resolve, reject, onProgress });
      this.#socket.write(`${JSON.stringify({ jsonrpc: '2.0', id, method, params })}\n`);
    });
  }

  close(): void {
    this.#end(new ConnectionLost('The connection was closed'));
  }

  #end(error: Error): void {
    this.#open = false;
    this.#socket.destroy();
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
  }

  #receive(chunk: string): void {
    let rest = chunk;
    for (let end = rest.indexOf('\n'); end >= 0 && this.#open; end = rest.indexOf('\n')) {
      const line = [...this.#parts, rest.slice(0, end)].join('');
      rest = rest.slice(end + 1);
      this.#parts = [];
      this.#chars = 0;
      this.#take(line);
    }
    this.#parts.push(rest);
    this.#chars += rest.length;
    if (this.#chars > REPLY_CHARS_MAX) this.#end(this.#garbage());
  }

  #take(line: string): void {
    const frame = parseObject(line);
    if (frame === null) return this.#end(this.#garbage());
    if (frame.get('method') === 'progress') return this.#tell(asMap(frame.get('params')));
    if (frame.get('method') === 'revived') return this.#revived(asMap(frame.get('params')));
    const error = asMap(frame.get('error'));
    const id = frame.get('id');
    // An answer without an id is about the connection itself: too many clients, a broken line.
    if (typeof id !== 'number') {
      if (error.size > 0) this.#end(failureOf(error));
      return;
    }
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    this.#pending.delete(id);
    if (error.size > 0) pending.reject(failureOf(error));
    else if (frame.has('result')) pending.resolve(frame.get('result'));
    else pending.reject(this.#garbage());
  }

  #tell(params: ReadonlyMap<string, unknown>): void {
    const id = params.get('id');
    const pending = typeof id === 'number' ? this.#pending.get(id) : undefined;
    const [name, state, note] = ['name', 'state', 'note'].map((key) => text(params.get(key)));
    if (name === undefined || state === undefined || name === '') return;
    pending?.onProgress({ name, state, note: note ?? '' });
  }

  /** svinit died and goes on: what it does not know of was lost on the way, and is asked again. */
  #revived(params: ReadonlyMap<string, unknown>): void {
    const known = params.get('pending');
    const lost = [...this.#pending].filter(([id]) => !Array.isArray(known) || !known.includes(id));
    for (const [id, { reject }] of lost) {
      this.#pending.delete(id);
      reject(new ConnectionLost('svinit died before it noted the request'));
    }
  }

  #garbage(): Failure {
    return new Failure(
      EXIT.unreachable,
      `Cannot understand svinit at ${this.#path}: what it sent is not JSON-RPC`,
      'Is it another program that listens there?',
    );
  }
}

const text = (value: unknown): string => (typeof value === 'string' ? value : '');

function parseObject(line: string): ReadonlyMap<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? asMap(value) : null;
  } catch {
    return null;
  }
}

function asMap(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function failureOf(error: ReadonlyMap<string, unknown>): Failure {
  const data = asMap(error.get('data'));
  const [exit, code, hint] = [data.get('exit'), error.get('code'), text(data.get('hint'))];
  return new Failure(
    typeof exit === 'number' && exit > 0 && exit < 256 ? Math.trunc(exit) : EXIT.failed,
    text(error.get('message')) || 'svinit refused without a reason',
    hint === '' ? null : hint,
    typeof code === 'number' ? code : undefined,
  );
}
