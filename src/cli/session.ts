/**
 * One run of svctl: its options, its connection, its output. Verbs work through this and touch
 * neither the process nor the socket.
 */
import type { MethodName, Params, Results } from '../core/methods.ts';
import type { Client } from './client.ts';
import { type Parsed, parseTimeout } from './options.ts';
import { type Style, styleOf, type World } from './terminal.ts';
import { safe } from './words.ts';

export class Session {
  readonly style: Style;
  readonly json: boolean;
  /** False: answer as soon as a wish is noted. */
  readonly wait: boolean;
  /** Milliseconds, or null when the user set no limit. */
  readonly timeoutMs: number | null;
  readonly world: World;
  readonly #socket: string | null;
  readonly #showsProgress: boolean;
  /** The last progress line of each service. */
  readonly #told = new Map<string, string>();
  #client: Promise<Client> | null = null;

  constructor(world: World, parsed: Parsed, usage: string) {
    this.world = world;
    this.style = styleOf(world, parsed.has('no-color'));
    this.json = parsed.has('json');
    this.wait = !parsed.has('no-wait');
    this.#socket = parsed.value('socket');
    this.#showsProgress = parsed.has('verbose') || world.stderrIsTerminal;
    const timeout = parsed.value('timeout');
    this.timeoutMs = timeout === null ? null : parseTimeout(timeout, usage);
  }

  /** The control socket that the user named; null: the usual places. */
  get socket(): string | null {
    return this.#socket;
  }

  /** Asks svinit; connects at the first question. */
  async request<M extends MethodName>(method: M, params: Params[M]): Promise<Results[M]> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    // A method that waits for services is told the limit; for the others it is the client's.
    const limited = this.timeoutMs !== null && !('timeoutMs' in params);
    return client.request(method, params, {
      ...(limited ? { withinMs: this.timeoutMs } : {}),
      onProgress: (progress) => this.#tell(progress.name, progressLine(progress)),
    });
  }

  /** Calls `moved` at everything that moves, for as long as the connection holds. */
  async watch(moved: () => void): Promise<void> {
    this.#client ??= this.#connect();
    const client = await this.#client;
    await client.request('watch', {}, { withinMs: null, onProgress: moved });
  }

  /** Writes lines to stdout. */
  print(lines: readonly string[]): void {
    if (lines.length > 0) this.world.write(1, `${lines.join('\n')}\n`);
  }

  /** Writes one JSON object to stdout, or with `--json` absent what `lines` makes of it. */
  show<T>(value: T, lines: (value: T) => readonly string[]): void {
    this.print(this.json ? [jsonLine(value)] : lines(value));
  }

  close(): void {
    this.#client?.then(
      (client) => client.close(),
      () => {},
    );
  }

  /** Phases that people know by the same word are told once. */
  #tell(name: string, line: string): void {
    if (!this.#showsProgress || this.#told.get(name) === line) return;
    this.#told.set(name, line);
    this.world.write(2, `${line}\n`);
  }

  async #connect(): Promise<Client> {
    const { connect } = await import('./client.ts');
    const run = this.world.env['SVINIT_RUN'] || null;
    return connect({ socket: this.#socket, run });
  }
}

/**
 * JSON on one line that is safe on a terminal too: JSON itself escapes only C0, so DEL, C1 and
 * characters that change the direction of text are escaped here.
 */
export function jsonLine(value: unknown): string {
  return JSON.stringify(value).replace(
    /[\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/g,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** `web: waits for network`, `web: starting`, `web: backoff: exit 1`. */
function progressLine(progress: { name: string; state: string; note: string }): string {
  const { name, state, note } = progress;
  const text = note === '' ? state : state === 'waiting' ? note : `${state}: ${note}`;
  return safe(`${name}: ${text}`);
}
