/**
 * The connection of svprobe to svinit: it watches services, asks, and comes back by itself after a
 * re-exec or a death of svinit. Who comes back is told so, and begins anew: nothing is asked twice
 * by itself. One JSON-RPC message a line.
 */
import { connect, type Socket } from 'node:net';
import type { MethodName, Params } from '../core/methods.ts';
import { encodeRequest } from '../core/protocol.ts';

export type LinkHooks = {
  /** Connected, and everything that moves from now on will be told. */
  readonly opened: () => void;
  /** Gone: what was asked and is not answered will not be. */
  readonly lost: () => void;
  /** A service moved, or is no longer there. */
  readonly moved: (params: unknown) => void;
  /** It cannot be reached, and will not be. */
  readonly failed: (error: Error) => void;
};

/** svinit is away for some ten milliseconds while it re-executes itself. */
const REDIAL_MS = 50;
/** A line longer than this is not svinit's. */
const LINE_CHARS_MAX: number = 64 * 1024 * 1024;

export class Link {
  readonly #path: string;
  readonly #hooks: LinkHooks;
  readonly #pending = new Map<number, (result: unknown) => void>();
  #socket: Socket | null = null;
  #lastId = 0;
  #text = '';
  #isClosed = false;

  constructor(path: string, hooks: LinkHooks) {
    this.#path = path;
    this.#hooks = hooks;
    this.#dial();
  }

  /** `answered` gets the result, or null when it was refused; nothing when svinit goes away. */
  ask<M extends MethodName>(
    method: M,
    params: Params[M],
    answered: (result: unknown) => void = () => {},
  ): void {
    this.#lastId += 1;
    this.#pending.set(this.#lastId, answered);
    this.#socket?.write(encodeRequest(this.#lastId, method, params));
  }

  close(): void {
    this.#isClosed = true;
    this.#socket?.destroy();
  }

  #dial(): void {
    if (this.#isClosed) return;
    const socket = connect({ path: this.#path });
    socket.setEncoding('utf8');
    socket.once('connect', () => this.#opened(socket));
    socket.on('data', (text: string | Buffer) => {
      if (socket === this.#socket) this.#take(String(text));
    });
    socket.on('error', (error) => {
      const code = 'code' in error ? String(error.code) : '';
      if (!AWAY.includes(code)) this.#hooks.failed(error);
    });
    socket.once('close', () => {
      if (socket === this.#socket) this.#lost();
      setTimeout(() => this.#dial(), REDIAL_MS);
    });
  }

  #opened(socket: Socket): void {
    this.#socket = socket;
    this.#text = '';
    this.ask('watch', {});
    this.#hooks.opened();
  }

  #lost(): void {
    this.#socket = null;
    this.#pending.clear();
    this.#hooks.lost();
  }

  #take(text: string): void {
    const lines = (this.#text + text).split('\n');
    this.#text = lines.pop() ?? '';
    if (this.#text.length > LINE_CHARS_MAX) this.#socket?.destroy();
    for (const line of lines) this.#understand(line);
  }

  #understand(line: string): void {
    const frame = frameOf(line);
    const method = frame.get('method');
    if (method === 'progress') return this.#hooks.moved(frame.get('params'));
    // svinit died and goes on, and may not know of all that was asked: from the beginning.
    if (method === 'revived') return void this.#socket?.destroy();
    const id = Number(frame.get('id'));
    const answered = this.#pending.get(id);
    this.#pending.delete(id);
    answered?.(frame.get('result') ?? null);
  }
}

/** connect(2): nobody listens now, or nobody has yet the time to answer; and hung up on. */
const AWAY: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'EAGAIN', 'ECONNRESET', 'EPIPE'];

/** The members of an object; none of what is no object. */
export function membersOf(value: unknown): ReadonlyMap<string, unknown> {
  return new Map(typeof value === 'object' && value !== null ? Object.entries(value) : []);
}

function frameOf(line: string): ReadonlyMap<string, unknown> {
  try {
    return membersOf(JSON.parse(line));
  } catch {
    return new Map();
  }
}
