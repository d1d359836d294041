/**
 * The file systems at the very end: synced, unmounted in reverse, made read-only where they are
 * busy. All of it by disposable children, each with a deadline, for any of these calls may hang
 * (F52); what hangs is left behind and named.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { type Mount, parseMounts, parseSwaps } from '../core/mountinfo.ts';
import { type Millis, ms, type Pid } from '../core/units.ts';
import { leftWords, toUnmount, writable } from '../core/unmount.ts';
import type { Kernel } from '../sys/kernel.ts';

export type UnmountPorts = {
  readonly kernel: Kernel;
  readonly say: (text: string) => void;
  /** Reaps; called again and again while waiting. */
  readonly reap: () => void;
  readonly environment: Readonly<Record<string, string>>;
};

/** How long one child may take, in milliseconds; then it is left behind. */
const SYNC_WITHIN_MS = 30_000;
const CHILD_WITHIN_MS = 10_000;
/** No child is started any more after this long in all: a machine may have many dead servers. */
const ALL_WITHIN_MS = 90_000;
/** What was unmounted may have held something else. */
const ROUNDS_MAX = 5;
/** How often a child is looked at meanwhile. */
const LOOK_MS = 20;

const MOUNTS = '/proc/self/mountinfo';
const BLOCK_DEVICES = '/sys/block';
/** Where programs may be; an image has them in one of these. */
const FOLDERS: readonly string[] = ['/bin', '/sbin', '/usr/bin', '/usr/sbin'];

/** Puts the file systems in order as far as that goes, in bounded time. Never throws. */
export async function unmountAll(ports: UnmountPorts): Promise<void> {
  const { kernel, say } = ports;
  const children = new Children(ports);
  await children.run('sync', ['sync'], SYNC_WITHIN_MS);
  const until = kernel.monotonic() + ALL_WITHIN_MS;
  const run = async (what: string, argv: readonly string[]): Promise<void> => {
    const left = Math.min(CHILD_WITHIN_MS, until - kernel.monotonic());
    if (left > 0) await children.run(what, argv, left);
  };
  // Space that is swapped to keeps the file system below it busy.
  for (const space of swaps()) await run(`stop swapping to ${space}`, ['swapoff', space]);
  for (let round = 0; round < ROUNDS_MAX; round += 1) {
    const before = inUse();
    if (before === 0) break;
    for (const target of toUnmount(mounts())) await run(`unmount ${target}`, ['umount', target]);
    for (const device of loops()) await run(`detach ${device}`, ['losetup', '-d', device]);
    for (const name of mapped()) await run(`remove ${name}`, ['dmsetup', 'remove', name]);
    if (inUse() >= before) break;
  }
  for (const target of writable(mounts())) {
    await run(`make ${target} read-only`, ['mount', '-o', 'remount,ro', target]);
  }
  const left = leftWords(mounts());
  if (left !== null) say(left);
}

/** Programs that are run one after the other; what hung once is not tried again. */
class Children {
  readonly #ports: UnmountPorts;
  readonly #hung = new Set<string>();

  constructor(ports: UnmountPorts) {
    this.#ports = ports;
  }

  /** Runs one program and waits for it, but not longer than `withinMs`. */
  async run(what: string, argv: readonly string[], withinMs: number): Promise<void> {
    const { kernel, reap, say } = this.#ports;
    const object = argv.at(-1) ?? '';
    if (this.#hung.has(object)) return;
    let pid: Pid;
    try {
      pid = this.#spawn(argv);
    } catch (error) {
      return say(`cannot ${what}: ${error instanceof Error ? error.message : String(error)}`);
    }
    const until: Millis = ms(kernel.monotonic() + withinMs);
    // Its exit is reaped with the others; that its entry is gone is all that matters here.
    while (kernel.kill(pid, 0)) {
      reap();
      if (kernel.monotonic() >= until) {
        this.#hung.add(object);
        return say(`${what} took too long, going on`);
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
  }

  /** @throws {SysError} when there is no such program, or no process for it. */
  #spawn(argv: readonly string[]): Pid {
    const { kernel, environment } = this.#ports;
    const env = Object.entries(environment).map(([key, value]) => `${key}=${value}`);
    const files = [0, 1, 2].map((fd) => ({ fd, open: '/dev/null', flags: 2, mode: 0 }));
    let missing: unknown;
    for (const folder of FOLDERS) {
      try {
        const path = `${folder}/${argv[0] ?? ''}`;
        return kernel.spawn({ path, argv, env, cwd: '/', files, session: true, nofile: null });
      } catch (error) {
        if (!(error instanceof Error && 'code' in error && error.code === 'ENOENT')) throw error;
        missing = error;
      }
    }
    throw missing;
  }
}

function mounts(): Mount[] {
  return parseMounts(textOf(MOUNTS));
}

/** What there is to be put in order; less of it after a round that was of use. */
function inUse(): number {
  return toUnmount(mounts()).length + loops().length + mapped().length;
}

/** Files and devices that are swapped to, from /proc/swaps (proc(5)), which writes as mounts do. */
function swaps(): string[] {
  return parseSwaps(textOf('/proc/swaps'));
}

/** Names of devices of the device mapper, where the program that removes them is there. */
function mapped(): string[] {
  if (!FOLDERS.some((folder) => existsSync(`${folder}/dmsetup`))) return [];
  try {
    const devices = readdirSync(BLOCK_DEVICES).filter((name) => name.startsWith('dm-'));
    // The last made stands on others, not the other way round.
    return devices
      .sort((a, b) => Number(b.slice(3)) - Number(a.slice(3)))
      .map((name) => textOf(`${BLOCK_DEVICES}/${name}/dm/name`).trim())
      .filter((name) => name !== '');
  } catch {
    return [];
  }
}

/** Loop devices that have a file behind them (loop(4)). */
function loops(): string[] {
  try {
    return readdirSync(BLOCK_DEVICES)
      .filter((name) => textOf(`${BLOCK_DEVICES}/${name}/loop/backing_file`) !== '')
      .map((name) => `/dev/${name}`);
  } catch {
    return [];
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
