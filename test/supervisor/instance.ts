/**
 * svinit as PID 1 of fresh namespaces, with services of the test's own, driven from outside: its
 * console, its sockets, its logs, its signals. Everything in it dies with the test.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, fchmodSync, openSync, readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { constants } from 'node:os';
import { dirname, join } from 'node:path';
import { execa } from 'execa';
import type { Runtime } from '../../scripts/compile.ts';
import { namespaceCommand } from '../../scripts/namespace.ts';
import { LogReader } from '../../src/cli/logfiles.ts';
import type { ServiceView } from '../../src/core/methods.ts';
import type { Definitions } from './definitions.ts';
import { Peer, type Reply } from './peer.ts';
import { makeRoot, ROOT, removeRoots } from './roots.ts';
import { Transcript, WITHIN_MS } from './transcript.ts';

export type InstanceOptions = {
  readonly runtime: Runtime;
  /** Native definitions, in /etc/svinit/services. */
  readonly services?: Definitions;
  /** More definitions by the absolute path of their directory, for `--scan`. */
  readonly trees?: Readonly<Record<string, Definitions>>;
  /** A directory with usr, etc and var of packages, laid over the image's. */
  readonly packages?: string;
  /** Puts into the root what else there has to be, /usr excepted. */
  readonly prepare?: (root: string) => void;
  /** Arguments of svinit. */
  readonly args?: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** Nothing is mounted for it. */
  readonly bare?: boolean;
  /** An ordinary user's uid: then it is root in a user namespace only. */
  readonly uid?: number;
  /** Waited for on the console; by default that the boot has settled. */
  readonly until?: RegExp;
};

export type Ended = { readonly code: number | null; readonly signal: string | null };

export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** What of tap's `t` is needed to end an instance with its test. */
type Test = { teardown(end: () => Promise<void>): void };

const BOOTED = /^svinit: \d+ services up in .*/m;

/** Starts an instance and waits until it has booted. */
export async function start(t: Test, options: InstanceOptions): Promise<Instance> {
  const { runtime, services = {}, trees = {}, args = [], uid = process.getuid?.() ?? 0 } = options;
  const { packages, prepare } = options;
  const root = makeRoot({
    ...{ runtime, uid, services, trees },
    ...(packages === undefined ? {} : { packages }),
    ...(prepare === undefined ? {} : { prepare }),
  });
  const console = new Transcript(join(dirname(root), 'console'));
  const [program = '', ...rest] = [
    ...prefix(uid),
    ...namespaceCommand({
      root,
      args: ['/init', ...args],
      userNamespace: uid !== ROOT,
      bare: options.bare ?? false,
      ...(options.env === undefined ? {} : { env: options.env }),
    }),
  ];
  // A regular file: what is written to it is in order whoever writes, and it cannot be full.
  const output = openSync(console.path, 'a');
  fchmodSync(output, 0o666);
  const child = spawn(program, rest, { stdio: ['ignore', output, output] });
  closeSync(output);
  const instance = new Instance(child, console, uid);
  t.teardown(async () => {
    await instance.kill();
    removeRoots();
  });
  await console.expect(options.until ?? BOOTED);
  return instance;
}

export class Instance {
  readonly console: Transcript;
  readonly #ended: Promise<Ended>;
  readonly #child: ChildProcess;
  readonly #uid: number;
  #pid = 0;

