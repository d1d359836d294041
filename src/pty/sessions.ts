/**
 * Shells with a terminal of their own, by name. They belong to svpty: they live on when those who
 * look at them leave, and when PID 1 becomes another image of itself.
 */
import { decodeStatus } from '../core/exit.ts';
import type { Ending, Hello, SessionRow } from '../core/terminal-frames.ts';
import type { Pid } from '../core/units.ts';
import { O } from '../sys/constants.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Account } from './account.ts';
import type { Desk, Found } from './server.ts';
import { Terminal, type TerminalPorts } from './terminal.ts';

export const SESSIONS_MAX = 32;

/** How long a program waits for a viewer that takes nothing, before that is dropped. */
const PATIENCE_MS = 5000;

/** Descriptors a program may open, unless it asks for more: what a login gives it on Linux. */
const NOFILE = { soft: 1024, hard: null };
const UMASK = 0o022;

export type SessionPorts = TerminalPorts & {
  readonly kernel: Kernel;
  readonly account: Account;
  /** What every session inherits. */
  readonly environment: Readonly<Record<string, string>>;
  /** The file of a program; a name is looked up in PATH. */
  readonly lookUp: (name: string) => string;
  readonly over: (terminal: Terminal) => void;
  readonly onRoom: () => void;
};

type Session = {
  readonly name: string;
  readonly pid: Pid;
  readonly terminal: Terminal;
  readonly command: string;
};

export class Sessions implements Desk {
  readonly #ports: SessionPorts;
  readonly #sessions = new Map<string, Session>();

  constructor(ports: SessionPorts) {
    this.#ports = ports;
  }

  find(hello: Hello): Found {
    const known = hello.name === null ? undefined : this.#sessions.get(hello.name);
    if (known !== undefined) return { terminal: known.terminal, name: known.name, isNew: false };
    if (hello.want === 'attach') throw new Error('there is no such session');
    if (this.#sessions.size >= SESSIONS_MAX) throw new Error(`there are ${SESSIONS_MAX} already`);
    const name = hello.name ?? this.#freeName();
    return { terminal: this.#open(name, hello).terminal, name, isNew: true };
  }

  list(): readonly SessionRow[] {
    return [...this.#sessions.values()].map(({ name, pid, terminal, command }) => ({
      name,
      pid,
      viewers: terminal.viewers.length,
      command,
    }));
  }

  /** Ends the sessions whose programs have ended. */
  reap(): void {
    const { kernel } = this.#ports;
    for (let waited = kernel.waitAny(); waited !== null; waited = kernel.waitAny()) {
      const { pid, status } = waited;
      const session = [...this.#sessions.values()].find((one) => one.pid === pid);
      if (session === undefined) continue;
      this.#sessions.delete(session.name);
      session.terminal.end(endingOf(status));
      this.#ports.over(session.terminal);
    }
  }

  /** Hangs up all terminals: what runs on them gets SIGHUP. */
  close(): void {
    for (const { terminal } of this.#sessions.values()) terminal.close();
  }

  #freeName(): string {
    for (let number = 1; ; number += 1) {
      if (!this.#sessions.has(String(number))) return String(number);
    }
  }

  #open(name: string, hello: Hello): Session {
    const terminal = new Terminal(this.#ports, {
      patienceMs: PATIENCE_MS,
      sink: null,
      outlives: false,
      onRoom: this.#ports.onRoom,
    });
    try {
      const pid = this.#start(name, hello, terminal.path);
      const command = hello.command.length > 0 ? hello.command.join(' ') : 'shell';
      const session = { name, pid, terminal, command: command.slice(0, 200) };
      this.#sessions.set(name, session);
      return session;
    } catch (error) {
      terminal.close();
      throw error;
    }
  }

  #start(name: string, hello: Hello, path: string): Pid {
    const { account, kernel, lookUp } = this.#ports;
    const { user, home, shell } = account;
    const [program] = hello.command;
    const environment = {
      ...this.#ports.environment,
      HOME: home,
      USER: user,
      LOGNAME: user,
      SHELL: shell,
      TERM: hello.term ?? 'vt100',
      SVINIT_SESSION: name,
    };
    return kernel.spawn({
      path: program === undefined ? shell : lookUp(program),
      // A login shell's name begins with a dash (sh(1), "Invocation").
      argv: program === undefined ? [`-${shell.slice(shell.lastIndexOf('/') + 1)}`] : hello.command,
      env: Object.entries(environment).map(([key, value]) => `${key}=${value}`),
      cwd: home,
      // Without O_NOCTTY: the first terminal a session leader opens becomes its controlling one.
      files: [0, 1, 2].map((fd) => ({ fd, open: path, flags: O.RDWR, mode: 0 })),
      session: true,
      nofile: NOFILE,
      umask: UMASK,
    });
  }
}

function endingOf(status: number): Ending {
  const exit = decodeStatus(status);
  if (exit.kind === 'code') return { code: exit.code, signal: null };
  return { code: null, signal: exit.signal };
}
