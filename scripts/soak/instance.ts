/**
 * An instance for a soak: svinit of the built image as PID 1 of its own namespaces, in a root of its
 * own, with services that count what they do, and a reading of what PID 1 costs.
 */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import type { Results } from '../../src/core/methods.ts';
import { type Definitions, longrun, script } from '../../test/supervisor/definitions.ts';
import { type Instance, start } from '../../test/supervisor/instance.ts';
import type { Runtime } from '../compile.ts';

/** What PID 1 costs at one moment. */
export type Cost = {
  /** VmRSS of proc_pid_status(5), in KiB. */
  readonly rss: number;
  readonly descriptors: number;
  readonly zombies: number;
};

/** Numbered lines, fifty a second, until /tmp/enough is there; then the last number. */
export const WRITER: string = script(`
  i=0
  while [ ! -e /tmp/enough ]; do
    n=0; while [ $n -lt 50 ]; do i=$((i + 1)); n=$((n + 1)); echo $i; done
    sleep 1
  done
  echo last $i
  idle
`);

/** Lives a little more than a second, and counts its lives; its exit code is one of seven. */
export const MORTAL: string = script(`
  mkdir -p /tmp/lives
  me=/tmp/lives/\${PWD##*/}
  k=$(cat $me 2>/dev/null || echo 0)
  [ -e /tmp/enough ] && idle
  echo $((k + 1)) >$me
  sleep 1.1
  exit $(((k + 1) % 7 + 1))
`);

export async function begin(runtime: Runtime, services: Definitions): Promise<Instance> {
  const t = { teardown: (act: () => unknown) => teardowns.push(act) };
  const all = { ...services, base: longrun('base') };
  return start(t as unknown as Parameters<typeof start>[0], { runtime, services: all, args: [] });
}

export async function end(): Promise<void> {
  for (const act of teardowns.splice(0).reverse()) await act();
}

const teardowns: (() => unknown)[] = [];

export function costOf(svinit: Instance): Cost {
  const { pid } = svinit;
  const rss = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
  const zombies = [...svinit.processes().values()].filter((state) => state === 'Z').length;
  return { rss: Number(rss), descriptors: readdirSync(`/proc/${pid}/fd`).length, zombies };
}

/** When PID 1 was started, in clock ticks: the same number means the same process. */
export function startOf({ pid }: Instance): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
  return stat.replace(/^.*\) /s, '').split(' ')[19] ?? '';
}

/** The numbers that a writer has printed and that are in its log: how many are missing or twice. */
export function missing(svinit: Instance, name: string): { wrong: number; lines: number } {
  const lines = svinit.log(name);
  const last = Number(/\d+/.exec(lines.pop() ?? '')?.[0]);
  const wrong = Array.from({ length: last }, (_, i) => lines[i] === String(i + 1)).filter(
    (isRight) => !isRight,
  ).length;
  return { wrong: wrong + Math.abs(lines.length - last), lines: last };
}

export function livesOf(svinit: Instance, name: string): number {
  const path = svinit.path(`/tmp/lives/${name}`);
  if (statSync(path, { throwIfNoEntry: false }) === undefined) return 0;
  return Number(readFileSync(path, 'utf8'));
}

export async function list(svinit: Instance): Promise<Results['ls']['services']> {
  const reply = await svinit.call('ls');
  const { services } = (reply?.result ?? { services: [] }) as Results['ls'];
  return services;
}
