/**
 * Looks through /proc for who holds a root, and ends those that live in it. Nothing here opens a
 * path of the root: links of /proc are read, not followed.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { devicesAt, type Holder, holdersOf, type Witness } from '../core/root-holders.ts';
import type { RootPlaces } from '../core/root-places.ts';

/** Where a root may be held; the devices are looked up while it is still mounted. */
export type Held = { readonly targets: readonly string[]; readonly devices: ReadonlySet<string> };

export function heldBy({ tree, lower, upper }: RootPlaces): Held {
  const targets = [tree, lower, upper];
  return { targets, devices: devicesAt(textOf('/proc/self/mountinfo'), targets) };
}

/** Everybody who holds it now, but us. */
export function holdersNow({ targets, devices }: Held): readonly Holder[] {
  const own = linkOf('/proc/self/ns/mnt');
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const others = pids.filter((pid) => pid !== String(process.pid));
  return holdersOf(
    others.map((pid) => witnessOf(pid, own)),
    devices,
    targets,
  );
}

/** How long those that live in it have after TERM, and after KILL, in milliseconds. */
const TERM_WITHIN_MS = 3000;
const KILL_WITHIN_MS = 2000;
const LOOK_MS = 50;

/** Ends those that live in the root, and gives those that are left. */
export async function endInside(
  held: Held,
  tell: (line: string, who: readonly Holder[]) => void,
): Promise<readonly Holder[]> {
  const inside = (): readonly Holder[] =>
    holdersNow(held).filter((holder) => holder.inside && !holder.storage);
  const first = inside();
  if (first.length === 0) return [];
  tell('still in the root, asked to end:', first);
  for (const { pid } of first)
    for (const signal of ['SIGTERM', 'SIGCONT'] as const) send(pid, signal);
  if (await gone(inside, TERM_WITHIN_MS)) return [];
  const stubborn = inside();
  tell('killed in the root:', stubborn);
  for (const { pid } of stubborn) send(pid, 'SIGKILL');
  return (await gone(inside, KILL_WITHIN_MS)) ? [] : inside();
}

async function gone(look: () => readonly Holder[], withinMs: number): Promise<boolean> {
  const until = performance.now() + withinMs;
  while (look().length > 0) {
    if (performance.now() > until) return false;
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
  return true;
}

function witnessOf(pid: string, own: string): Witness {
  const home = `/proc/${pid}`;
  const name = textOf(`${home}/comm`).trim();
  const namespace = linkOf(`${home}/ns/mnt`);
  const isOther = namespace !== '' && namespace !== own;
  const isMarked = textOf(`${home}/cmdline`).startsWith('@');
  return {
    ...{ pid: Number(pid), name },
    storage: isMarked && isOfRoot(home),
    mountinfo: isOther ? textOf(`${home}/mountinfo`) : null,
    paths: isOther ? [] : pathsOf(home),
  };
}

function pathsOf(home: string): readonly string[] {
  const files = namesIn(`${home}/fd`).map((fd) => `fd/${fd}`);
  return ['cwd', 'root', 'exe', ...files].map((name) => linkOf(`${home}/${name}`));
}

function isOfRoot(home: string): boolean {
  try {
    return statSync(home).uid === 0;
  } catch {
    return false;
  }
}

function send(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile.
  }
}

function namesIn(directory: string): readonly string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}

function linkOf(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}
