/**
 * What a boot can be told, from the kernel command line and from svinit's own arguments: the shape
 * and what holds when nothing is said. It knows no text.
 */
import type { Phase } from './phases-boot.ts';

export type BootOptions = {
  /** Say only what is wrong on the console. */
  readonly quiet: boolean;
  /** Faults of svinit itself may be asked for over the socket: for its own tests only. */
  readonly testing: boolean;
  /** What the consoles shall do whatever root's password is; null: ask for it if there is one. */
  readonly autologin: boolean | null;
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
  /** Bytes of memory kept for svinit itself, whatever its services take; 0: none. */
  readonly memoryMin: number;
  /** The service whose end is the end of a container, and whose exit code is svinit's. */
  readonly main: string | null;
  readonly hostname: string | null;
  /** The run directory, instead of one chosen from what can be written; null: not said. */
  readonly run: string | null;
  /** Where logs are written, instead of one chosen from what can be written; null: not said. */
  readonly log: string | null;
  /** Where the root is, as `root=` says it, unread: a device, `UUID=…`, `tmpfs`, `none`. */
  readonly root: string | null;
  /** Names of filesystems by commas; null: whatever is found on the device. */
  readonly rootfstype: string | null;
  /** Options of mount(8) by commas. */
  readonly rootflags: string | null;
  /** Whether the root may be written; not, when nothing is said, as for the kernel. */
  readonly rw: boolean;
  /** Seconds to let go by before the device is looked for. */
  readonly rootdelay: number;
  /** Whether the device is waited for without an end; then `rootTimeout` counts for nothing. */
  readonly rootwait: boolean;
  /** Seconds after which a device that has not appeared is missing. */
  readonly rootTimeout: number;
  /** The init of the root, a path on the root; null: not said. */
  readonly init: string | null;
  /**
   * Whether svinit stays PID 1 outside of the root or becomes the root's own init; null: not said,
   * which is the latter where `init` was said.
   */
  readonly handover: 'stay' | 'classic' | null;
  /**
   * What of the root is kept in memory and lost at the end: nothing, /var alone, all that is
   * written (`overlay`), or all but /usr (`yes`), as `systemd.volatile=` of kernel-command-line(7)
   * has it.
   */
  readonly overlay: Overlay;
  /** Whether what is written below /etc of the root is kept in memory and lost at the end. */
  readonly etcOverlay: boolean;
  /** Whether the filesystem of the root is checked when it asks for it, always or never. */
  readonly fsckMode: 'auto' | 'force' | 'skip';
  /** Whether a check repairs what is safe to repair, everything, or nothing. */
  readonly fsckRepair: 'preen' | 'yes' | 'no';
  /** Where the boot stops and gives a shell, each once. */
  readonly breaks: readonly Phase[];
  /** Whether the boot asks before each of its decisions. */
  readonly interactive: boolean;
  /** Whether a failing boot may give a shell to whoever is at the console. */
  readonly shell: boolean;
  /** What a boot does that has failed: ask at the console, or end the machine. */
  readonly emergency: 'shell' | 'reboot' | 'poweroff' | 'halt';
  /**
   * Seconds for which a phase that has failed asks at the console before the boot goes on without
   * it; 0: it does not ask.
   */
  readonly askTimeout: number;
  /** The terminal for shells of the boot, a path; null: the real one behind /dev/console. */
  readonly ctty: string | null;
  /** What stood after `--` on the kernel command line: arguments of svinit itself. */
  readonly initArguments: readonly string[];
  /** Values that were understood but refused, one sentence each. */
  readonly notices: readonly string[];
};

export type Overlay = 'no' | 'state' | 'overlay' | 'yes';

/** What has been said so far; absent: nothing was. */
export type BootDraft = {
  -readonly [K in keyof BootOptions]?: BootOptions[K];
};

const MIB: number = 1024 * 1024;

export const BOOT_DEFAULTS: BootOptions = {
  quiet: false,
  testing: false,
  autologin: null,
  loglevel: null,
  consoles: [],
  target: null,
  scan: null,
  parallel: null,
  watchdog: 60,
  tmpfsSize: 16 * MIB,
  memoryMin: 64 * MIB,
  main: null,
  hostname: null,
  run: null,
  log: null,
  root: null,
  rootfstype: null,
  rootflags: null,
  rw: false,
  rootdelay: 0,
  rootwait: false,
  rootTimeout: 30,
  init: null,
  handover: null,
  overlay: 'no',
  etcOverlay: false,
  fsckMode: 'auto',
  fsckRepair: 'preen',
  breaks: [],
  interactive: false,
  shell: true,
  emergency: 'shell',
  askTimeout: 10,
  ctty: null,
  initArguments: [],
  notices: [],
};

/** Where sockets and FIFOs are, and where logs are written, when nobody says otherwise. */
export const RUN = '/run/svinit';
export const LOG = '/run/log/svinit';
