/**
 * The connection to svinit: watches all services, asks, and comes back by itself after a re-exec or
 * a death of svinit. What had not been answered is then asked again: svinit accepts nothing without
 * an answer. One JSON-RPC message a line; it does not block.
 */
import type { MethodName, Params } from '../core/methods.ts';
import { encodeRequest } from '../core/protocol.ts';
import type { ServiceView } from '../core/service-view.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import { codeOf } from './errors.ts';
import { parseFrame, viewIn, viewsIn } from './frames.ts';
import type { Loop } from './loop.ts';

export type LinkHooks = {
  /** All services there are, after each new connection. */
  readonly onAll: (views: readonly ServiceView[]) => void;
  readonly onMove: (view: ServiceView) => void;
  readonly onGone: (name: string) => void;
};

/** @param refused Why not, or null when it was done. */
export type Answered = (refused: string | null) => void;

type Pending = { readonly line: Uint8Array; readonly answered: Answered };

type LinkKernel = Pick<Kernel, 'close' | 'connectUnix' | 'read' | 'write'>;

/** svinit is away for some ten milliseconds while it re-executes itself. */
export const REDIAL_MS = 50;

/** A line longer than this is not svinit's: a thousand services are about half a megabyte. */
const LINE_BYTES_MAX: number = 64 * 1024 * 1024;
const READ_BYTES: number = 64 * 1024;
const NEWLINE = 0x0a;

export class Link {
  readonly #kernel: LinkKernel;
  readonly #loop: Loop;
  readonly #path: string;
  readonly #hooks: LinkHooks;
  readonly #area = Buffer.allocUnsafeSlow(READ_BYTES);
  readonly #pending = new Map<number, Pending>();
  #fd: Fd | null = null;
  #lastId = 0;
  #watchId = 0;
  #listId = 0;
  #unsent: Uint8Array[] = [];
  #parts: Buffer[] = [];
  #bytes = 0;

  constructor(kernel: LinkKernel, loop: Loop, path: string, hooks: LinkHooks) {
    this.#kernel = kernel;
    this.#loop = loop;
    this.#path = path;
    this.#hooks = hooks;
  }

  /** Asks svinit; what is asked while it is away is asked when it is back. */
  ask<M extends MethodName>(method: M, params: Params[M], answered: Answered): void {
    const [id, line] = this.#request(method, params);
    this.#pending.set(id, { line, answered });
    this.#send(line);
  }

  /**
   * Connects if it is not; gives in how many milliseconds it wants to be called again.
   * @throws {SysError} `EACCES`: svinit is there and not for us.
   */
  tend(): number {
    if (this.#fd === null) this.#dial();
    this.#flush();
    return this.#fd === null || this.#unsent.length > 0 ? REDIAL_MS : Number.POSITIVE_INFINITY;
  }

  close(): void {
    if (this.#fd === null) return;
    this.#loop.remove(this.#fd);
    this.#kernel.close(this.#fd);
    this.#fd = null;
  }

  #request(method: string, params: unknown): [id: number, line: Uint8Array] {
    this.#lastId += 1;
    return [this.#lastId, Buffer.from(encodeRequest(this.#lastId, method, params))];
  }

  #dial(): void {
    try {
      const fd = this.#kernel.connectUnix(this.#path, 'stream');
      this.#fd = fd;
      this.#loop.add(fd, () => this.#receive(fd));
    } catch (error) {
      if (!AWAY.includes(codeOf(error) ?? '')) throw error;
      return;
    }
    this.#unsent = [];
    this.#parts = [];
    this.#bytes = 0;
    this.#subscribe();
    for (const { line } of this.#pending.values()) this.#send(line);
  }

  /** First the watch and then the list, so that no move is missed in between. */
  #subscribe(): void {
    const [watchId, watch] = this.#request('watch', {});
    this.#watchId = watchId;
    this.#send(watch);
    this.#list();
  }

  #list(): void {
    const [listId, list] = this.#request('ls', {});
    this.#listId = listId;
    this.#send(list);
  }

  #send(line: Uint8Array): void {
    if (this.#fd === null) return;
    this.#unsent.push(line);
    this.#flush();
  }

  #flush(): void {
    const fd = this.#fd;
    for (let line = this.#unsent[0]; fd !== null && line !== undefined; line = this.#unsent[0]) {
      let count: number | null = 0;
      // Whoever has gone away is seen at the end of what it said.
      if (!this.#isDone(() => (count = this.#kernel.write(fd, line)))) return;
      if (count === null) return;
      if (count < line.length) this.#unsent[0] = line.subarray(count);
      else this.#unsent.shift();
    }
  }

  #receive(fd: Fd): void {
    let count: number | null = 0;
    if (!this.#isDone(() => (count = this.#kernel.read(fd, this.#area)))) return this.close();
    if (count === null) return;
    if (count === 0) return this.close();
    this.#take(Buffer.from(this.#area.subarray(0, count)));
  }

  #take(chunk: Buffer): void {
    let rest = chunk;
    for (let end = rest.indexOf(NEWLINE); end >= 0; end = rest.indexOf(NEWLINE)) {
      const line = Buffer.concat([...this.#parts, rest.subarray(0, end)]).toString();
      rest = rest.subarray(end + 1);
      this.#parts = [];
      this.#bytes = 0;
      this.#understand(line);
      if (this.#fd === null) return;
    }
    this.#parts.push(rest);
    this.#bytes += rest.length;
    if (this.#bytes > LINE_BYTES_MAX) this.close();
  }

  #understand(line: string): void {
    const frame = parseFrame(line);
    if (frame === null) return this.close();
    if (frame.method === 'progress') return this.#progress(frame.params);
    if (frame.method === 'revived') return this.#revived(frame.params.get('pending'));
    if (frame.id === this.#listId && frame.result !== null) {
      return this.#hooks.onAll(viewsIn(frame.result));
    }
    if (frame.method !== null) return;
    // Without these two there is no view of anything: a new connection may have more luck.
    if (frame.id === null || frame.id === this.#listId || frame.id === this.#watchId) {
      return this.close();
    }
    const pending = this.#pending.get(frame.id);
    this.#pending.delete(frame.id);
    pending?.answered(frame.error);
  }

  #progress(params: ReadonlyMap<string, unknown>): void {
    const view = viewIn(params.get('service'));
    const name = params.get('name');
    if (view !== null) this.#hooks.onMove(view);
    else if (typeof name === 'string') this.#hooks.onGone(name);
  }

  /** svinit died and goes on: what it does not know of was lost on the way. */
  #revived(known: unknown): void {
    const ids: readonly unknown[] = Array.isArray(known) ? known : [];
    if (ids.includes(this.#watchId)) this.#list();
    else this.#subscribe();
    for (const [id, { line }] of this.#pending) if (!ids.includes(id)) this.#send(line);
  }

  /** Whether `act` was done; false: the other end is not there any more. */
  #isDone(act: () => void): boolean {
    try {
      act();
      return true;
    } catch (error) {
      if (!GONE.includes(codeOf(error) ?? '')) throw error;
      return false;
    }
  }
}

/** connect(2): nobody listens now, or nobody has yet the time to answer. */
const AWAY: readonly string[] = ['ENOENT', 'ECONNREFUSED', 'EAGAIN'];
const GONE: readonly string[] = ['EPIPE', 'ECONNRESET', 'ENOTCONN'];
