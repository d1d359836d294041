/**
 * The machine that measures, as it is named beside the figures; and a cgroup of its own for each
 * life, so that no init meets the cgroups of the host.
 */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { execa } from 'execa';

/** Cores, kernel, versions. */
export async function describeMachine(): Promise<Record<string, string>> {
  const [cpu] = cpus();
  const versions = await Promise.all(
    Object.entries(PACKAGES).map(async ([name, pattern]) => [name, packaged(pattern)] as const),
  );
  const bun = await execa('bun', ['--version'], { reject: false });
  return {
    processors: `${cpus().length} × ${cpu?.model.trim() ?? 'unknown'}`,
    memory: `${(totalmem() / 1024 ** 3).toFixed(0)} GiB`,
    kernel: `Linux ${release()}`,
    load: loadavg()[0]?.toFixed(2) ?? '?',
    Bun: bun.stdout,
    Node: process.version.slice(1),
    ...Object.fromEntries(versions),
    pm2: npmVersion('build/bench/pm2/node_modules/pm2/package.json'),
  };
}

/** Debian's packages by the beginning of their file's name. */
const PACKAGES = {
  s6: 's6_',
  runit: 'runit_',
  busybox: 'busybox-static_',
  systemd: 'systemd_',
  supervisord: 'supervisor_',
  tini: 'tini_',
  daemontools: 'daemontools_',
} as const;

function packaged(prefix: string): string {
  const directory = 'build/bench/apt/archives';
  if (!existsSync(directory)) return 'not fetched';
  const file = readdirSync(directory).find((name) => name.startsWith(prefix));
  return decodeURIComponent(file?.split('_')[1] ?? 'not fetched');
}

function npmVersion(path: string): string {
  if (!existsSync(path)) return 'not fetched';
  return String((JSON.parse(readFileSync(path, 'utf8')) as { version: string }).version);
}

/** A new cgroup below our own; null where cgroups of version 2 are not to be had. */
export function makeCgroup(name: string): string | null {
  const mounts = readFileSync('/proc/self/mounts', 'utf8');
  const mount = /^\S+ (\S+) cgroup2 /m.exec(mounts)?.[1];
  const own = /^0::(.*)$/m.exec(readFileSync('/proc/self/cgroup', 'utf8'))?.[1];
  if (mount === undefined || own === undefined) return null;
  const path = join(mount, own, `bench-${name}`);
  try {
    mkdirSync(path, { recursive: true });
    return path;
  } catch {
    return null;
  }
}

/** A command that enters the cgroup and executes another. */
export function within(path: string | null, command: readonly string[]): readonly string[] {
  if (path === null) return command;
  return ['/bin/sh', '-c', 'echo $$ >"$0/cgroup.procs" && exec "$@"', path, ...command];
}

/** Removes it with all that was made in it; its processes are about to be gone. Never fails. */
export async function removeCgroup(path: string): Promise<void> {
  for (let tries = 0; tries < 40 && existsSync(path); tries += 1) {
    try {
      removeBelow(path);
    } catch {
      await sleep(50);
    }
  }
}

function removeBelow(path: string): void {
  for (const entry of readdirSync(path, { withFileTypes: true })) {
    if (entry.isDirectory()) removeBelow(join(path, entry.name));
  }
  rmdirSync(path);
}
