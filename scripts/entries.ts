/**
 * What a root filesystem is made of, as a list of values, before anything is written.
 *
 * `rootfs.ts` makes such a list; `cpio.ts`, `tar.ts` and `stage.ts` write it in their own form.
 * Knows nothing of where the contents come from.
 */

/** Owner, group and permission bits; everything of the image belongs to root unless it says so. */
type Common = {
  /** Path in the image without a leading slash: `usr/bin/svinit`. */
  readonly path: string;
  /** Permission bits alone, `0o755`; what it is follows from `type`. */
  readonly mode: number;
  readonly uid?: number;
  readonly gid?: number;
};

export type Entry = Common &
  (
    | { readonly type: 'directory' }
    | { readonly type: 'file'; readonly content: Uint8Array }
    | { readonly type: 'link'; readonly target: string }
    | {
        readonly type: 'node';
        readonly device: 'character' | 'block';
        readonly major: number;
        readonly minor: number;
      }
  );

/** The `S_IFMT` bits of each type, inode(7). */
const FORMAT_BITS = {
  directory: 0o040000,
  file: 0o100000,
  link: 0o120000,
  character: 0o020000,
  block: 0o060000,
} as const;

/** `st_mode` as the kernel knows it: the format bits and the permission bits. */
export function fullMode(entry: Entry): number {
  return FORMAT_BITS[entry.type === 'node' ? entry.device : entry.type] | entry.mode;
}

/** The bytes an archive stores behind the header: a file's content, a link's target. */
export function payload(entry: Entry): Uint8Array {
  if (entry.type === 'file') return entry.content;
  return new TextEncoder().encode(entry.type === 'link' ? entry.target : '');
}

/**
 * The entries in the one order every archive has: sorted by the bytes of the path, so that a
 * directory comes before what is in it. Of two entries for one path the later one counts.
 */
export function sorted(entries: readonly Entry[]): readonly Entry[] {
  const byPath = new Map(entries.map((entry) => [entry.path, entry]));
  return [...byPath.values()].sort((a, b) =>
    Buffer.compare(Buffer.from(a.path), Buffer.from(b.path)),
  );
}

/** The directories that `entries` need and do not name themselves, mode 0755. */
export function parentsOf(entries: readonly Entry[]): readonly Entry[] {
  const named = new Set(entries.map((entry) => entry.path));
  const missing = new Set<string>();
  for (const { path } of entries) {
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const parent = path.slice(0, end);
      if (!named.has(parent)) missing.add(parent);
    }
  }
  return [...missing].map((path) => ({ type: 'directory', path, mode: 0o755 }));
}
