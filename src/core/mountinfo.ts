/**
 * /proc/PID/mountinfo as values (proc_pid_mountinfo(5)). It knows no file and asks no kernel.
 */

export type MountPoint = {
  readonly target: string;
  /** As in /proc/filesystems: `tmpfs`, `cgroup2`. */
  readonly type: string;
};

/** Lines that are read; a machine with more mounts than this has none that a boot asks about. */
const LINES_MAX = 8192;

/** A mount with what matters when it is to be taken away. */
export type Mount = MountPoint & {
  /** The filesystem itself takes no writes, whoever asks. */
  readonly readOnly: boolean;
};

/**
 * The mounts this process can see, in the order they were made: of two on one target the last is on
 * top. Lines of another shape are passed over.
 */
export function parseMountinfo(text: string): MountPoint[] {
  return parseMounts(text).map(({ target, type }) => ({ target, type }));
}

/** The same, with more of each. */
export function parseMounts(text: string): Mount[] {
  const mounts: Mount[] = [];
  for (const line of text.split('\n', LINES_MAX)) {
    // Optional fields end in a lone hyphen; a hyphen in a path never stands alone between spaces,
    // for the kernel writes spaces in paths as \040.
    const [before, after] = line.split(' - ', 2);
    const target = before?.split(' ')[4];
    const [type, , options] = after?.split(' ') ?? [];
    if (target === undefined || type === undefined || type === '') continue;
    const readOnly = options?.split(',').includes('ro') === true;
    mounts.push({ target: decoded(target), type: decoded(type), readOnly });
  }
  return mounts;
}

/** What is swapped to, from the text of /proc/swaps (proc(5)): a line of titles, then one each. */
export function parseSwaps(text: string): string[] {
  const [, ...lines] = text.split('\n', LINES_MAX);
  return lines.flatMap((line) => {
    const [path] = line.split(/\s+/);
    return path?.startsWith('/') ? [decoded(path)] : [];
  });
}

/** What is on top at `target`, null when nothing is mounted right there. */
export function typeMounted(mounts: readonly MountPoint[], target: string): string | null {
  return mounts.findLast((mount) => mount.target === target)?.type ?? null;
}

/** The kernel writes space, tab, newline and backslash (and `#`) as three octal digits. */
function decoded(field: string): string {
  return field.replace(/\\([0-3][0-7]{2})/g, (_, digits) =>
    String.fromCharCode(Number.parseInt(digits, 8)),
  );
}
