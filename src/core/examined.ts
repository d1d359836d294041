/**
 * What PID 1 knows of its own circumstances and nobody else can find out: what it found when it
 * began, what it chose, and what it does without. Facts only; doctor.ts judges them.
 */
import { type BootFacts, choosePlaces, planBoot } from './boot.ts';
import type { BootOptions } from './boot-options.ts';
import { typeMounted } from './mountinfo.ts';

/** What an image of svinit found when it began, once all was mounted that can be. */
export type Beginning = {
  readonly pid1: boolean;
  readonly machine: boolean;
  readonly uid: number;
  readonly canMount: boolean;
  /** What should be mounted and is not, as `/sys/fs/cgroup (cgroup2)`. */
  readonly unmounted: readonly string[];
  readonly notices: readonly string[];
  readonly run: string;
  /** The filesystem that is mounted at `run` itself; null: it is part of another one. */
  readonly runType: string | null;
  readonly log: string;
};

export type Examined = Beginning & {
  readonly image: number;
  /** It died too often, and starts and stops nothing. */
  readonly safe: boolean;
  /** Its deaths within the last minute before this image. */
  readonly deaths: number;
  /** The handlers that make a fresh image of a dying one are installed. */
  readonly revives: boolean;
  readonly console: string | null;
  readonly cgroups: { readonly isOpen: boolean; readonly troubles: readonly string[] };
  /** Seconds that were asked for (0: none); why it is not fed (null: it is); no such device. */
  readonly watchdog: {
    readonly askedS: number;
    readonly lacking: string | null;
    readonly isMissing: boolean;
  };
  /** RLIMIT_NOFILE of svinit itself (getrlimit(2)). */
  readonly nofile: { readonly soft: number; readonly hard: number };
  /** The state of the logger. */
  readonly logger: string;
  /** Definitions that were refused. */
  readonly refused: number;
};

/** `facts` were taken after the boot: what is still planned could not be done. */
export function beginningOf(options: BootOptions, facts: BootFacts): Beginning {
  const { pid1, machine, uid, canMount, notices } = facts;
  const { run, log } = choosePlaces(options, facts);
  const wished = planBoot(options, { ...facts, canMount: true });
  const unmounted = wished.flatMap((step) =>
    step.do === 'mount' && step.target !== run ? [`${step.target} (${step.type})`] : [],
  );
  const runType = typeMounted(facts.mounts, run);
  return { pid1, machine, uid, canMount, unmounted, notices, run, runType, log };
}
