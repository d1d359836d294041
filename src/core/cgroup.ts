/**
 * What svinit makes of cgroup v2 (Documentation/admin-guide/cgroup-v2.rst): whether there is a tree
 * of its own, where a service is in it, what is written there, which processes belong to a service
 * that was just started, and when what is left of one must go. It reads texts and touches no file.
 */

import { hasErrands } from './errand.ts';
import { fileNameOf, nameOfFile } from './names.ts';
import { pidOf, type Service } from './phase.ts';
import type { Spec } from './spec.ts';
import type { CgroupFile, CgroupLimits } from './spec-cgroup.ts';
import { type Pid, pid as toPid } from './units.ts';

/** What is known of the cgroup that this process is in. */
export type CgroupFacts = {
  /** The text of /proc/self/cgroup; empty when it cannot be read. */
  readonly own: string;
  /** PID 1 of the initial pid namespace: the whole hierarchy is its own. */
  readonly machine: boolean;
};

/** A process: its parent and its session (proc_pid_stat(5)). */
export type Kin = { readonly parent: number; readonly session: number };

/** Where svinit is itself: a cgroup with others in it may have no processes (cgroup-v2.rst). */
export const OWN_CGROUP = 'svinit.init';
/** Where each service has a cgroup of its own. */
export const SERVICES_CGROUP = 'svinit.services';
/** Where programs of a service go that has divided its own cgroup: nobody may be in that one. */
export const CONTROL_CGROUP = 'svinit.control';
/** So many cgroups may be made in one that was given away, and so deep: we have to remove them. */
export const DELEGATED_MAX: Readonly<Record<string, string>> = {
  'cgroup.max.descendants': '1000',
  'cgroup.max.depth': '16',
};
/** Enabled for services, as far as they exist. */
export const CONTROLLERS: readonly string[] = ['memory', 'pids', 'cpu', 'io', 'cpuset'];

/**
 * Whether the tree at the mount point may be ours. Outside a machine that takes a cgroup namespace,
 * of which we are in the root: elsewhere the same files are the host's.
 */
export function mayBeOurs({ own, machine }: CgroupFacts): boolean {
  const line = own.split('\n').find((text) => text.startsWith('0::/'));
  if (line === undefined) return false;
  return machine || line === '0::/' || line === `0::/${OWN_CGROUP}`;
}

/**
 * Whether a cgroup that is not a machine's root was left to us: it is no root (those have no
 * `cgroup.type`), and nobody outside our pid namespace is in it (those are shown as 0).
 */
export function isDelegated(type: string | null, procs: string): boolean {
  return type !== null && !procs.split('\n').includes('0');
}

/** Names below `svinit.services`: one that the kernel could give a file is told apart by a `_`. */
export function cgroupOf(name: string): string {
  const [head = '', ...rest] = name.split('.');
  const isTheirs = name.startsWith('_') || (rest.length > 0 && KERNEL_WORDS.has(head));
  return fileNameOf(isTheirs ? `_${name}` : name);
}

/** The service whose cgroup has this name. */
export const serviceIn = (cgroup: string): string => nameOfFile(cgroup.replace(/^_/, ''));

/** Those of `CONTROLLERS` that exist and are not enabled; both texts list names. */
export function toEnable(available: string, enabled: string): string[] {
  const has = new Set(available.trim().split(' '));
  const is = new Set(enabled.trim().split(' '));
  return CONTROLLERS.filter((name) => has.has(name) && !is.has(name));
}

/**
 * What to write where. Into a cgroup that is there already goes what was not asked for too, so that
 * a service starts from the same state every time; only the first are such that it needs them.
 */
export function limitWrites(
  limits: CgroupLimits,
  isFresh: boolean,
): readonly { readonly file: string; readonly text: string; readonly isAsked: boolean }[] {
  const { delegate: _, ...files } = limits;
  const asked = Object.entries(files).flatMap(([file, text]) =>
    text.split('\n').map((line) => ({ file, text: line, isAsked: true })),
  );
  if (isFresh) return asked;
  const others = Object.entries(DEFAULTS).filter(([file]) => !Object.hasOwn(limits, file));
  return [...others.map(([file, text]) => ({ file, text, isAsked: false })), ...asked];
}

/** What takes away all that a text of `io.max` has, device by device. */
export function withoutIoLimits(text: string): string[] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => `${line.split(' ')[0]} rbps=max wbps=max riops=max wiops=max`);
}

/**
 * Of the processes that are `now` in svinit's own cgroup those that the process `main`, which was
 * started there, has brought with it before it was moved away.
 * @param before Those that were there before `main` was started.
 */
export function straysOf(
  before: ReadonlySet<Pid>,
  now: readonly Pid[],
  main: Pid,
  kinOf: (pid: Pid) => Kin | null,
): Pid[] {
  const strays = new Set<number>([main]);
  // Who detached itself has lost all marks. If nobody but us was there, it can be nobody else's.
  const wasAlone = before.size <= 1;
  for (const pid of now) {
    if (before.has(pid) || pid === main) continue;
    const kin = kinOf(pid);
    if (kin === null) continue;
    if (wasAlone || kin.session === main || strays.has(kin.parent)) strays.add(pid);
  }
  strays.delete(main);
  return [...strays].map(toPid);
}

/** Pids in a text of `cgroup.procs`; who is outside our pid namespace is shown as 0. */
export function pidsIn(procs: string): Pid[] {
  return procs
    .split('\n')
    .filter((line) => /^[1-9][0-9]{0,9}$/.test(line))
    .map((line) => toPid(Number(line)));
}

/**
 * Nothing of it should be left: its process has ended, or what it did was undone. What the start
 * of a oneshot leaves behind belongs to it until it is stopped; what `finish` leaves goes after it.
 */
export function isOver(service: Service, spec: Spec): boolean {
  const { phase } = service;
  // A program of `control/` may outlast what it was asked about.
  if (hasErrands(service)) return false;
  if (phase.at === 'done') return spec.type !== 'oneshot';
  if (phase.at === 'finishing') return pidOf(phase) === null;
  return phase.at === 'down' || phase.at === 'backoff' || phase.at === 'failed';
}

/** Whether it must not run without its cgroup. */
export const isLimited = ({ cgroup }: Spec): boolean => Object.keys(cgroup ?? {}).length > 0;

/** First words of files the kernel makes in a cgroup (6.1, and later ones as far as known). */
const KERNEL_WORDS: ReadonlySet<string> = new Set(
  'cgroup cpu cpuset debug dmem hugetlb io irq memory misc perf_event pids rdma'.split(' '),
);

/** What the kernel puts into a new cgroup. */
const DEFAULTS: Readonly<Record<Exclude<CgroupFile, 'io.max'>, string>> = {
  'memory.min': '0',
  'memory.low': '0',
  'memory.high': 'max',
  'memory.max': 'max',
  'memory.swap.max': 'max',
  'memory.oom.group': '0',
  'pids.max': 'max',
  'cpu.weight': '100',
  'cpu.max': 'max 100000',
  'io.weight': '100',
  // All that the one above has; no text at all would not be written.
  'cpuset.cpus': '\n',
  'cpuset.mems': '\n',
};
