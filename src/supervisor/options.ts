/**
 * What the supervisor is given: the world it acts on, and what it is to supervise.
 */
import type { Socket } from 'node:net';
import type { BootOptions } from '../core/boot-options.ts';
import type { Beginning } from '../core/examined.ts';
import type { Overlay } from '../core/overlay.ts';
import type { Spec } from '../core/spec.ts';
import type { System } from '../core/system.ts';
import type { Fd } from '../core/units.ts';
import type { Kernel } from '../sys/kernel.ts';
import type { Death } from './handover.ts';
import type { Paths } from './paths.ts';
import type { Legacy, Self } from './reexec.ts';
import type { ScanRoot } from './scan.ts';

/** What was chosen for the image, and the file in which it has its exit code. */
export type OverlayPorts = Overlay & {
  /** What somebody wrote there last; null: nothing that is a code. Never fails. */
  readonly exitCode: () => number | null;
  /** The main service has ended so: whoever writes after that knows better. */
  readonly ended: (code: number) => void;
};

export type SupervisorOptions = {
  readonly kernel: Kernel;
  readonly system: System;
  readonly paths: Paths;
  readonly roots: readonly ScanRoot[];
  /** What svinit brings along: the logger, and in a container the command it was given. */
  readonly builtins: readonly Spec[];
  /** What every service inherits. */
  readonly environment: Readonly<Record<string, string>>;
  /** What our own programs inherit: nothing that a container was given. */
  readonly ownEnvironment: Readonly<Record<string, string>>;
  /** A line for people, on the console; never blocks. */
  readonly say: (line: string) => void;
  readonly quiet: boolean;
  /** When stage 0 began, on CLOCK_MONOTONIC in milliseconds; on a machine: since its kernel did. */
  readonly beganAt: number;
  /** The terminal behind /dev/console; null when there is none. */
  readonly console: string | null;
  /** The terminals of the other consoles. */
  readonly consoles: readonly string[];
  readonly machine: boolean;
  /** What is different in an image made for s6-overlay; absent: it is none. */
  readonly overlay?: OverlayPorts | null;
  readonly beginning: Beginning;
  /** Seconds; 0: the machine's watchdog is not used. */
  readonly watchdog: number;
  /** Bytes of memory that its cgroup keeps for svinit. */
  readonly memoryMin: number;
  readonly self: Self;
  readonly legacy: Legacy | null;
  /** There was an image before this one, and what it left cannot be read. */
  readonly lost: boolean;
  /** How the image before ended, when it was not by a hand-over. */
  readonly death: Death | null;
  /** Deaths that still count towards a crash loop. */
  readonly revivals: readonly number[];
  /** A connected socket of the image before as a stream. */
  readonly adoptSocket: (fd: Fd) => Socket;
  /**
   * A shell on the console, and the wait for its end, where somebody wants one before the machine
   * is handed to the init of a root; never fails.
   */
  readonly pauseBeforeHandover?: () => Promise<void>;
  /** What the kernel command line says of failures. */
  readonly wishes?: Pick<BootOptions, 'shell' | 'emergency'>;
  /** Ends the process past every hook that would bring it back. */
  readonly exit: (code: number) => never;
};
