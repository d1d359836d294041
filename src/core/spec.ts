/**
 * What a definition says, whichever dialect it was written in: the one shape everything else
 * works with. Parsing is in spec-files.ts and spec-json.ts; this file knows no text.
 */
import type { CgroupLimits } from './spec-cgroup.ts';
import type { Privileges } from './spec-privileges.ts';
import type { Millis } from './units.ts';

export type ServiceType = 'longrun' | 'oneshot' | 'bundle';

/** Decides finish arguments, pacing and defaults (s6: s6-supervise(8), runit: runsv(8)). */
export type Dialect = 'svinit' | 's6' | 'runit';

/** A program and its argument vector; `path` without a slash is looked up in PATH at spawn. */
export type Command = { readonly path: string; readonly argv: readonly string[] };

/**
 * When `up` is true of a started process: at once, when it writes a newline to `fd` (s6), or when
 * it says so on the socket that NOTIFY_SOCKET names (sd_notify(3)).
 */
export type Readiness =
  | { readonly by: 'spawn' | 'notify' }
  | { readonly by: 'fd'; readonly fd: number };

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
  /** As whom its programs run, and what they may; absent: as svinit does. */
  readonly privileges?: Privileges;
  /** Without these it does not start; absent: there are none. */
  readonly cgroup?: CgroupLimits;
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
