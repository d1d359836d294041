/**
 * Who keeps a filesystem from going away: processes whose namespace has it mounted, and those in
 * our own that stand in it or have it open. It knows texts of /proc and no process.
 */

/** What /proc tells of one process. */
export type Witness = {
  readonly pid: number;
  readonly name: string;
  /** Its /proc/PID/mountinfo when its mount namespace is another than ours; null: it is ours. */
  readonly mountinfo: string | null;
  /** Where its working directory, root, program and open files are. */
  readonly paths: readonly string[];
  /** A storage daemon of root's, which ends last (systemd.io, ROOT_STORAGE_DAEMONS). */
  readonly storage: boolean;
};

export type Holder = Pick<Witness, 'pid' | 'name' | 'storage'> & {
  /** It lives in a namespace of the root, where nothing is left for it. */
  readonly inside: boolean;
};

/** The devices (`8:1`) of what is mounted at `targets`, as proc_pid_mountinfo(5) numbers them. */
export function devicesAt(mountinfo: string, targets: readonly string[]): ReadonlySet<string> {
  const rows = mountinfo.split('\n').map((line) => line.split(' ', 5));
  return new Set(
    rows.flatMap(([, , device, , target]) =>
      device !== undefined && target !== undefined && targets.includes(target) ? [device] : [],
    ),
  );
}

/** Those of `witnesses` that hold one of `devices`, or something below one of `targets`. */
export function holdersOf(
  witnesses: readonly Witness[],
  devices: ReadonlySet<string>,
  targets: readonly string[],
): readonly Holder[] {
  return witnesses.flatMap(({ pid, name, storage, mountinfo, paths }): readonly Holder[] => {
    const inside = mountinfo !== null && hasAny(mountinfo, devices);
    const isBelow = (path: string): boolean =>
      targets.some((target) => path === target || path.startsWith(`${target}/`));
    return inside || paths.some(isBelow) ? [{ pid, name, storage, inside }] : [];
  });
}

/** `cron (812), sshd (900)`. */
export function holderWords(holders: readonly Holder[]): string {
  const [shown, more] = [holders.slice(0, SHOWN_MAX), holders.length - SHOWN_MAX];
  const words = shown.map(({ name, pid }) => `${name} (${pid})`).join(', ');
  return more > 0 ? `${words} and ${more} more` : words;
}

const SHOWN_MAX = 10;

function hasAny(mountinfo: string, devices: ReadonlySet<string>): boolean {
  return mountinfo.split('\n').some((line) => devices.has(line.split(' ', 3)[2] ?? ''));
}
