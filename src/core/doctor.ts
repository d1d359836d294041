/**
 * Judges what svinit found and chose by itself: what works, what is done without, and what is lost
 * of that which it promises (docs/reliability.md). Facts in, findings out, each with what to do.
 */
import type { Examined } from './examined.ts';
import { shortBytes } from './figures.ts';

/** What a client sees for itself; null: it cannot be seen. */
export type Surroundings = {
  /** `uname -r`. */
  readonly kernel: string;
  /** Bits, from /proc/sys/kernel/random/entropy_avail. */
  readonly entropy: number | null;
  /** CLOCK_REALTIME in milliseconds since 1970, and as text. */
  readonly clock: { readonly at: number; readonly text: string };
  /** Bytes of the filesystem that the logs are on. */
  readonly logSpace: { readonly free: number; readonly total: number } | null;
  readonly hasPressure: boolean;
};

/** `less`: it is done without, and nothing that was promised is lost. */
export type Finding = {
  readonly what: string;
  readonly is: 'ok' | 'less' | 'lost';
  readonly text: string;
  /** What to do about it; null: nothing. */
  readonly help: string | null;
};

export function diagnose(examined: Examined, seen: Surroundings): readonly Finding[] {
  return [
    place(examined),
    mounts(examined),
    cgroups(examined),
    confinement(examined),
    runDirectory(examined),
    logger(examined),
    logSpace(examined, seen),
    revival(examined),
    watchdog(examined),
    consoleOf(examined),
    descriptors(examined),
    definitions(examined),
    kernel(seen),
    entropy(seen),
    clock(seen),
  ];
}

type Judge = (what: string, text: string, help?: string) => Finding;
const judge =
  (is: Finding['is']): Judge =>
  (what, text, help = undefined) => ({ what, is, text, help: help ?? null });
const ok = judge('ok');
const less = judge('less');
const lost = judge('lost');

function place({ pid1, machine, uid }: Examined): Finding {
  if (machine) return ok('place', 'PID 1 of a machine');
  const who = uid === 0 ? 'root' : `uid ${uid}`;
  if (pid1) return ok('place', `PID 1 of a container, as ${who}`);
  const help = 'run it as PID 1, or stop it by its pid: orphans of others are not reaped here';
  return less('place', `not PID 1: a subreaper, as ${who}`, help);
}

function mounts({ pid1, machine, canMount, unmounted, notices }: Examined): Finding {
  if (!pid1) return ok('mounts', 'nothing is mounted: that is for PID 1');
  const why = [...notices, ...(canMount ? [] : ['no CAP_SYS_ADMIN'])].join('; ');
  if (unmounted.length === 0) return ok('mounts', 'all that svinit mounts is there');
  const text = `missing: ${unmounted.join(', ')}${why === '' ? '' : ` (${why})`}`;
  if (machine) return lost('mounts', text, 'svctl logs svinit; does the kernel have them?');
  return less('mounts', text, 'the engine of the container can mount them, or give CAP_SYS_ADMIN');
}

function cgroups({ pid1, machine, cgroups: { isOpen, troubles } }: Examined): Finding {
  const trouble = troubles.join('; ');
  if (isOpen) {
    if (trouble === '') return ok('cgroups', 'each service has a cgroup v2 of its own');
    return lost('cgroups', trouble, 'svctl logs svinit');
  }
  const text =
    'process groups only: what leaves its session outlives its service; what asks for limits ' +
    'does not start; nobody sees who is killed for want of memory';
  if (machine) return lost('cgroups', `${text}${trouble === '' ? '' : ` (${trouble})`}`, CGROUP2);
  if (!pid1) return less('cgroups', text);
  return less('cgroups', text, 'a private cgroup namespace with a writable cgroup2 in it');
}

const CGROUP2 = 'a kernel with cgroup v2, and no cgroup v1 controllers in use';

function confinement({ uid, canMount }: Examined): Finding {
  if (canMount) return ok('confinement', 'services can have mounts of their own');
  const text = 'no CAP_SYS_ADMIN here: what asks for privateTmp or readOnlyPaths does not start';
  const users = uid === 0 ? '' : '; nor does what asks for another user';
  return less('confinement', `${text}${users}`, 'CAP_SYS_ADMIN, or definitions without these keys');
}

