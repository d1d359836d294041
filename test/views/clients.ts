/**
 * The real clients of s6 and runit, as Debian has them, run from outside against the views inside an
 * instance: what they print, how they end, and what they hear.
 */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  constants,
  openSync,
  readdirSync,
  readFileSync,
  readSync,
  renameSync,
} from 'node:fs';
import { execa } from 'execa';
import type { Runtime } from '../../scripts/compile.ts';
import { type Definitions, type Directory, script } from '../supervisor/definitions.ts';
import { type Instance, type Output, start, until } from '../supervisor/instance.ts';

const CLIENTS = ['s6-svc', 's6-svstat', 's6-svwait', 's6-svlisten1', 's6-svscanctl', 'sv', 'runsv'];

/** False, or why the clients cannot be run: a tap `skip`. */
export const SKIP: false | string = missing();

function missing(): false | string {
  const path = `${process.env['PATH']}:/usr/sbin:/sbin`;
  const absent = CLIENTS.filter((name) => {
    try {
      execFileSync('sh', ['-c', `command -v ${name}`], { env: { PATH: path }, stdio: 'ignore' });
      return false;
    } catch {
      return true;
    }
  });
  return absent.length > 0 && `not there: ${absent.join(', ')} (scripts/need.sh s6-svc sv)`;
}

/** A longrun of the s6 dialect that idles, and ends with 0 on TERM. */
export function idle(more: Directory = {}): Directory {
  return { run: script("trap 'exit 0' TERM; idle"), 'service.json': '{"dialect":"s6"}', ...more };
}

/** The service as the image has it. */
export const VIEWS: Directory = Object.fromEntries(
  readdirSync('services/views').map((file) => [
    file,
    readFileSync(`services/views/${file}`, 'utf8'),
  ]),
);

type Test = Parameters<typeof start>[0];

/** An instance with views of `services`, which are there when it is given. */
export async function viewed(t: Test, runtime: Runtime, services: Definitions): Promise<Viewed> {
  const definitions = { ...services, views: VIEWS };
  const svinit = await start(t, { runtime, services: definitions, args: ['--testing'] });
  const viewed = new Viewed(svinit);
  await until('views is up', async () => (await svinit.service('views')).state === 'up' || null);
  return viewed;
}

export class Viewed {
  readonly svinit: Instance;

  constructor(svinit: Instance) {
    this.svinit = svinit;
  }

  /** The directory of a service for s6's clients. */
  s6(name: string): string {
    return this.svinit.path(`/run/service/${name}`);
  }

  /** The directory of a service for sv. */
  runit(name: string): string {
    return this.svinit.path(`/run/sv/${name}`);
  }

  /** Runs a client of s6; its last argument is the name of a service. */
  client(program: string, ...args: readonly string[]): Promise<Output> {
    return run(program, [...args.slice(0, -1), this.s6(args.at(-1) ?? '')]);
  }

  /** `s6-svstat NAME`, or with options before the name. */
  async stat(...args: readonly string[]): Promise<string> {
    return (await this.client('s6-svstat', ...args)).stdout;
  }

  /** Runs sv, which finds services by their names. */
  sv(...args: readonly string[]): Promise<Output> {
    return run('sv', args, { SVDIR: this.svinit.path('/run/sv') });
  }

  /** Waits until `s6-svstat NAME` says so. */
  statIs(name: string, pattern: RegExp): Promise<string> {
    return until(`${name} is ${pattern}`, async () => {
      const text = await this.stat(name);
      return pattern.test(text) ? text : null;
    });
  }

  /** All events of a service from now on, heard as s6's own clients do. */
  listen(name: string): Ear {
    return new Ear(this.s6(name));
  }
}

/** A listener's FIFO, named as s6-ftrigrd(8) names its own. */
export class Ear {
  readonly #fd: number;
  #heard = '';

  constructor(service: string) {
    const [hidden, name] = ['.', ''].map((dot) => `${service}/event/${dot}ftrig1:@${LABEL}:aaaaaa`);
    if (hidden === undefined || name === undefined) throw new TypeError();
    execFileSync('mkfifo', [hidden]);
    this.#fd = openSync(hidden, constants.O_RDWR | constants.O_NONBLOCK);
    renameSync(hidden, name);
  }

  /** All letters so far. */
  get heard(): string {
    const area = Buffer.alloc(4096);
    try {
      this.#heard += area.toString('latin1', 0, readSync(this.#fd, area));
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') throw error;
    }
    return this.#heard;
  }

  /** Waits until as much has been heard as `letters` are, and gives it. */
  hear(letters: string): Promise<string> {
    return until(`${letters} is heard`, async () => {
      const { heard } = this;
      return heard.length >= letters.length ? heard : null;
    });
  }

  close(): void {
    closeSync(this.#fd);
  }
}

const LABEL = '4000000000000000000000'.padEnd(24, '0');

export async function run(
  program: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<Output> {
  const options = {
    reject: false,
    env: { ...env, PATH: `${process.env['PATH']}:/usr/sbin` },
  } as const;
  const { exitCode, stdout, stderr } = await execa(program, args, { ...options, timeout: 20_000 });
  return { code: exitCode ?? -1, stdout, stderr };
}
