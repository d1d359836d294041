/**
 * A person at a terminal: a pseudo-terminal of the host on which a program runs inside an instance,
 * what it shows, and keys to type.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { openPty, type Pty, releaseSlave } from '../../scripts/pty.ts';
import type { Fd } from '../../src/core/units.ts';
import { openLibc } from '../../src/sys/open.ts';
import { terminalMode } from '../../src/sys/terminal.ts';
import type { Instance } from './instance.ts';
import { WITHIN_MS } from './transcript.ts';

type Test = { teardown(end: () => Promise<void>): void };

/** Starts `argv` inside `svinit`, on a terminal of 80 columns and 24 rows. */
export function sit(t: Test, svinit: Instance, ...argv: readonly string[]): Screen {
  const pty = openPty();
  pty.resize(80, 24);
  const screen = new Screen(pty, svinit.pid, argv);
  t.teardown(() => screen.leave());
  return screen;
}

const NAMESPACES = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup'];
const ENV = { PATH: '/usr/sbin:/usr/bin:/sbin:/bin', TERM: 'xterm' };
/** The first 17 bytes of struct termios: what a program may have left changed. */
const FLAGS_BYTES = 17;

export class Screen {
  readonly #pty: Pty;
  readonly #child: ChildProcess;
  readonly #ended: Promise<number | null>;
  readonly #before: Uint8Array;
  #text = '';
  #seen = 0;
  #look: () => void = () => {};

  constructor(pty: Pty, pid: number, argv: readonly string[]) {
    this.#pty = pty;
    this.#before = this.#mode();
    pty.master.setEncoding('utf8');
    pty.master.on('data', (text) => {
      this.#text += String(text);
      this.#look();
    });
    // The last one who had the terminal open is gone.
    pty.master.on('error', () => {});
    const enter = ['-t', String(pid), ...NAMESPACES, '--', ...argv];
    // A session of its own, with the terminal as the controlling one: else no size is told.
    this.#child = spawn('setsid', ['--ctty', '--wait', 'nsenter', ...enter], {
      stdio: [pty.slaveFd, pty.slaveFd, pty.slaveFd],
      env: ENV,
    });
    this.#ended = once(this.#child, 'exit').then(([code]) => code as number | null);
  }

  get text(): string {
    return this.#text;
  }

  /** The next that matches, behind what was expected before. */
  expect(pattern: RegExp | string): Promise<string> {
    const source = typeof pattern === 'string' ? new RegExp(literal(pattern)) : pattern;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`Waited for ${source}, behind ${this.#seen} of:\n${this.#text}`));
      }, WITHIN_MS);
      this.#look = () => {
        const found = source.exec(this.#text.slice(this.#seen));
        if (found === null) return;
        this.#seen += found.index + found[0].length;
        clearTimeout(timer);
        this.#look = () => {};
        resolve(found[0]);
      };
      this.#look();
    });
  }

  type(keys: string): void {
    const bytes = Buffer.from(keys);
    this.#pty.master.write(bytes);
  }

  resize(columns: number, rows: number): void {
    this.#pty.resize(columns, rows);
  }

  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, name);
  }

  /** Of the program itself, as the host numbers it. */
  get pid(): number {
    return lastChild(this.#child.pid ?? 0);
  }

  /** The exit code of the program. */
  end(): Promise<number | null> {
    return this.#ended;
  }

  /** Whether the terminal is as it was before the program. */
  isRestored(): boolean {
    return Buffer.compare(this.#before, this.#mode()) === 0;
  }

  async leave(): Promise<void> {
    this.#child.kill('SIGKILL');
    await this.#ended;
    releaseSlave(this.#pty);
    this.#pty.master.destroy();
  }

  #mode(): Uint8Array {
    return terminalMode(openLibc(), this.#pty.slaveFd as Fd).subarray(0, FLAGS_BYTES);
  }
}

function literal(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
}

/** The youngest of a line of only children. */
function lastChild(pid: number): number {
  const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim();
  return children === '' ? pid : lastChild(Number.parseInt(children, 10));
}
