/**
 * The client of the control socket, for svctl and for programs: finds the socket, asks, waits, and
 * asks once more when svinit re-executed itself in between. It prints nothing.
 */
import type { MethodName, Outcome, Params, Results } from '../core/methods.ts';
import { durationWords } from '../core/units.ts';
import { Connection, ConnectionLost, type ProgressNote } from './connection.ts';
import { EXIT, errorCode, Failure } from './failure.ts';
import { type Door, doors } from './sockets.ts';

export type Progress = Pick<Outcome, 'name' | 'note'> & { readonly state: string };

export type ConnectOptions = {
  /** This socket and no other. */
  readonly socket?: string | null;
  /** The run directory; otherwise `SVINIT_RUN`, /run/svinit, and the fallbacks. */
  readonly run?: string | null;
};

export type RequestOptions = {
  /** Milliseconds until the client gives up; absent: what the method needs; null: never. */
  readonly withinMs?: number | null;
  /** Called whenever a service that was named moves before the answer is there. */
  readonly onProgress?: (progress: Progress) => void;
};

/** How long a method that does not wait for services may take, in milliseconds. */
export const ANSWER_WITHIN_MS = 15_000;
/** A re-exec with a self-test before it, which svinit gives a minute. */
const TRIAL_WITHIN_MS = 75_000;
/** What a method that waits has beyond its own time limit, so that svinit can say it is over. */
const GRACE_MS = 2000;
/** svinit is away for some ten milliseconds while it re-executes itself. */
const REDIAL_EVERY_MS = 50;
const REDIALS_MAX = 20;

/** What the status socket answers; a test compares it with the methods' own table. */
export const READ_ONLY: Readonly<Record<MethodName, boolean>> = {
  version: true,
  ls: true,
  status: true,
  wait: true,
  shutdown: true,
  watch: true,
  examine: true,
  probes: false,
  probed: false,
  signal: false,
  reload: false,
  start: false,
  stop: false,
  restart: false,
  scan: false,
  poweroff: false,
  reboot: false,
  halt: false,
  kexec: false,
  switchRoot: false,
  schedule: false,
  cancel: false,
  skip: false,
  reexec: false,
  fault: false,
};

/** Lists that a result must have; what is printed walks over them. */
const LISTS: Readonly<Partial<Record<MethodName, readonly string[]>>> = {
  ls: ['services', 'problems'],
  status: ['services'],
  start: ['services'],
  stop: ['services'],
  restart: ['services'],
  wait: ['services'],
  shutdown: ['waitingFor', 'skipped'],
  skip: ['skipped'],
  scan: ['added', 'changed', 'removed', 'refused', 'notices'],
};

/**
 * Connects to svinit.
 * @throws {Failure} exit 9 when nobody listens, exit 7 when we may not connect.
 */
export async function connect(options: ConnectOptions = {}): Promise<Client> {
  const run = options.run ?? (process.env['SVINIT_RUN'] || null);
  const uid = process.getuid?.() ?? 0;
  const failures: Failure[] = [];
  for (const door of doors({ socket: options.socket ?? null, run, uid })) {
    try {
      const connection = await dial(door.path, ['EAGAIN'], () => true);
      return new Client(door, connection, failures.at(-1) ?? null);
    } catch (error) {
      failures.push(unreachable(door, error));
    }
  }
  // "Permission denied" says more than "not there"; otherwise the first place is the usual one.
  throw failures.find(({ exit }) => exit === EXIT.permission) ?? failures[0] ?? new TypeError();
}

export class Client {
  readonly path: string;
  /** True on the status socket, which only answers questions. */
  readonly readOnly: boolean;
  /** Why the control socket could not be used, when this is the other one. */
  readonly #refusal: Failure | null;
  #connection: Promise<Connection>;
  /** Connections before it: after a death of svinit, what it knows of is answered there. */
  readonly #earlier: Connection[] = [];
  #lastId = 0;
  #closed = false;

  /** Use `connect()`. */
  constructor(door: Door, connection: Connection, refusal: Failure | null) {
    this.path = door.path;
    this.readOnly = door.readOnly;
    this.#refusal = refusal;
    this.#connection = Promise.resolve(connection);
  }

