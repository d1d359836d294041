/**
 * A scripted svinit on a Unix socket of its own, and svctl run against it as a program or inside
 * the test.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { run } from '../../src/cli/run.ts';
import { OutputClosed, type World } from '../../src/cli/terminal.ts';
import type { ServiceView } from '../../src/core/methods.ts';

/** The part of tap's test object that is used here. */
export type Test = { teardown(handler: () => unknown): unknown };

export type Ask = {
  readonly id: number;
  readonly method: string;
  readonly params: unknown;
  /** 1 for the first connection that was made. */
  readonly connection: number;
};

export type Answer = {
  readonly result: (value: unknown) => void;
  readonly error: (exit: number, message: string, hint?: string) => void;
  readonly progress: (name: string, state: string, note: string) => void;
  readonly raw: (bytes: string | Uint8Array) => void;
  /** Closes the connection, what was written included. */
  readonly close: () => void;
};

export type Fake = {
  /** A run directory with the socket `control` (or `status`) in it. */
  readonly run: string;
  readonly asked: Ask[];
};

/** Starts a server; `script` is called with each request. */
export async function fake(
  t: Test,
  script: (ask: Ask, answer: Answer) => void,
  name = 'control',
): Promise<Fake> {
  const directory = temporaryDirectory(t);
  const asked: Ask[] = [];
  const sockets = new Set<Socket>();
  let connections = 0;
  const server = createServer((socket) => {
    connections += 1;
    const connection = connections;
    sockets.add(socket);
    socket.setEncoding('utf8');
    socket.on('error', () => {});
    let text = '';
    socket.on('data', (chunk) => {
      text += String(chunk);
      const lines = text.split('\n');
      text = lines.pop() ?? '';
      for (const line of lines) {
        const ask: Ask = { ...JSON.parse(line), connection };
        asked.push(ask);
        script(ask, answerOn(socket, ask.id));
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(join(directory, name), resolve));
  t.teardown(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { run: directory, asked };
}

export function temporaryDirectory(t: Test): string {
  const directory = mkdtempSync(join(tmpdir(), 'svctl-test-'));
  t.teardown(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

function answerOn(socket: Socket, id: number): Answer {
  const send = (frame: object): void => {
    socket.write(`${JSON.stringify({ jsonrpc: '2.0', ...frame })}\n`);
  };
  return {
    result: (result) => send({ id, result }),
    error: (exit, message, hint) => {
      const data = hint === undefined ? { exit } : { exit, hint };
      send({ id, error: { code: -32_000 - exit, message, data } });
    },
    progress: (name, state, note) =>
      send({ method: 'progress', params: { id, name, state, note } }),
    raw: (bytes) => socket.write(bytes),
    close: () => socket.end(),
  };
}

export type Ran = { readonly exit: number | null; readonly out: string; readonly err: string };

export type RunOptions = {
  readonly env?: Readonly<Record<string, string>>;
  readonly program?: string;
  readonly stdin?: string;
  /** Whom to run as; only root may say that. */
  readonly uid?: number | undefined;
  /** The program that runs it; this test's own when absent. */
  readonly runtime?: string;
};

const ENTRY = fileURLToPath(new URL('../fixtures/svctl.ts', import.meta.url));

/** Runs svctl as a process, with pipes for its output and the locale of a serial console. */
export function svctl(args: readonly string[], options: RunOptions = {}): Promise<Ran> {
  const program: Record<string, string> =
    options.program === undefined ? {} : { PROGRAM: options.program };
  const child = spawn(options.runtime ?? process.execPath, [ENTRY, ...args], {
    env: { PATH: process.env['PATH'], ...program, ...options.env },
    stdio: 'pipe',
    ...(options.uid === undefined ? {} : { uid: options.uid }),
  });
  child.stdin.end(options.stdin ?? '');
  let [out, err] = ['', ''];
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    out += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    err += text;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (exit) => resolve({ exit, out, err }));
  });
}

/** Runs svctl inside the test on a terminal that is not there. */
export async function onTerminal(
  args: readonly string[],
  env: Readonly<Record<string, string>>,
  columns = 80,
): Promise<Ran> {
  const written = new Map<number, string>([
    [1, ''],
    [2, ''],
  ]);
  const world: World = {
    env: { TERM: 'xterm', LANG: 'C.UTF-8', ...env },
    stdoutIsTerminal: true,
    stderrIsTerminal: true,
    columns: () => columns,
    write: (descriptor, text) => {
      written.set(descriptor, (written.get(descriptor) ?? '') + text);
    },
    readStdin: () => Promise.resolve(''),
  };
  const exit = await run(args, 'svctl', world);
  return { exit, out: written.get(1) ?? '', err: written.get(2) ?? '' };
}

/** A world whose reader went away. */
export function closedWorld(env: Readonly<Record<string, string>>): World {
  return {
    env,
    stdoutIsTerminal: false,
    stderrIsTerminal: false,
    columns: () => null,
    write: () => {
      throw new OutputClosed('closed');
    },
    readStdin: () => Promise.resolve(''),
  };
}

/** A service that is up and of which nothing else is said. */
export function view(name: string, more: Partial<ServiceView> = {}): ServiceView {
  return {
    name,
    type: 'longrun',
    description: '',
    state: 'up',
    want: 'up',
    pid: 212,
    forMs: 15_120_000,
    restarts: 0,
    note: '',
    cause: 'ready',
    lastExit: null,
    lastExitMs: null,
    wstat: null,
    once: false,
    announces: false,
    nextTryMs: null,
    needs: [],
    neededBy: [],
    waitingFor: [],
    directory: `/etc/svinit/services/${name}`,
    definition: 'current',
    early: false,
    ...more,
  };
}

/** The result of `ls`. */
export function listing(...services: readonly ServiceView[]): object {
  return { services, problems: [], halting: null };
}
