/**
 * What a definition says, whichever dialect it was written in: the one shape everything else
 * works with. Parsing is in spec-files.ts and spec-json.ts; this file knows no text.
 */
import type { AliveProbe, Probe } from './probe.ts';
import type { CgroupLimits } from './spec-cgroup.ts';
import type { Confinement } from './spec-confinement.ts';
import type { Privileges } from './spec-privileges.ts';
import type { SocketSpec } from './spec-sockets.ts';
import type { Millis } from './units.ts';

export type ServiceType = 'longrun' | 'oneshot' | 'bundle';

/** Decides finish arguments, pacing and defaults (s6: s6-supervise(8), runit: runsv(8)). */
export type Dialect = 'svinit' | 's6' | 'runit';

/** A program and its argument vector; `path` without a slash is looked up in PATH at spawn. */
export type Command = { readonly path: string; readonly argv: readonly string[] };

/**
 * When `up` is true of a started process: at once, when it writes a newline to `fd` (s6), when it
 * says so on the socket that NOTIFY_SOCKET names (sd_notify(3)), or when a probe has found it so.
 */
export type Readiness =
  | { readonly by: 'spawn' | 'notify' }
  | { readonly by: 'fd'; readonly fd: number }
  | { readonly by: 'probe'; readonly probe: Probe };

/** What a directory says of pipelines (s6-rc-compile(8)); whether it holds is in pipelines.ts. */
export type Pipeline = {
  readonly producerFor?: string;
  readonly consumerFor?: readonly string[];
  /** The bundle of all who are in it. */
  readonly name?: string;
};

export type RestartPolicy = {
  readonly when: 'always' | 'on-failure' | 'never';
  /** Failures within `window` after which the service is given up; null means never. */
  readonly limit: number | null;
  readonly window: Millis;
};

export type Spec = {
  readonly name: string;
  readonly type: ServiceType;
  readonly dialect: Dialect;
  /** The absolute path of the service directory. */
  readonly directory: string;
  readonly description: string;
  /** `run` of a longrun, `up` of a oneshot; null for a bundle and for an empty `up`. */
  readonly start: Command | null;
  /** `finish` of a longrun: run after each death of `start`. */
  readonly finish: Command | null;
  /** `down` of a oneshot: undoes `start`. */
  readonly down: Command | null;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string>>;
  /** Hard: ready before me, and my stop follows theirs being asked for. */
  readonly needs: readonly string[];
  /** Soft: started with me and before me, but I do not wait for its success. */
  readonly wants: readonly string[];
  /** Order only. */
  readonly after: readonly string[];
  readonly before: readonly string[];
  /** Members of a bundle. */
  readonly contents: readonly string[];
  readonly ready: Readiness;
  /**
   * What it is wanted to be before anyone asks: `target` means only if a bundle or need says so.
   */
  readonly initially: 'up' | 'down' | 'target';
  /** Starts before anything that can fail and stops last: loggers, consoles. */
  readonly early: boolean;
  /** Stopped only on request with `--force`, and by a halt. */
  readonly essential: boolean;
  /** A terminal for descriptors 0 to 2, with a controlling terminal; null: none. */
  readonly tty: string | null;
  readonly stopSignal: number;
  /** From the stop signal to SIGKILL; null: never. */
  readonly stopWithin: Millis | null;
  /** From start to readiness (longrun) or end (oneshot); null: for ever. */
  readonly upWithin: Millis | null;
  /** For `down` of a oneshot; null: for ever. */
  readonly downWithin: Millis | null;
  /** For `finish`; null: for ever. */
  readonly finishWithin: Millis | null;
  readonly restart: RestartPolicy;
  /** It shows a sign of life at least this often, or is restarted; absent: it need not. */
  readonly watchdog?: Millis;
  /** What makes it read its configuration again; absent: HUP. */
  readonly reloadSignal?: number;
  /** Run in place of that signal; of a oneshot, the only way. */
  readonly reload?: Command;
  /** For `reload`; null: for ever. Absent: as long as is usual. */
  readonly reloadWithin?: Millis | null;
  /** False: when its time is up only its process is killed. Absent: its whole group. */
  readonly killsGroup?: boolean;
  /** The descriptor at which it finds a lock that it holds as long as it lives; absent: none. */
  readonly lockFd?: number;
  /** How many deaths its views remember; absent: as many as is usual. */
  readonly deathTally?: number;
  /** The commands before which `control/` is asked, a letter each (runsv(8)); absent: none. */
  readonly control?: string;
  /** Its process is the first of a pid namespace. */
  readonly ownPids?: boolean;
  /** What it is asked while it is up; absent: nothing. */
  readonly alive?: AliveProbe;
  /** As whom its programs run, and what they may; absent: as svinit does. */
  readonly privileges?: Privileges;
  /** What its programs see of the filesystem; absent: all of it. */
  readonly confinement?: Confinement;
  /** Read where it runs; `-` in front: if it is there. */
  readonly envFiles?: readonly string[];
  /** Without these it does not start; absent: there are none. */
  readonly cgroup?: CgroupLimits;
  /** Opened for it, and handed to it from descriptor 3 on; absent: none. */
  readonly sockets?: readonly SocketSpec[];
  /** Descriptors it may leave for its next run; absent: none. */
  readonly fdStoreMax?: number;
  /** Started by the first connection; absent: as its `initially` says. */
  readonly lazy?: boolean;
  /** Its part in a pipeline of s6-rc; absent: none. */
  readonly pipeline?: Pipeline;
  /** The FIFO its stdin is, by its own name; absent: it reads nothing. */
  readonly input?: string;
  /** Whose `input` its stdout goes to; absent: it is logged. */
  readonly output?: string;
  /**
   * What it has of the descriptors that svinit was started with: 0 to 2 themselves, or a copy of 1
   * as 3 beside its own; absent: none.
   */
  readonly outlet?: 'given' | 'beside';
  /** The root it was defined in and runs in, where its paths are; absent: the initramfs. */
  readonly root?: string;
};

/** Why a definition, or a part of it, is refused. `file` is relative to the directory. */
export type Problem = {
  readonly name: string;
  readonly directory: string;
  readonly file: string | null;
  readonly line: number | null;
  readonly reason: string;
};

/** Texts found in one service directory, as the scan read them: what spec-files.ts parses. */
export type DirectoryTexts = {
  readonly name: string;
  readonly directory: string;
  readonly dialect: Dialect;
  /**
   * Regular files by relative path (`run`, `env/PORT`, `dependencies.d/db`, `data/check`).
   * Programs carry only their first line, so that a large script is never held.
   */
  readonly files: ReadonlyMap<string, FoundFile>;
};

export type FoundFile = { readonly text: string; readonly executable: boolean };