  /**
   * Asks and returns the result. Several requests may be under way at once.
   * @throws {Failure} what svinit refused, exit 5 when time is up, exit 9 when it is gone.
   */
  async request<M extends MethodName>(
    method: M,
    params: Params[M],
    options: RequestOptions = {},
  ): Promise<Results[M]> {
    if (this.readOnly && !READ_ONLY[method] && this.#refusal !== null) throw this.#refusal;
    const withinMs = options.withinMs === undefined ? needed(params) : options.withinMs;
    const answer = this.#send(method, params, options.onProgress ?? (() => {}));
    const result = await (withinMs === null ? answer : inTime(answer, withinMs, method));
    if (!fits(method, result)) {
      throw new Failure(EXIT.failed, `Cannot understand the answer to ${method}: not its shape`);
    }
    return result as Results[M];
  }

  close(): void {
    this.#closed = true;
    for (const connection of this.#earlier) connection.close();
    this.#connection.then(
      (connection) => connection.close(),
      () => {},
    );
  }

  async #send(
    method: string,
    params: unknown,
    onProgress: (note: ProgressNote) => void,
  ): Promise<unknown> {
    this.#lastId += 1;
    const id = this.#lastId;
    const first = this.#connection;
    const connection = await first;
    try {
      return await connection.ask(id, method, params, onProgress);
    } catch (error) {
      if (!(error instanceof ConnectionLost) || this.#closed) throw error;
    }
    // A request that was not answered was not accepted, and every method may be asked twice.
    if (this.#connection === first) {
      this.#earlier.push(connection);
      this.#connection = this.#redial();
    }
    try {
      return await (await this.#connection).ask(id, method, params, onProgress);
    } catch (error) {
      if (!(error instanceof ConnectionLost)) throw error;
      const what = `Cannot reach svinit at ${this.path}: it closed the connection unanswered`;
      throw new Failure(EXIT.unreachable, what, 'Did it just restart, or is it going down?');
    }
  }

  async #redial(): Promise<Connection> {
    try {
      return await dial(this.path, ['EAGAIN', 'ENOENT', 'ECONNREFUSED'], () => !this.#closed);
    } catch (error) {
      throw unreachable({ path: this.path, readOnly: this.readOnly }, error);
    }
  }
}

/** Connects, and tries again for a second on the errors that are expected to pass. */
async function dial(
  path: string,
  passing: readonly string[],
  goesOn: () => boolean,
): Promise<Connection> {
  for (let tries = 1; ; tries += 1) {
    try {
      return await Connection.dial(path);
    } catch (error) {
      const passes = passing.includes(errorCode(error) ?? '');
      if (!passes || tries >= REDIALS_MAX || !goesOn()) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, REDIAL_EVERY_MS));
  }
}

function unreachable({ path }: Door, error: unknown): Failure {
  const code = errorCode(error) ?? String(error);
  const what = `Cannot reach svinit at ${path}: connect failed with ${code}`;
  if (code === 'EACCES' || code === 'EPERM') {
    return new Failure(EXIT.permission, what, 'Only root may do this: try it with sudo or doas');
  }
  return new Failure(
    EXIT.unreachable,
    what,
    'Is svinit running? SVINIT_RUN or --socket say where it listens',
  );
}

/** The time a method needs: its own limit and a little more, or the usual one. */
function needed(params: Params[MethodName]): number | null {
  if ('binary' in params) return TRIAL_WITHIN_MS;
  const waits = 'conditions' in params || ('wait' in params && params.wait);
  if (!waits || !('timeoutMs' in params)) return ANSWER_WITHIN_MS;
  return params.timeoutMs === null ? null : params.timeoutMs + GRACE_MS;
}

/** `answer`, or a failure after `withinMs`. */
function inTime<T>(answer: Promise<T>, withinMs: number, method: string): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => {
      const what = `Cannot ${method}: svinit did not answer within ${durationWords(withinMs)}`;
      reject(new Failure(EXIT.timeout, what));
    }, withinMs);
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

function fits(method: MethodName, result: unknown): boolean {
  if (typeof result !== 'object' || result === null) return false;
  const fields = new Map<string, unknown>(Object.entries(result));
  return (LISTS[method] ?? []).every((key) => Array.isArray(fields.get(key)));
}
