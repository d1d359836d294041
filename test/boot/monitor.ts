/**
 * The other lines to a virtual machine: QEMU's monitor, by which a disk is pulled while the machine
 * runs (QEMU Machine Protocol), and whatever else is a UNIX socket.
 *
 * We listen and QEMU connects as it starts, so that nobody has to try again and again.
 */
import { createServer, type Socket } from 'node:net';
import { createInterface } from 'node:readline';

export type Incoming = {
  /** Whoever connects first. Rejects when it is closed before anybody did. */
  readonly socket: Promise<Socket>;
  close(): void;
};

/** Listens on the socket `path`, of at most 107 bytes (unix(7)), which must not exist. */
export async function incoming(path: string): Promise<Incoming> {
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(path, resolve);
  });
  const { promise, resolve, reject } = Promise.withResolvers<Socket>();
  // Not everybody waits for it.
  promise.catch(() => {});
  server.once('connection', (socket) => {
    server.close();
    // A machine that ends resets what it has not read.
    socket.on('error', () => {});
    resolve(socket);
  });
  const close = (): void => {
    server.close();
    reject(new Error(`Nobody connected to ${path}`));
    promise.then(
      (socket) => socket.destroy(),
      () => {},
    );
  };
  return { socket: promise, close };
}

type Message = {
  readonly QMP?: unknown;
  readonly return?: unknown;
  readonly error?: { readonly desc: string };
  readonly event?: string;
  readonly data?: unknown;
};

type Waiting = { resolve(message: Message): void; reject(error: Error): void };

/** One command at a time is answered, in the order they were given. */
export class Monitor {
  readonly #socket: Promise<Socket>;
  readonly #answers: Waiting[] = [];
  readonly #events: { readonly is: (message: Message) => boolean; readonly waiting: Waiting }[] =
    [];

  constructor(socket: Promise<Socket>) {
    this.#socket = socket.then((connected) => {
      createInterface({ input: connected }).on('line', (line) => this.#take(JSON.parse(line)));
      connected.once('close', () => this.#end());
      connected.write('{"execute":"qmp_capabilities"}\n');
      this.#answers.push({ resolve: () => {}, reject: () => {} });
      return connected;
    });
    this.#socket.catch(() => {});
  }

  /** @throws {Error} with what QEMU says against it. */
  async execute(
    command: string,
    parameters: Readonly<Record<string, unknown>> = {},
  ): Promise<unknown> {
    const socket = await this.#socket;
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    this.#answers.push({ resolve, reject });
    socket.write(`${JSON.stringify({ execute: command, arguments: parameters })}\n`);
    const { error, return: answer } = await promise;
    if (error !== undefined) throw new Error(`Cannot ${command}: ${error.desc}`);
    return answer;
  }

  /**
   * Takes the disk `diskN` out of the machine, as if by hand; the machine has let go of it when this
   * settles.
   */
  async unplug(disk: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<Message>();
    const is = ({ event, data }: Message): boolean =>
      event === 'DEVICE_DELETED' && JSON.stringify(data).includes(`"${disk}"`);
    this.#events.push({ is, waiting: { resolve, reject } });
    promise.catch(() => {});
    await this.execute('device_del', { id: disk });
    await promise;
  }

  /** Plugs in a disk called `disk` at a controller `scsi`, which the machine must have. */
  async plug(disk: string, file: string): Promise<void> {
    const node = { driver: 'file', filename: file };
    await this.execute('blockdev-add', { driver: 'raw', 'node-name': `${disk}-node`, file: node });
    const device = { driver: 'scsi-hd', bus: 'scsi.0', drive: `${disk}-node`, id: disk };
    await this.execute('device_add', device);
  }

  #take(message: Message): void {
    if (message.event !== undefined) {
      for (const { is, waiting } of this.#events) if (is(message)) waiting.resolve(message);
    } else if (message.QMP === undefined) {
      this.#answers.shift()?.resolve(message);
    }
  }

  #end(): void {
    const error = new Error('The machine has ended');
    for (const { reject } of this.#answers) reject(error);
    for (const { waiting } of this.#events) waiting.reject(error);
  }
}
