/**
 * Looking at a terminal that svpty holds: what is typed here goes there, what is printed there
 * comes here, and this terminal is as it was whatever ends it. Which terminal is the caller's.
 */
import type { Socket } from 'node:net';
import {
  type Ending,
  encodeFrame,
  type Frame,
  FrameReader,
  type Hello,
  type SessionRow,
  type Welcome,
  WINDOW_SIDE_MAX,
  type WindowSize,
} from '../core/terminal-frames.ts';
import { KeyWatch } from './detach-key.ts';
import type { World } from './terminal.ts';

/** What became of it. */
export type Viewed =
  | { readonly end: 'detached' }
  | { readonly end: 'ended'; readonly ending: Ending }
  | { readonly end: 'sessions'; readonly sessions: readonly SessionRow[] }
  | { readonly end: 'refused'; readonly reason: string }
  /** The connection broke, or this terminal is gone. */
  | { readonly end: 'lost' };

export type ViewOptions = {
  readonly hello: Hello;
  readonly detachKey: Uint8Array;
  /** What the end of our input does: leave, or tell the program that nothing more comes. */
  readonly atEnd: 'leave' | 'tell';
  /** A line about the session that was found. */
  readonly onWelcome: (welcome: Welcome) => void;
};

/** What ends a line of input and so, at its beginning, all input: VEOF of termios(3). */
const END_OF_INPUT = 0x04;
/** In a terminal that may only be looked at, this leaves too. */
const INTERRUPT = 0x03;

const SIGINT = 2;
/** How long a holder may take to notice that we leave. */
const PARTING_MS = 1000;
const LEAVING = ['SIGTERM', 'SIGHUP'] as const;

/** The size of this terminal; null when it has none or does not know it. */
export function ownSize({ env, stdoutIsTerminal }: World): WindowSize | null {
  if (!stdoutIsTerminal) return null;
  const rows = process.stdout.rows || Number(env['LINES']);
  const columns = process.stdout.columns || Number(env['COLUMNS']);
  const isSide = (side: number): boolean => Number.isInteger(side) && side > 0;
  if (!isSide(rows) || !isSide(columns)) return null;
  return { rows: Math.min(rows, WINDOW_SIDE_MAX), columns: Math.min(columns, WINDOW_SIDE_MAX) };
}

/** Looks until one of both sides ends it. */
export async function look(socket: Socket, world: World, options: ViewOptions): Promise<Viewed> {
  const view = new View(socket, world, options);
  try {
    return await view.run();
  } finally {
    await view.close();
  }
}

class View {
  readonly #socket: Socket;
  readonly #world: World;
  readonly #options: ViewOptions;
  readonly #reader = new FrameReader();
  readonly #keys: KeyWatch;
  readonly #undo: (() => void)[] = [];
  /** Gives this terminal back its own mode; null: it has it. */
  #restore: (() => void) | null = null;
  #over: (viewed: Viewed) => void = () => {};

  constructor(socket: Socket, world: World, options: ViewOptions) {
    this.#socket = socket;
    this.#world = world;
    this.#options = options;
    this.#keys = new KeyWatch(options.detachKey);
  }

  run(): Promise<Viewed> {
    return new Promise((resolve) => {
      this.#over = resolve;
      this.#socket.on('data', (chunk) => this.#received(Buffer.from(chunk)));
      this.#socket.on('error', () => {}).on('close', () => resolve({ end: 'lost' }));
      this.#send({ kind: 'hello', hello: this.#options.hello });
    });
  }

  /** What was typed last still goes out. */
  close(): Promise<void> {
    this.#restore?.();
    for (const undo of this.#undo.reverse()) undo();
    return new Promise((resolve) => {
      if (this.#socket.closed) return resolve();
      const timer = setTimeout(() => this.#socket.destroy(), PARTING_MS);
      const gone = (): void => {
        clearTimeout(timer);
        resolve();
      };
      this.#socket.once('close', gone).end();
    });
  }

  #received(chunk: Uint8Array): void {
    try {
      for (const frame of this.#reader.push(chunk)) this.#take(frame);
    } catch {
      // Not svpty's words, or our output is closed.
      this.#over({ end: 'lost' });
    }
  }

  #take(frame: Frame): void {
    switch (frame.kind) {
      case 'welcome':
        this.#options.onWelcome(frame.welcome);
        return this.#begin();
      case 'data':
        return this.#world.write(1, frame.bytes);
      case 'note':
        return this.#world.write(2, `\r\n[${frame.text}]\r\n`);
      case 'ended':
        return this.#over({ end: 'ended', ending: frame.ending });
      case 'sessions':
        return this.#over({ end: 'sessions', sessions: frame.sessions });
      case 'refused':
        return this.#over({ end: 'refused', reason: frame.reason });
      default:
        return this.#over({ end: 'lost' });
    }
  }

  /** From here on this terminal is the other one. */
  #begin(): void {
    const { stdin, stdout } = process;
    const { terminal } = this.#world;
    if (stdin.isTTY && terminal !== undefined) {
      const raw = (): void => {
        this.#restore ??= terminal.raw();
      };
      const cooked = (): void => {
        this.#restore?.();
        this.#restore = null;
      };
      raw();
      this.#on(process, 'exit', cooked);
      this.#on(process, 'SIGTSTP', () => {
        cooked();
        process.kill(process.pid, 'SIGSTOP');
      });
      // Whoever stopped us may have changed its mode.
      this.#on(process, 'SIGCONT', () => {
        cooked();
        raw();
        this.#tellSize();
      });
    }
    for (const signal of LEAVING) this.#on(process, signal, () => this.#over({ end: 'lost' }));
    this.#on(process, 'SIGINT', () => this.#send({ kind: 'signal', signal: SIGINT }));
    this.#on(stdout, 'resize', () => this.#tellSize());
    this.#on(stdin, 'data', (typed: unknown) => this.#typed(Buffer.from(typed as Uint8Array)));
    this.#on(stdin, 'end', () => this.#inputEnded());
    // A terminal that was hung up.
    this.#on(stdin, 'error', () => this.#over({ end: 'lost' }));
    stdin.resume();
    this.#undo.push(() => stdin.pause());
  }

  #typed(typed: Uint8Array): void {
    const { hello } = this.#options;
    if (process.stdin.isTTY !== true) return this.#send({ kind: 'data', bytes: typed });
    const { pass, isHit } = this.#keys.push(typed);
    if (pass.length > 0) this.#send({ kind: 'data', bytes: pass });
    if (isHit || (hello.readOnly && pass.includes(INTERRUPT))) this.#over({ end: 'detached' });
  }

  #inputEnded(): void {
    if (process.stdin.isTTY === true) return this.#over({ end: 'lost' });
    if (this.#options.atEnd === 'tell') {
      return this.#send({ kind: 'data', bytes: Uint8Array.of(END_OF_INPUT) });
    }
    // Behind what was written before.
    this.#socket.end(encodeFrame({ kind: 'detach' }), () => this.#over({ end: 'detached' }));
  }

  #tellSize(): void {
    const size = ownSize(this.#world);
    if (size !== null) this.#send({ kind: 'resize', size });
  }

  #send(frame: Frame): void {
    if (!this.#socket.destroyed) this.#socket.write(encodeFrame(frame));
  }

  #on(source: NodeJS.EventEmitter, event: string, listener: (value: unknown) => void): void {
    source.on(event, listener);
    this.#undo.push(() => source.off(event, listener));
  }
}
