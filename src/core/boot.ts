/**
 * Stage 1 as a list: what must be mounted, made and linked before anything can be supervised, from
 * what was asked for and what is already there. Nothing is done while planning. `/` itself is left
 * as it is.
 */
import { type BootOptions, LOG, RUN } from './boot-options.ts';
import type { BootAct, BootMountFlag, BootStep } from './boot-step.ts';
import { DEV, DEVICES, LINKS, type MountRow, PROC, VIRTUAL } from './boot-tables.ts';
import { type MountPoint, typeMounted } from './mountinfo.ts';

/** What boot/observe.ts found. */
export type BootFacts = {
  /** Whether this is PID 1 of its pid namespace; if not, nothing of the system is touched. */
  readonly pid1: boolean;
  /** PID 1 of the initial pid namespace: a real or virtual machine, not a container. */
  readonly machine: boolean;
  /** CAP_SYS_ADMIN, in a mount namespace that may be changed. */
  readonly canMount: boolean;
  /** CAP_MKNOD in the initial user namespace: elsewhere the kernel refuses devices. */
  readonly canMknod: boolean;
  readonly uid: number;
  readonly mounts: readonly MountPoint[];
  /** Those of `PATHS_OF_INTEREST` that are there and are what they should be. */
  readonly existing: ReadonlySet<string>;
  /** Names in /proc/filesystems; empty when it could not be read. */
  readonly filesystems: ReadonlySet<string>;
  /** What could become of each of `placesOfInterest`. */
  readonly places: ReadonlyMap<string, PlaceState>;
  /** What was found and is worth a line on the console. */
  readonly notices: readonly string[];
};

/** A directory of ours; one that can be made; or neither (read-only, somebody else's, a link). */
export type PlaceState = 'ours' | 'free' | 'refused';

export type Places = { readonly run: string; readonly log: string };

/** What is left to do, in order. Nothing is mounted where something is mounted already. */
export function planBoot(options: BootOptions, facts: BootFacts): readonly BootStep[] {
  const covered = rowsToMount(facts);
  const places = choosePlaces(options, facts);
  const steps = [
    ...covered.flatMap((row) => mountSteps(row, facts, covered)),
    ...(facts.pid1 ? deviceSteps(facts, covered) : []),
    ...parentSteps(places, facts, covered),
    ...runSteps(places.run, options, facts),
    optional({ do: 'mkdir', path: places.log, mode: 0o750 }),
    ...(facts.machine ? [optional(KERNEL_LOG), ...nameSteps(options)] : []),
  ];
  return [...privateSteps(steps, facts), ...steps];
}

/**
 * Where sockets and FIFOs live: the first place that can be ours. When there is none it is the
 * first, and claiming it fails with a reason. A run directory in another place than the usual holds
 * the logs too.
 */
export function choosePlaces(options: BootOptions, facts: BootFacts): Places {
  const covered = rowsToMount(facts);
  const usable = (path: string) =>
    below(covered, path) || (facts.places.get(path) ?? 'refused') !== 'refused';
  const run = options.run ?? runCandidates(facts.uid).find(usable) ?? RUN;
  const log = options.log ?? (run === RUN && usable(LOG) ? LOG : `${run}/logs`);
  return { run, log };
}

/** Paths whose state `choosePlaces` asks for. */
export function placesOfInterest(uid: number): readonly string[] {
  return [...runCandidates(uid), LOG];
}

const PTMX = '/dev/ptmx';

/** Lines of svinit and of early services in the kernel's log are not dropped for being many. */
const KERNEL_LOG: BootAct = {
  do: 'write',
  path: '/proc/sys/kernel/printk_devkmsg',
  text: 'on\n',
};

/** The name the command line gives to the machine; that of /etc/hostname is for a service. */
function nameSteps({ hostname }: BootOptions): BootStep[] {
  const path = '/proc/sys/kernel/hostname';
  return hostname === null ? [] : [optional({ do: 'write', path, text: `${hostname}\n` })];
}

/** The first counts; the others are for containers whose root cannot be written. */
function runCandidates(uid: number): readonly string[] {
  return [RUN, `/dev/shm/svinit-${uid}`, `/tmp/svinit-${uid}`];
}

function rowsToMount(facts: BootFacts): readonly MountRow[] {
  if (!facts.pid1 || !facts.canMount) return [];
  const proc = typeMounted(facts.mounts, PROC.target) === PROC.type ? [] : [PROC];
  const dev = devRow(facts);
  const rows = [...proc, ...(dev === null ? [] : [dev])];
  for (const row of VIRTUAL) {
    if (kept(row.target, facts)) continue;
    rows.push(facts.machine && row.machineData ? { ...row, data: row.machineData } : row);
  }
  return rows;
}

/**
 * Whether `target` is left as it is: something is mounted on it, or below it, where a container
 * keeps its secrets; or it is the /run of a container and good enough.
 */