  constructor(child: ChildProcess, console: Transcript, uid: number) {
    this.console = console;
    this.#child = child;
    this.#uid = uid;
    this.#ended = new Promise((resolve) => {
      const end = (code: number | null, signal: string | null): void => {
        console.close(`PID 1 ended with ${code ?? signal}`);
        resolve({ code, signal });
      };
      child.once('error', (error) => end(null, error.message));
      child.once('exit', end);
    });
  }

  /** PID 1 as the host numbers it: the only child of the command that was started. */
  get pid(): number {
    if (this.#pid === 0) {
      const { pid } = this.#child;
      const first = Number.parseInt(readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8'), 10);
      if (!(first > 1)) throw new Error('There is no PID 1');
      this.#pid = first;
    }
    return this.#pid;
  }

  /** Runs a program inside. */
  async run(argv: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<Output> {
    const namespaces = [...(this.#uid === ROOT ? [] : ['--user']), ...NAMESPACES];
    const enter = ['nsenter', '--preserve-credentials', '-t', String(this.pid), ...namespaces];
    const [program = '', ...args] = [...prefix(this.#uid), ...enter, '--', ...argv];
    const options = { reject: false, extendEnv: false, env: { PATH, ...env } } as const;
    const { exitCode, stdout, stderr } = await execa(program, args, options);
    return { code: exitCode ?? -1, stdout, stderr };
  }

  svctl(...args: readonly string[]): Promise<Output> {
    return this.run(['/usr/bin/svctl', ...args]);
  }

  /** Connects to a socket of svinit's; from another user than the instance's, one may only look. */
  dial(socket?: 'control' | 'status', deaf = false): Promise<Peer> {
    const usual = this.#uid === process.getuid?.() ? 'control' : 'status';
    return Peer.dial(this.path(`/run/svinit/${socket ?? usual}`), deaf);
  }

  /** One request on a connection of its own. Null: it was closed without an answer. */
  async call(method: string, params: unknown = {}): Promise<Reply | null> {
    const peer = await this.dial();
    try {
      return await peer.ask(method, params);
    } finally {
      await peer.close();
    }
  }

  /** The services as `ls` shows them, by name. */
  async services(): Promise<ReadonlyMap<string, ServiceView>> {
    const reply = await this.call('ls');
    if (reply?.result === undefined) throw new Error(`Cannot list: ${JSON.stringify(reply)}`);
    const { services } = reply.result as { services: readonly ServiceView[] };
    return new Map(services.map((service) => [service.name, service]));
  }

  async service(name: string): Promise<ServiceView> {
    const found = (await this.services()).get(name);
    if (found === undefined) throw new Error(`There is no service ${name}`);
    return found;
  }

  /** What a service has printed so far, line by line. */
  log(name: string): string[] {
    const reader = new LogReader(this.path('/run/log/svinit'), name);
    const lines: string[] = [];
    reader.begin(null);
    for (let record = reader.next(); record !== null; record = reader.next()) {
      lines.push(Buffer.from(record.text).toString());
    }
    reader.close();
    return lines;
  }

  /** The present log file of a service, to wait for what it says. */
  logFile(name: string): Transcript {
    return new Transcript(this.path(`/run/log/svinit/${name}/current`));
  }

  /** A path inside, as the host can open it. */
  path(inside: string): string {
    return `/proc/${this.pid}/root${inside}`;
  }

  /** What PID 1 has open, sorted, without the console, which it opens when it has a word to say. */
  descriptors(): readonly string[] {
    const fds = readdirSync(`/proc/${this.pid}/fd`);
    return fds
      .map((fd) => linkOf(`/proc/${this.pid}/fd/${fd}`).replace(/\[\d+\]$/, ''))
      .filter((target) => target !== '' && target !== this.console.path)
      .sort();
  }

  /** The states of all processes inside, by pid as they see it: `S`, `Z` ... */
  processes(): ReadonlyMap<number, string> {
    const pids = readdirSync(this.path('/proc')).filter((name) => /^\d+$/.test(name));
    return new Map(pids.map((pid) => [Number(pid), stateOf(this.path(`/proc/${pid}/stat`))]));
  }

  /** Sends a signal to PID 1 from outside. */
  signal(name: NodeJS.Signals): void {
    process.kill(this.pid, constants.signals[name]);
  }

  /** How PID 1 ended, once it has. */
  async end(): Promise<Ended> {
    const stuck = AbortSignal.timeout(WITHIN_MS);
    return Promise.race([this.#ended, once(stuck, 'abort').then(() => this.#stuck())]);
  }

  /** Kills everything at once and waits for it; nothing happens when it has ended. */
  async kill(): Promise<void> {
    try {
      // An image begun from another thread than the first does not die with who started it.
      process.kill(this.pid, 'SIGKILL');
    } catch {
      // It has ended, or never began.
    }
    this.#child.kill('SIGKILL');
    await this.#ended;
  }

  #stuck(): never {
    throw new Error(`PID 1 did not end within ${WITHIN_MS} ms:\n${this.console.text()}`);
  }
}

/** Asks again and again until `look` gives something: for what no event tells of. */
export async function until<T>(what: string, look: () => Promise<T | null>): Promise<T> {
  const endsAt = performance.now() + WITHIN_MS;
  for (;;) {
    const found = await look();
    if (found !== null) return found;
    if (performance.now() > endsAt) throw new Error(`Waited ${WITHIN_MS} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

const LOOK_MS = 10;

/** Those that namespaceCommand makes; a user namespace only for an ordinary user. */
const NAMESPACES = ['--pid', '--mount', '--uts', '--ipc', '--net', '--cgroup'];

const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/** Becomes `uid`, unless that is who we are. */
function prefix(uid: number): readonly string[] {
  if (uid === process.getuid?.()) return [];
  return ['setpriv', `--reuid=${uid}`, `--regid=${uid}`, '--clear-groups', '--'];
}

/** Empty when it is gone. */
function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** The letter behind the name of the program in /proc/PID/stat; X when it is gone. */
function stateOf(file: string): string {
  try {
    return /.*\) (\S)/s.exec(readFileSync(file, 'latin1'))?.[1] ?? 'X';
  } catch {
    return 'X';
  }
}
