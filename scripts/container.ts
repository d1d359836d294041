/**
 * `node scripts/container.ts build|run [ARGS...]`: the image's root as a container image, from
 * scratch (`make container`, `make run-container`).
 *
 * RUNTIME (bun or node) chooses which; the image is called svinit:RUNTIME. Works with podman, or
 * docker where there is no podman, or whatever CONTAINER_ENGINE names. ARGS go to svinit. Also
 * exports both for tests.
 */
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { execa } from 'execa';
import { tool } from './tool.ts';

export type Engine = {
  readonly program: string;
  /** What `run` needs on this host before anything else. */
  readonly runFlags: readonly string[];
};

export type ContainerRun = {
  readonly runtime: string;
  /** Arguments of svinit, or of `entrypoint`. */
  readonly args?: readonly string[];
  /** Further options of the engine's `run`: `--read-only`, `--user`, `--entrypoint` ... */
  readonly options?: readonly string[];
};

/** What a container of ours must know that a plain root does not say. */
const CHANGES = [
  'ENTRYPOINT ["/init"]',
  'STOPSIGNAL SIGTERM',
  'ENV PATH=/usr/sbin:/usr/bin',
  'WORKDIR /',
];

/** The engine of this host, or `null` when there is none. */
export async function findEngine(): Promise<Engine | null> {
  for (const program of engineNames()) {
    const { failed } = await execa(program, ['--version'], { reject: false });
    if (!failed) return { program, runFlags: program === 'podman' ? podmanFlags() : [] };
  }
  return null;
}

/** Makes the image svinit:RUNTIME of build/RUNTIME/root.tar, in place of an older one. */
export async function buildImage({ program }: Engine, runtime: string): Promise<void> {
  const name = imageName(runtime);
  const changes = CHANGES.flatMap((change) => ['--change', change]);
  const older = await imageId(program, name);
  await tool(program, ['import', ...changes, `build/${runtime}/root.tar`, name]);
  // Without its name the older one would only take space; a container still using it keeps it.
  if (older !== null && older !== (await imageId(program, name))) {
    await execa(program, ['rmi', older], { reject: false });
  }
}

async function imageId(program: string, name: string): Promise<string | null> {
  const args = ['image', 'inspect', '--format', '{{.Id}}', name];
  const { failed, stdout } = await execa(program, args, { reject: false });
  return failed ? null : stdout;
}

/** Runs a container that is removed when it ends. */
export function runCommand(
  engine: Engine,
  { runtime, args, options }: ContainerRun,
): readonly string[] {
  const { program, runFlags } = engine;
  return [
    ...[program, 'run', '--rm', ...runFlags, ...(options ?? [])],
    ...[imageName(runtime), ...(args ?? [])],
  ];
}

export function imageName(runtime: string): string {
  return `localhost/svinit:${runtime}`;
}

function engineNames(): readonly string[] {
  const asked = process.env['CONTAINER_ENGINE'];
  return asked === undefined || asked === '' ? ['podman', 'docker'] : [asked];
}

/**
 * Inside a container or a small VM root often lacks CAP_SYS_RESOURCE, so that podman's own limits,
 * which it raises, are refused; crun refuses a host with both cgroup hierarchies where runc does
 * not; and a user's containers only have a network where the user may open /dev/net/tun.
 */
function podmanFlags(): readonly string[] {
  const limits = ['--ulimit', 'nofile=1024:1024', '--ulimit', 'nproc=1000:1000'];
  const root = process.getuid?.() === 0;
  return [
    ...(root && !hasCapability(CAP_SYS_RESOURCE) ? limits : []),
    ...(existsSync('/sys/fs/cgroup/unified') ? ['--runtime', 'runc'] : []),
    ...(root || mayOpen('/dev/net/tun') ? [] : ['--network', 'none']),
  ];
}

function mayOpen(path: string): boolean {
  try {
    accessSync(path, constants.R_OK | constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** include/uapi/linux/capability.h */
const CAP_SYS_RESOURCE = 24n;

function hasCapability(number: bigint): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1];
  return ((BigInt(`0x${effective ?? '0'}`) >> number) & 1n) === 1n;
}

async function main([verb, ...args]: readonly string[]): Promise<number> {
  const engine = await findEngine();
  if (engine === null) throw new Error('Cannot find podman or docker');
  const runtime = process.env['RUNTIME'] || 'bun';
  if (verb === 'build') {
    await buildImage(engine, runtime);
    console.log(`${engine.program} image: ${imageName(runtime)}`);
    return 0;
  }
  const terminal = process.stdin.isTTY === true ? ['--tty'] : [];
  const options = ['--interactive', ...terminal, '--name', 'svinit'];
  const [program = '', ...rest] = runCommand(engine, { runtime, args, options });
  const { status, error } = spawnSync(program, rest, { stdio: 'inherit' });
  if (error !== undefined) throw error;
  return status ?? 1;
}

if (import.meta.main) process.exitCode = await main(process.argv.slice(2));
