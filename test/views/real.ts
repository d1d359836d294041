/**
 * Two supervisors of the same service directories: the real one of s6 or runit, as Debian has it,
 * and svinit with its views. The same clients do the same with both, and say the same of both.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, resolve } from 'node:path';
import type { Test } from 'tap';
import type { Runtime } from '../../scripts/compile.ts';
import { type Definitions, type Directory, writeDefinitions } from '../supervisor/definitions.ts';
import { type Ended, until } from '../supervisor/instance.ts';
import { Ear, run, type Viewed, viewed } from './clients.ts';

export type Family = 's6' | 'runit';

/** The same services under both. */
export type Pair = {
  readonly real: Side;
  readonly ours: Side;
  readonly viewed: Viewed;
  /** How the real supervisor's tree ends. */
  readonly ended: Promise<Ended>;
};

/** Starts both with `services`, which are there when they are given. */
export async function pair(
  t: Test,
  runtime: Runtime,
  family: Family,
  services: Definitions,
): Promise<Pair> {
  const tree = new RealTree(t, family, services);
  const json = { 'service.json': `{"dialect":"${family}"}` };
  const dialect = Object.entries(services).map(([name, files]) => [name, { ...files, ...json }]);
  const v = await viewed(t, runtime, Object.fromEntries(dialect));
  const ours = new Side(
    v.svinit.path(family === 's6' ? '/run/service' : '/run/sv'),
    v.svinit.path('/etc/svinit/services'),
    async () => void (await v.svinit.svctl('stop', 'views')),
  );
  const real = new Side(tree.path, tree.path, () => tree.leave());
  for (const side of [real, ours]) {
    for (const name of Object.keys(services)) await side.shown(name);
  }
  return { real, ours, viewed: v, ended: tree.ended };
}

/**
 * Takes the same steps on both sides at once; what came of them has to be the same, and what is
 * expected of the real one.
 */
export async function alike(
  t: Test,
  { real, ours }: Pair,
  steps: (side: Side) => Promise<readonly string[]>,
  expected: readonly (RegExp | string)[],
): Promise<void> {
  const [theirs, own] = await Promise.all([steps(real), steps(ours)]);
  t.match(theirs, expected, 'the real supervisor');
  t.equal(theirs.length, expected.length);
  t.same(own, theirs, 'svinit as the real supervisor');
}

export class Side {
  /** Where clients look. */
  readonly root: string;
  /** Where definitions are. */
  readonly homes: string;
  readonly #leave: () => Promise<void>;

  constructor(root: string, homes: string, leave: () => Promise<void>) {
    this.root = root;
    this.homes = homes;
    this.#leave = leave;
  }

  /** The directory of a service for clients. */
  view(name: string): string {
    return join(this.root, name);
  }

  /** A file where the service runs. */
  home(name: string, file: string): string {
    return join(this.homes, name, file);
  }

  touch(name: string, file: string): void {
    writeFileSync(this.home(name, file), '');
  }

  /** The code and the words of a client whose last argument is the name of a service. */
  async client(program: string, ...args: readonly string[]): Promise<string> {
    return this.#plain(await run(program, [...args.slice(0, -1), this.view(args.at(-1) ?? '')]));
  }

  /** The same with the arguments as they are, and SVDIR. */
  async sv(...args: readonly string[]): Promise<string> {
    return this.#plain(await run('sv', args, { SVDIR: this.root }));
  }

  stat(...args: readonly string[]): Promise<string> {
    return this.client('s6-svstat', ...args);
  }

  /** What a client says once that is what is waited for. */
  becomes(pattern: RegExp, ask: () => Promise<string>): Promise<string> {
    return until(`it says ${pattern}`, async () => {
      const text = await ask();
      return pattern.test(text) ? text : null;
    });
  }

  statIs(name: string, pattern: RegExp): Promise<string> {
    return this.becomes(pattern, () => this.stat(name));
  }

  /** Waits until its supervisor has a status of it. */
  async shown(name: string): Promise<void> {
    const status = join(this.view(name), 'supervise/status');
    await until(`${name} is shown`, async () => existsSync(status) || null);
  }

  /** Waits until the process that runs has set its traps, and gives its number. */
  async settled(name: string): Promise<string> {
    return until(`${name} has set its traps`, async () => {
      const pid = contentOf(this.home(name, 'settled')).trim();
      return pid !== '' && pid === this.#pid(name) ? pid : null;
    });
  }

  /** All that it has written into a file of its directory, once that is something. */
  wrote(name: string, file: string): Promise<string> {
    return until(`${name} has written ${file}`, async () => {
      return contentOf(this.home(name, file)).trim() || null;
    });
  }

  /** Waits until its logger has written the numbers from 0 on, again and again: so many lines. */
  async heardAll(name: string, count: number): Promise<void> {
    const lines = await until(`${count} lines of ${name} are logged`, async () => {
      const found = contentOf(this.home(name, 'log/heard')).trimEnd().split('\n');
      return found.length >= count ? found : null;
    });
    const wrong = lines.findIndex((line, i) => line !== String(i % 20_000));
    if (wrong >= 0) throw new Error(`Line ${wrong} is ${lines[wrong]}`);
  }

  listen(name: string): Ear {
    return new Ear(this.view(name));
  }

  /** Whether a file is there for clients. */
  has(name: string, file: string): string {
    return `${file}: ${existsSync(join(this.view(name), file))}`;
  }

  /** What a file for clients says. */
  says(name: string, file: string): string {
    return words(contentOf(join(this.view(name), file))).replace(/^\d+$/, 'N');
  }

