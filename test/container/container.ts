/**
 * svinit as PID 1 of a container, from the image of `make container`, with services of the test's
 * own. Knows podman's and docker's command line; scripts/container.ts knows what they need here.
 */
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import type { Runtime } from '../../scripts/compile.ts';
import {
  buildImage,
  type Engine,
  findEngine,
  imageName,
  runCommand,
} from '../../scripts/container.ts';
import { type Definitions, writeDefinitions } from '../supervisor/definitions.ts';
import { Transcript, WITHIN_MS } from '../supervisor/transcript.ts';

export type ContainerOptions = {
  readonly runtime: string;
  /** For /etc/svinit/services. */
  readonly services: Definitions;
  /** Further options of the engine's `run`. */
  readonly options?: readonly string[];
  /** For /record. */
  readonly files?: Readonly<Record<string, string>>;
  /** Arguments of svinit. */
  readonly args?: readonly string[];
};

export type Output = { readonly code: number; readonly stdout: string; readonly stderr: string };

/** What of tap's `t` is needed to clean up after a test. */
type Test = { teardown(end: () => Promise<void>): void };

const engine: Engine | null = await findEngine();

/** Why nothing can be tested here, or null; printed as the reason of a skipped test. */
export const refusal: string | null = engine === null ? 'podman not found' : null;

/** Makes the images and removes them at the end, unless there were such images before. */
export async function buildImages(t: Test, runtimes: readonly Runtime[]): Promise<void> {
  if (engine === null) return;
  const { program } = engine;
  for (const runtime of runtimes) {
    const name = imageName(runtime);
    const there = await execa(program, ['image', 'inspect', name], { reject: false });
    await buildImage(engine, runtime);
    if (!there.failed) continue;
    t.teardown(async () => {
      await execa(program, ['rmi', '--force', name], { reject: false });
    });
  }
}

/** Starts a container; it is gone after the test whatever happens. */
export async function start(t: Test, options: ContainerOptions): Promise<Container> {
  if (engine === null) throw new TypeError('There is no engine');
  mkdirSync('build/test', { recursive: true });
  const directory = resolve(mkdtempSync('build/test/container-'));
  // Somebody else in there may have to write to it.
  chmodSync(directory, 0o777);
  writeDefinitions(join(directory, 'services'), withTarget(options.services));
  for (const [name, text] of Object.entries(options.files ?? {})) {
    writeFileSync(join(directory, name), text);
  }
  const container = new Container(engine, directory, options);
  t.teardown(async () => {
    await container.remove();
    rmSync(directory, { recursive: true, force: true });
  });
  return container;
}

let containers = 0;

export class Container {
  readonly name: string;
  /** What services said, on a volume: /record/said. */
  readonly record: Transcript;
  /** What svinit said. */
  readonly console: Transcript;
  /** /record, as the host has it. */
  readonly directory: string;
  readonly #program: string;
  readonly #ended: Promise<Output>;

  constructor({ program, runFlags }: Engine, directory: string, options: ContainerOptions) {
    containers += 1;
    this.name = `svinit-test-${process.pid}-${containers}`;
    this.directory = directory;
    this.record = new Transcript(join(directory, 'said'));
    this.console = new Transcript(join(directory, 'console'));
    this.#program = program;
    const volumes = [
      ...['--volume', `${directory}/services:/etc/svinit/services:ro`],
      ...['--volume', `${directory}:/record`, '--env', 'SAID=/record/said'],
    ];
    // Should this process be killed, nobody else will do it.
    const limit = program === 'podman' ? ['--timeout', '900'] : [];
    const more = ['--name', this.name, ...limit, ...volumes, ...(options.options ?? [])];
    const { runtime, args = [] } = options;
    const command = runCommand({ program, runFlags }, { runtime, args, options: more });
    this.#ended = output(command, this.console.path);
    void this.#ended.then(({ code, stderr }) => {
      const why = `The container ended with ${code}, saying ${stderr},`;
      for (const transcript of [this.record, this.console]) transcript.close(why);
    });
  }

  /** Runs a program inside, as the container's own user. */
  run(...argv: readonly string[]): Promise<Output> {
    return output([this.#program, 'exec', this.name, ...argv]);
  }

  svctl(...args: readonly string[]): Promise<Output> {
    return this.run('/usr/bin/svctl', ...args);
  }

  /** `stop` of the engine: TERM, and KILL much later. */
  async stop(): Promise<void> {
    await execa(this.#program, ['stop', '--time', '60', this.name]);
  }

  /** What `run` printed and returned once the container has ended. */
  end(): Promise<Output> {
    return this.#ended;
  }

  async remove(): Promise<void> {
    await execa(this.#program, ['rm', '--force', '--time', '0', this.name], { reject: false });
    await this.#ended;
  }
}

/** Where the image's own target is not wanted: a bundle of all that the test defines. */
function withTarget(services: Definitions): Definitions {
  if (Object.keys(services).length === 0) return {};
  const contents = Object.keys(services).map((name) => [`contents.d/${name}`, '']);
  return { ...services, default: { type: 'bundle\n', ...Object.fromEntries(contents) } };
}

/** Runs a command; what it says on stderr goes to `file` at once. */
async function output(command: readonly string[], file?: string): Promise<Output> {
  const [program = '', ...args] = command;
  const stderr = file === undefined ? 'pipe' : (['pipe', { file }] as const);
  const options = { reject: false, timeout: 4 * WITHIN_MS, stderr } as const;
  const ended = await execa(program, args, options);
  return { code: ended.exitCode ?? -1, stdout: ended.stdout, stderr: String(ended.stderr) };
}
