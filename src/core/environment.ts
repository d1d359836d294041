/**
 * Environment is code: `BUN_OPTIONS`, `NODE_OPTIONS`, `LD_PRELOAD` and every unknown `k=v` of the
 * kernel command line reach PID 1 as variables. What of them its second life may keep is decided
 * here; nothing is read or set.
 */
import { type BootOptions, LOG, RUN } from './boot-options.ts';

/** The first argument of the second life. */
export const BOOTED = '--booted';

export type Environment = Readonly<Record<string, string | undefined>>;

/** Where the first life stands: on a machine of its own, or in a place somebody prepared for it. */
export type Circumstances = {
  readonly machine: boolean;
  /** The working directory before stage 0 left it. */
  readonly cwd: string;
  /** /proc/meminfo as proc_meminfo(5) has it; null when it cannot be read. */
  readonly meminfo: string | null;
};

/** What a service may rely on before its definition says anything. */
export const PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * The environment of the second life: an allow-list, the options with which JavaScriptCore survives
 * that no thread can be made, and an end to its memory. In a container or as a plain process the
 * variables of the first life travel along under a prefix that gives them no power; on a machine
 * nobody meant them, they are what was left over from the kernel command line.
 */
export function stage0Environment(
  env: Environment,
  { machine, cwd, meminfo }: Circumstances,
): string[] {
  const kept = [`PATH=${PATH}`, 'HOME=/', ...RUNTIME, ...heapOf(meminfo)];
  const term = env['TERM'];
  if (term !== undefined && /^[A-Za-z0-9][A-Za-z0-9._+-]{0,31}$/.test(term))
    kept.push(`TERM=${term}`);
  if (/^[0-9.]{1,20}$/.test(env[STAGE0_AT] ?? '')) kept.push(`${STAGE0_AT}=${env[STAGE0_AT]}`);
  if (machine) return kept;
  for (const name of PLACES) {
    const path = env[name];
    if (path?.startsWith('/')) kept.push(`${name}=${path}`);
  }
  kept.push(`${CWD}=${cwd}`);
  for (const [name, value] of Object.entries(env)) {
    const isGiven = name !== '' && name !== STAGE0_AT && value !== undefined;
    if (isGiven) kept.push(`${PREFIX}${name}=${value}`);
  }
  return kept;
}

/**
 * Whether a life that began with `env` may go on as the second: it holds nothing but names that no
 * runtime, no library and no linker asks for. An allow-list, for those who ask get more.
 */
export function isHarmless(env: Environment): boolean {
  return Object.keys(env).every((name) => HARMLESS.has(name));
}

/** The variables the first life was given in a container, for its services. */
export function containerEnvironment(env: Environment): Record<string, string> {
  const given = Object.entries(env).flatMap(([name, value]): [string, string][] =>
    name.startsWith(PREFIX) && name !== PREFIX && value !== undefined
      ? [[name.slice(PREFIX.length), value]]
      : [],
  );
  return Object.fromEntries(given);
}

/** Where the first life was started: where the command of a container belongs. */
export function containerDirectory(env: Environment): string {
  return env[CWD] ?? '/';
}

/** What `SVINIT_RUN` and `SVINIT_LOG` say, where the arguments said nothing. */
export function placesFrom(env: Environment, options: BootOptions): BootOptions {
  return {
    ...options,
    run: options.run ?? env['SVINIT_RUN'] ?? null,
    log: options.log ?? env['SVINIT_LOG'] ?? null,
  };
}

/** When stage 0 began, on CLOCK_MONOTONIC in milliseconds: set by the first life for the second. */
export const STAGE0_AT = 'SVINIT_STAGE0_AT';

/** What the kernel, a boot loader, a shell and container engines give by themselves. */
const HARMLESS: ReadonlySet<string> = new Set([
  ...['PATH', 'HOME', 'TERM', 'PWD', 'OLDPWD', 'SHLVL', '_', 'USER', 'LOGNAME', 'SHELL'],
  ...['HOSTNAME', 'container', 'container_uuid', 'BOOT_IMAGE'],
  ...['SVINIT_RUN', 'SVINIT_LOG', STAGE0_AT],
]);

const PREFIX = 'SVINIT_ENV_';
const CWD = 'SVINIT_CWD';

/** Read by `placesFrom`, so they keep their names. */
const PLACES: readonly string[] = ['SVINIT_RUN', 'SVINIT_LOG'];

const RUNTIME: readonly string[] = [
  // Bun's own look at the heap, each second at first: supervisor/memory.ts collects what has grown.
  'BUN_GC_TIMER_DISABLE=1',
  'BUN_JSC_useConcurrentJIT=0',
  'BUN_JSC_useConcurrentGC=0',
  'BUN_JSC_numberOfGCMarkers=1',
  // Work comes in bursts: compiled in the main thread, what ran a thousand times is not run as
  // often again as compiling it takes. A start of a thousand services is a quarter shorter.
  'BUN_JSC_useFTLJIT=0',
  'BUN_JSC_thresholdForOptimizeAfterWarmUp=10000',
  'BUN_JSC_thresholdForOptimizeAfterLongWarmUp=10000',
];

/**
 * The kernel never kills PID 1 for want of memory: it kills all services, and then it panics. With
 * an end of its own the heap ends first (mimalloc 3; Node has its --max-old-space-size). A
 * thousand services stay far below the least of it, five thousand need the most.
 */
function heapOf(meminfo: string | null): readonly string[] {
  const totalKib = Number(/^MemTotal:\s+([0-9]{1,15}) kB$/m.exec(meminfo ?? '')?.[1] ?? 0);
  const share = Math.floor(totalKib / 1024 / HEAP_SHARE);
  const size = Math.min(HEAP_MOST_MIB, Math.max(HEAP_LEAST_MIB, share));
  return [`MIMALLOC_RESERVE_OS_MEMORY=${size}MiB`, 'MIMALLOC_DISALLOW_OS_ALLOC=1'];
}

/** A quarter of the machine, within these. */
const HEAP_SHARE = 4;
const HEAP_LEAST_MIB = 192;
const HEAP_MOST_MIB = 512;

/** What our own programs need of the runtime's settings, and services do not. */
export function runtimeEnvironment(env: Environment): Record<string, string> {
  const own = Object.entries(env).filter(([key]) => /^BUN_(GC|JSC)_/.test(key));
  return Object.fromEntries(own.map(([key, value]) => [key, value ?? '']));
}

/** What every process of ours finds: a PATH, and where things are when that is not the usual. */
export function ownEnvironment({ run, log }: { run: string; log: string }): Record<string, string> {
  const where = run === RUN ? {} : { SVINIT_RUN: run };
  const logs = log === LOG ? {} : { SVINIT_LOG: log };
  return { PATH, ...where, ...logs };
}
