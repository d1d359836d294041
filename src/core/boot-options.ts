/**
 * What a boot can be told, from the kernel command line and from svinit's own arguments: the shape
 * and what holds when nothing is said. It knows no text.
 */

export type BootOptions = {
  /** Say only what is wrong on the console. */
  readonly quiet: boolean;
  /** Faults of svinit itself may be asked for over the socket: for its own tests only. */
  readonly testing: boolean;
  /** As for the kernel's console: messages below this level are shown; null: not said. */
  readonly loglevel: number | null;
  /** Terminals named by `console=`, without `/dev/` and options; the last is /dev/console. */
  readonly consoles: readonly string[];
  /** The bundle to bring up; null: `default`. */
  readonly target: string | null;
  /** Directories of service directories, instead of the three usual ones; null: not said. */
  readonly scan: readonly string[] | null;
  /** How many services may be starting at once; null: any number. */
  readonly parallel: number | null;
  /** Seconds until the machine's watchdog resets it when svinit does not feed it; 0: not used. */
  readonly watchdog: number;
  /** Size of the private tmpfs, in bytes. */
  readonly tmpfsSize: number;
  /** Who may read the control socket: the name of a group, or its number in digits. */
  readonly group: string | null;
  /** The service whose end is the end of a container, and whose exit code is svinit's. */
  readonly main: string | null;
  readonly hostname: string | null;
  /** The run directory, instead of one chosen from what can be written; null: not said. */
  readonly run: string | null;
  /** Where logs are written, instead of one chosen from what can be written; null: not said. */
  readonly log: string | null;
  /** What stood after `--` on the kernel command line: arguments of svinit itself. */
  readonly initArguments: readonly string[];
  /** Values that were understood but refused, one sentence each. */
  readonly notices: readonly string[];
};

/** What has been said so far; absent: nothing was. */
export type BootDraft = {
  -readonly [K in keyof BootOptions]?: BootOptions[K];
};

const MIB: number = 1024 * 1024;

export const BOOT_DEFAULTS: BootOptions = {
  quiet: false,
  testing: false,
  loglevel: null,
  consoles: [],
  target: null,
  scan: null,
  parallel: null,
  watchdog: 60,
  tmpfsSize: 16 * MIB,
  group: null,
  main: null,
  hostname: null,
  run: null,
  log: null,
  initArguments: [],
  notices: [],
};

/** Where sockets and FIFOs are, and where logs are written, when nobody says otherwise. */
export const RUN = '/run/svinit';
export const LOG = '/run/log/svinit';