function runDirectory({ pid1, run, runType }: Examined): Finding {
  if (runType === 'tmpfs') return ok('run', `${run}, a tmpfs of its own`);
  const text = `${run}, ${runType ?? 'a directory'} that is shared with others`;
  if (!pid1) return ok('run', text);
  return less('run', `${text}: who fills it is in the way of FIFOs`, 'CAP_SYS_ADMIN, or --run=DIR');
}

function logger({ logger: state, log }: Examined): Finding {
  if (state === 'up') return ok('logger', `svlog writes to ${log}`);
  return lost(
    'logger',
    `svlog is ${state}: services wait when their pipes are full`,
    'svctl why svlog',
  );
}

/** Below this share of the filesystem, or so many bytes, rotation may not find room. */
const FREE_SHARE_MIN = 0.05;
const FREE_BYTES_MIN = 4_194_304;

function logSpace({ log }: Examined, { logSpace: space }: Surroundings): Finding {
  if (space === null) return less('log space', `${log} cannot be seen from here`);
  const { free, total } = space;
  const text = `${shortBytes(free)} of ${shortBytes(total)} free in ${log}`;
  const isTight = free < FREE_BYTES_MIN || free < total * FREE_SHARE_MIN;
  return isTight
    ? lost('log space', text, 'make room: lines that do not fit wait')
    : ok('log space', text);
}

function revival({ revives, safe, deaths, image }: Examined): Finding {
  if (safe) {
    const text = `safe mode after ${deaths} deaths: nothing is started or stopped`;
    return lost('revival', text, 'svctl logs svinit, then svctl reexec');
  }
  if (!revives) return lost('revival', 'a fault of the runtime ends svinit', 'svctl logs svinit');
  return ok('revival', `a fault of the runtime is survived; image ${image}`);
}

function watchdog({ machine, watchdog: { askedS, lacking, isMissing } }: Examined): Finding {
  if (lacking === null) return ok('watchdog', 'fed: the machine is reset when svinit hangs');
  if (isMissing) return less('watchdog', 'there is none', 'load the driver of one');
  if (askedS > 0) return lost('watchdog', `not fed: ${lacking}`, 'svctl logs svinit');
  const help = machine ? 'svinit.watchdog=SECONDS on the kernel command line' : undefined;
  return ok('watchdog', 'not used', help);
}

function consoleOf({ machine, console }: Examined): Finding {
  if (console !== null) return ok('console', console);
  if (!machine) return ok('console', 'none: messages go to stderr');
  return less('console', 'none: nobody can log in there', 'console=ttyS0 or console=tty0');
}

/** What select(2) can tell apart, and the usual soft limit: two for each service, and clients. */
const NOFILE_MIN = 4096;

function descriptors({ nofile: { hard } }: Examined): Finding {
  const text = `${hard} descriptors at most`;
  const help = 'a higher RLIMIT_NOFILE for svinit: each service takes one or two';
  return hard < NOFILE_MIN ? less('descriptors', text, help) : ok('descriptors', text);
}

function definitions({ refused }: Examined): Finding {
  if (refused === 0) return ok('definitions', 'none is refused');
  return less('definitions', `${refused} refused`, 'svctl scan tells why');
}

function kernel({ kernel: release, hasPressure }: Surroundings): Finding {
  if (hasPressure) return ok('kernel', release);
  return less('kernel', `${release}, without pressure stall information`, 'psi=1, CONFIG_PSI');
}

/** Since Linux 5.18 this is all there ever is; before, it was enough to begin with. */
const ENTROPY_MIN = 128;

function entropy({ entropy: bits }: Surroundings): Finding {
  if (bits === null) return less('entropy', 'cannot be seen from here');
  if (bits >= ENTROPY_MIN) return ok('entropy', `${bits} bits`);
  return less(
    'entropy',
    `${bits} bits: getrandom(2) may wait`,
    'a virtio-rng or a CPU with RDRAND',
  );
}

/** 2025-01-01: this program is not that old, so the clock cannot be right. */
const CLOCK_MIN = 1_735_689_600_000;

function clock({ clock: { at, text } }: Surroundings): Finding {
  if (at >= CLOCK_MIN) return ok('clock', text);
  const help = 'a driver for its clock, or a time service: stamps of logs are wrong until then';
  return less('clock', `not set: ${text}`, help);
}
