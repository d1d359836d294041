/** svctl as a machine sees it: connects, asks, and is answered, perhaps by another image. */
import { EventEmitter } from 'node:events';
import type { MethodName } from '../../src/core/methods.ts';
import { encodeRequest } from '../../src/core/protocol.ts';
import { newFile, type OpenFile } from './file.ts';
import type { Machine } from './machine.ts';

export type Reply = { readonly result?: unknown; readonly error?: { readonly message: string } };

/** The side of a connection that svinit holds. */
class Socket extends EventEmitter {
  readonly _handle: { readonly fd: number };
  readonly writableLength = 0;
  destroyed = false;
  readonly #machine: Machine;
  readonly #file: OpenFile;

  constructor(machine: Machine, fd: number, file: OpenFile) {
    super();
    this.#machine = machine;
    this.#file = file;
    this._handle = { fd };
    machine.sockets.set(file, this);
  }

  write(text: string, flushed: () => void = () => {}): void {
    this.#file.hear?.(text);
    flushed();
  }

  resume(): void {}

  end(text = ''): void {
    this.#file.hear?.(text);
    this.destroy();
  }

  destroySoon(): void {
    this.destroy();
  }

  destroy(): void {
    if (this.destroyed) return;
    this.destroyed = true;
    // An image that is gone has lost it, and the number may be another file's.
    const { fd } = this._handle;
    if (this.#machine.fds.get(fd)?.file === this.#file) this.#machine.close(fd);
    this.emit('close');
  }
}

/** The connection behind `fd` in a new image. */
export function adopted(machine: Machine, fd: number): Socket {
  const file = machine.fds.get(fd)?.file;
  if (file === undefined) throw new TypeError(`${fd} is not open`);
  return new Socket(machine, fd, file);
}

/** How long it is tried to connect, and how long an answer is waited for, in milliseconds. */
const CONNECT_WITHIN_MS = 10_000;
const ANSWER_WITHIN_MS = 60_000;
const LOOK_MS = 100;
/** Connections that are lost before the question is given up. */
const TRIES = 5;

/** Asks over a connection of its own, and over another one when that is lost. Null: no answer. */
export async function ask(
  machine: Machine,
  pass: (ms: number) => Promise<void>,
  method: MethodName,
  params: unknown,
): Promise<Reply | null> {
  const until = machine.now + ANSWER_WITHIN_MS;
  for (let tries = 0; tries < TRIES; tries += 1) {
    const reply = await askOnce(machine, pass, encodeRequest(1, method, params), until);
    if (reply !== 'lost') return reply;
  }
  return null;
}

/** A machine that becomes another meanwhile is the caller's to go on with, in `pass`. */
async function askOnce(
  machine: Machine,
  pass: (ms: number) => Promise<void>,
  line: string,
  until: number,
): Promise<Reply | null | 'lost'> {
  const heard: Message[] = [];
  const file = newFile('connection', { hear: (text) => heard.push(...messagesIn(text)) });
  if (!(await connect(machine, pass, file))) return null;
  const side = (): Socket => machine.sockets.get(file) as Socket;
  machine.run(() => side().emit('data', new TextEncoder().encode(line)));
  const reply = (): Message | undefined =>
    heard.find(({ id, error }) => id === 1 || (id === null && error !== undefined));
  const isLost = (): boolean =>
    side().destroyed ||
    heard.some(({ method, params }) => method === 'revived' && !params?.pending.includes(1)) ||
    [...machine.fds.values()].every((other) => other.file !== file);
  while (reply() === undefined && machine.now < until && !machine.isOver() && !isLost()) {
    await pass(LOOK_MS);
  }
  machine.run(() => side().destroy());
  return reply() ?? (isLost() && machine.now < until && !machine.isOver() ? 'lost' : null);
}

type Message = Reply & {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly pending: readonly unknown[] };
};

const messagesIn = (text: string): Message[] =>
  text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line));

/** Whether somebody listened. */
async function connect(
  machine: Machine,
  pass: (ms: number) => Promise<void>,
  file: OpenFile,
): Promise<boolean> {
  const until = machine.now + CONNECT_WITHIN_MS;
  for (;;) {
    const path = '/run/svinit/control';
    const fd = [...machine.fds].find(([, { file }]) => file.label === `socket ${path}`)?.[0];
    const accept = fd === undefined ? undefined : machine.image.servers.get(fd);
    if (accept !== undefined && machine.nodes.get(path) === 'socket') {
      const socket = new Socket(machine, machine.put(file), file);
      machine.run(() => accept(socket));
      return true;
    }
    if (machine.now >= until || machine.isOver()) return false;
    await pass(LOOK_MS);
  }
}
