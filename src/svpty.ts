/**
 * svpty holds pseudo-terminals: `--service NAME` that of a service, `--shells` those of any number
 * of shells. Programs on them neither notice who looks, nor that PID 1 became another image. It
 * runs until SIGTERM or SIGINT; then the terminals are hung up.
 */
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { nameProblem } from './core/names.ts';
import type { Hello } from './core/terminal-frames.ts';
import type { Fd } from './core/units.ts';
import { accountOf, inherited, lookUp } from './pty/account.ts';
import { Reactor } from './pty/reactor.ts';
import { type Desk, type Found, Server } from './pty/server.ts';
import { Sessions } from './pty/sessions.ts';
import { Sink } from './pty/sink.ts';
import { Terminal } from './pty/terminal.ts';
import { type Kernel, openKernel } from './sys/kernel.ts';
import { openLibc } from './sys/open.ts';
import { openTerminals, type TerminalKernel } from './sys/terminal.ts';

const USAGE = `Usage: svpty [--ready-fd N] --service NAME | --shells
       svpty --fresh

Holds pseudo-terminals, so that one can look at them with svctl attach and svctl shell.
  --service NAME  that of a service, at $SVINIT_RUN/terminals/NAME/tty
  --shells        one for each shell that svctl shell asks for
  --fresh         starts the output of the terminal at descriptor 0 if it was stopped, and ends
  --ready-fd N    gets a newline once all is there
Its socket is terminals/NAME/socket or shells below $SVINIT_RUN (/run/svinit).`;

const RUN = '/run/svinit';
const PRIVATE = 0o700;

type World = {
  readonly kernel: Kernel;
  readonly terminals: TerminalKernel;
  readonly reactor: Reactor;
  readonly run: string;
};

/** What is served, and what is to do after each turn and at the end. */
type Part = {
  readonly server: Server;
  readonly between: () => void;
  readonly close: () => void;
};

/**
 * @param argv Arguments after the program's name.
 * @returns The exit code: 0 it was told to end, 1 it cannot work, 2 wrong usage.
 */
export async function main(argv: readonly string[]): Promise<number> {
  const wish = parse(argv);
  if (wish.kind === 'usage') {
    process[wish.code === 0 ? 'stdout' : 'stderr'].write(`${wish.text}\n`);
    return wish.code;
  }
  try {
    if (wish.kind === 'fresh') openTerminals(openLibc()).startOutput(0 as Fd);
    else await serve(wish);
    return 0;
  } catch (error) {
    if (!(error instanceof Error) || !('code' in error)) throw error;
    say(error.message);
    return 1;
  }
}

type Wish =
  | { readonly kind: 'fresh' }
  | { readonly kind: 'serve'; readonly service: string | null; readonly readyFd: number | null }
  | { readonly kind: 'usage'; readonly code: 0 | 2; readonly text: string };

function parse(argv: readonly string[]): Wish {
  try {
    const { values } = parseArgs({
      args: [...argv],
      options: {
        service: { type: 'string' },
        shells: { type: 'boolean', default: false },
        fresh: { type: 'boolean', default: false },
        'ready-fd': { type: 'string' },
        help: { type: 'boolean', default: false },
      },
    });
    if (values.help) return { kind: 'usage', code: 0, text: USAGE };
    const { service } = values;
    if (values.fresh) return { kind: 'fresh' };
    const problem = service === undefined ? null : nameProblem(service);
    if (problem !== null) return { kind: 'usage', code: 2, text: `svpty: ${problem}` };
    const ready = values['ready-fd'] ?? null;
    const isFd = ready === null || /^[0-9]{1,4}$/.test(ready);
    if ((service === undefined) !== values.shells || !isFd) {
      return { kind: 'usage', code: 2, text: USAGE };
    }
    const readyFd = ready === null ? null : Number(ready);
    return { kind: 'serve', service: service ?? null, readyFd };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'usage', code: 2, text: `svpty: ${reason}\n\n${USAGE}` };
  }
}

async function serve({ service, readyFd }: Extract<Wish, { kind: 'serve' }>): Promise<void> {
  const libc = openLibc();
  const kernel = openKernel(libc);
  kernel.setName('svpty');
  kernel.umask(0o077);
  const reactor = new Reactor(kernel);
  const run = process.env['SVINIT_RUN'] ?? RUN;
  const world = { kernel, terminals: openTerminals(libc), reactor, run };
  const wishes = listen();
  const part = service === null ? shells(world) : holder(world, service);
  if (readyFd !== null) tellReady(kernel, readyFd as Fd);
  await reactor.run(() => wishes.stop, part.between);
  part.close();
}

/** The terminal of one service: made once, whatever becomes of the service. */
function holder(world: World, name: string): Part {
  const { kernel, reactor, run } = world;
  const directory = `${run}/terminals/${name}`;
  for (const path of [dirname(directory), directory]) makePrivate(path);
  const sink = new Sink(kernel, reactor, `${run}/log/${name}`);
  const onRoom = (): void => server.resume();
  const terminal = new Terminal(world, { patienceMs: 0, sink, outlives: true, onRoom });
  const found: Found = { terminal, name, isNew: false };
  const desk: Desk = {
    find: (hello: Hello) => {
      if (hello.name === null || hello.name === name) return found;
      throw new Error(`this is the terminal of ${name}`);
    },
    list: () => [{ name, pid: 0, viewers: terminal.viewers.length, command: '' }],
  };
  const server: Server = new Server({ kernel, reactor, desk, say }, `${directory}/socket`);
  link(terminal.path, `${directory}/tty`);
  return {
    server,
    between: () => server.sweep(),
    close: () => {
      terminal.close();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** Shells, none to begin with. */
function shells(world: World): Part {
  const { kernel, reactor, run } = world;
  const sessions: Sessions = new Sessions({
    ...world,
    account: accountOf(kernel.geteuid()),
    environment: inherited(),
    lookUp,
    over: (terminal) => server.release(terminal),
    onRoom: () => server.resume(),
  });
  const path = `${run}/shells`;
  const server: Server = new Server({ kernel, reactor, desk: sessions, say }, path);
  const between = (): void => {
    sessions.reap();
    server.sweep();
  };
  return {
    server,
    between,
    close: () => {
      sessions.close();
      rmSync(path, { force: true });
    },
  };
}

/** SIGCHLD has no meaning but to end a wait: without a handler it would be ignored. */
function listen(): { stop: boolean } {
  const wishes = { stop: false };
  const stop = (): void => {
    wishes.stop = true;
  };
  process
    .on('SIGTERM', stop)
    .on('SIGINT', stop)
    .on('SIGCHLD', () => {});
  // Who looks may leave at any time, and whoever reads our messages too.
  process.on('SIGPIPE', () => {}).on('SIGHUP', () => {});
  return wishes;
}

function tellReady(kernel: Kernel, fd: Fd): void {
  kernel.write(fd, Uint8Array.of(0x0a));
  kernel.close(fd);
}

function makePrivate(path: string): void {
  mkdirSync(path, { recursive: true, mode: PRIVATE });
  chmodSync(path, PRIVATE);
}

/** In one step: whoever looks finds the old one or the new one. */
function link(target: string, path: string): void {
  const unfinished = `${path}.new`;
  rmSync(unfinished, { force: true });
  symlinkSync(target, unfinished);
  renameSync(unfinished, path);
}

function say(message: string): void {
  process.stderr.write(`svpty: ${message}\n`);
}