function kept(target: string, facts: BootFacts): boolean {
  const mounted = ({ target: at }: MountPoint) => at === target || at.startsWith(`${target}/`);
  if (facts.mounts.some(mounted)) return true;
  if (target !== '/run' || facts.machine || !facts.existing.has(target)) return false;
  return (facts.places.get(RUN) ?? 'refused') !== 'refused';
}

/**
 * devtmpfs is one for the whole system, so in a container it would be the host's: there, and where
 * the kernel lacks it, a tmpfs takes the devices of the table.
 */
function devRow(facts: BootFacts): MountRow | null {
  if (kept(DEV.target, facts) || !facts.canMknod) return null;
  if (!facts.machine && facts.existing.has('/dev/null')) return null;
  const lacking = facts.filesystems.size > 0 && !facts.filesystems.has(DEV.type);
  return facts.machine && !lacking ? DEV : { ...DEV, type: 'tmpfs' };
}

/**
 * Everything on a machine. In a container only what is mounted on: a volume may be shared on
 * purpose, and yet no mount of ours may appear on the host.
 */
function privateSteps(steps: readonly BootStep[], facts: BootFacts): BootStep[] {
  const targets = steps.flatMap((step) => (step.do === 'mount' ? [step.target] : []));
  const recursive = facts.machine;
  const paths = recursive ? ['/'] : targets.map((target) => holderOf(facts.mounts, target));
  if (targets.length === 0) return [];
  return [...new Set(paths)].map((path) => optional({ do: 'private', path, recursive }));
}

/** The mount point that `target` is on. */
function holderOf(mounts: readonly MountPoint[], target: string): string {
  const above = mounts.filter((mount) => target.startsWith(`${mount.target}/`));
  return above.reduce((best, { target: at }) => (at.length > best.length ? at : best), '/');
}

function mountSteps(row: MountRow, facts: BootFacts, covered: readonly MountRow[]): BootStep[] {
  const { type, target, mode, flags, data, fatal } = row;
  const there = facts.existing.has(target) && !below(covered, target);
  const mkdir = mode === null || there ? [] : [optional({ do: 'mkdir', path: target, mode })];
  return [...mkdir, { do: 'mount', type, target, flags, data, fatal }];
}

function deviceSteps(facts: BootFacts, covered: readonly MountRow[]): BootStep[] {
  const fresh = below(covered, '/dev/null');
  const missing = (path: string) => fresh || !facts.existing.has(path);
  const steps: BootStep[] = [];
  for (const { path, major, minor, mode, machineOnly } of DEVICES) {
    const fatal = path === '/dev/null';
    if (!missing(path) || (machineOnly && !facts.machine)) continue;
    // Without it nothing can be started, so it is tried even where the kernel is known to refuse.
    if (facts.canMknod || fatal) steps.push({ do: 'mknod', path, major, minor, mode, fatal });
    // Where it may not be made, devpts has one of its own (Documentation/filesystems/devpts.rst).
    else if (path === PTMX) steps.push(optional({ do: 'symlink', path, target: 'pts/ptmx' }));
  }
  for (const [path, target] of LINKS) {
    if (missing(path)) steps.push(optional({ do: 'symlink', path, target }));
  }
  return steps;
}

/** What is above a place of ours; above one that was asked for, nothing is made. */
function parentSteps(
  { run, log }: Places,
  facts: BootFacts,
  covered: readonly MountRow[],
): BootStep[] {
  const missing = !facts.existing.has('/run') && !covered.some(({ target }) => target === '/run');
  const parents = [
    ...(run === RUN && missing ? ['/run'] : []),
    ...(log === LOG ? ['/run/log'] : []),
  ];
  return parents.map((path) => optional({ do: 'mkdir', path, mode: 0o755 }));
}

/** Nosuid and nodev, but not noexec: definitions with their programs are added there. */
function runSteps(run: string, options: BootOptions, facts: BootFacts): BootStep[] {
  const claim: BootStep = { do: 'claim', path: run, fatal: true };
  const data = [`mode=0711,size=${options.tmpfsSize}`];
  const flags: readonly BootMountFlag[] = ['nosuid', 'nodev'];
  const own = facts.pid1 && facts.canMount && options.run === null;
  const tmpfs: BootAct = { do: 'mount', type: 'tmpfs', target: run, flags, data };
  return [
    claim,
    ...(own && typeMounted(facts.mounts, run) === null ? [optional(tmpfs)] : []),
    optional({ do: 'mkdir', path: `${run}/services`, mode: 0o755 }),
    optional({ do: 'mkdir', path: `${run}/log`, mode: 0o700 }),
  ];
}

/** Whether a mount of `rows` will hide what is at `path` now. */
function below(rows: readonly MountRow[], path: string): boolean {
  return rows.some((row) => path.startsWith(`${row.target}/`));
}

function optional(act: BootAct): BootStep {
  return { ...act, fatal: false };
}