  /** Waits until there are more listeners than `count`. */
  async heard(name: string, count: number): Promise<void> {
    await until(`somebody listens to ${name}`, async () => {
      const names = readdirSync(join(this.view(name), 'event'));
      return names.filter((file) => !file.startsWith('.')).length > count || null;
    });
    // It is heard of before it has looked at the state itself: what comes in between it may miss.
    let looks = 0;
    await until('s6-svwait waits', async () => {
      looks = waitersSleep() ? looks + 1 : 0;
      return looks === 5 || null;
    });
  }

  /** The supervisors go, as they do when they are told to; services of s6 stay. */
  leave(): Promise<void> {
    return this.#leave();
  }

  /** The number in runit's file, or in the status of s6, where it is at byte 24. */
  #pid(name: string): string {
    const path = join(this.view(name), 'supervise');
    if (existsSync(join(path, 'pid'))) return contentOf(join(path, 'pid')).trim();
    const status = readFileSync(join(path, 'status'));
    return status.length < 32 ? '' : String(status.readBigUInt64BE(24));
  }

  /** A shell that a client starts inside an instance does not know where it is: not its fault. */
  #plain({ code, stdout, stderr }: Awaited<ReturnType<typeof run>>): string {
    const said = stderr.replaceAll(/^.*getcwd\(\) failed.*$\n?/gm, '');
    return words(`${code} ${stdout}${said}`.replaceAll(`${this.root}/`, ''));
  }
}

/** Without what differs from one moment and one process to the next. */
function words(text: string): string {
  return text
    .trim()
    .replaceAll(/@[0-9a-f]{24}/g, '@STAMP')
    .replaceAll(/pid \d+/g, 'pid N')
    .replaceAll(/\d+ seconds/g, 'N seconds')
    .replaceAll(/\b\d+s\b/g, 'Ns');
}

function contentOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

/** The real supervisor, in a pid namespace of its own, which ends with the test. */
class RealTree {
  readonly path: string;
  readonly #family: Family;
  readonly #child: ChildProcess;
  readonly ended: Promise<Ended>;

  constructor(t: Test, family: Family, services: Definitions) {
    this.#family = family;
    mkdirSync('build/test', { recursive: true });
    this.path = mkdtempSync(resolve('build/test/real-'));
    writeDefinitions(this.path, services);
    const user = process.getuid?.() === 0 ? [] : ['--user', '--map-root-user'];
    const program = family === 's6' ? 's6-svscan' : 'runsvdir';
    const enter = ['--pdeathsig', 'KILL', '--', 'unshare', ...user, '--pid', '--fork'];
    this.#child = spawn('setpriv', [...enter, '--kill-child=KILL', '--', program, this.path], {
      stdio: 'ignore',
      env: { PATH: `${process.env['PATH']}:/usr/sbin` },
    });
    this.ended = new Promise((over) => {
      this.#child.once('exit', (code, signal) => over({ code, signal }));
    });
    t.teardown(async () => {
      this.#child.kill('SIGKILL');
      await this.ended;
      rmSync(this.path, { recursive: true, force: true });
    });
  }

  /** s6: the tree is stopped, so that it does not start them again. runit: it ends with them. */
  async leave(): Promise<void> {
    const [tree] = childrenOf(this.#child.pid ?? 0);
    if (tree === undefined) throw new Error('There is no tree');
    // What services left behind is its child as well.
    const supervisors = childrenOf(tree).filter((pid) =>
      SUPERVISOR.test(contentOf(`/proc/${pid}/comm`)),
    );
    if (this.#family === 's6') process.kill(tree, 'SIGSTOP');
    if (this.#family === 's6') for (const pid of supervisors) process.kill(pid, 'SIGQUIT');
    else process.kill(tree, 'SIGHUP');
    await until('the supervisors are gone', async () => supervisors.every(isOver) || null);
  }
}

const SUPERVISOR = /^(s6-supervise|runsv)$/m;

function childrenOf(pid: number): number[] {
  const text = contentOf(`/proc/${pid}/task/${pid}/children`).trim();
  return text === '' ? [] : text.split(' ').map(Number);
}

/** A zombie is over: the tree that would reap it is stopped. */
function isOver(pid: number): boolean {
  return !/\) [^Z] /.test(contentOf(`/proc/${pid}/stat`));
}

/**
 * A longrun with traps that says in `settled` when they are set, and ends with `code` on TERM;
 * `ready` are words of the shell that it runs then.
 */
export function longrun(code: number, more: Directory = {}, ready = ':'): Directory {
  const lines = [
    '#!/bin/sh',
    "trap 'kill $!' EXIT",
    `trap 'exit ${code}' TERM`,
    "trap 'echo $$ >usr1' USR1",
    'sleep 1000000 &',
    'echo $$ >settled.new && mv settled.new settled',
    ready,
    'while :; do wait; done',
  ];
  return { run: `${lines.join('\n')}\n`, ...more };
}

/** Options of s6-svc that wait for an event. */
export const wait = (letter: string): readonly string[] => [`-w${letter}`, '-T20000'];

/** Whether every s6-svwait there is now waits for something (proc_pid_stat(5): comm, state). */
function waitersSleep(): boolean {
  const states = readdirSync('/proc').flatMap((entry) => {
    if (!/^[0-9]+$/.test(entry)) return [];
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'utf8');
      return /\(s6-svwait\) (.)/.exec(stat)?.[1] ?? [];
    } catch {
      return [];
    }
  });
  return states.every((state) => state === 'S');
}
